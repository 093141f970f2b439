"""The open photo, looked at closely: with wheel, keys and fingers; by itself and with its panel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accessible import serious_in_both_themes
from in_browser import open_tile, photo_dialog, reload, results_of, settled, watched_page
from optional import module, needs_chromium
from photo_metadata import jpeg
from PIL import ExifTags, Image
from served import Served, served_here
from videos import video

from photosearch import Library
from photosearch.indexing.decode import prepare_decoders

pytestmark = [pytest.mark.slow, needs_chromium]

module("av")

SIZES = {"wide": (1440, 900), "tablet": (820, 1180), "phone": (390, 844)}
# The scale of the picture on the screen, and where its upper left corner lies.
_LIES = """() => {
    const picture = document.querySelector('.viewer img.large');
    const { left, top, width } = picture.getBoundingClientRect();
    return [width, left, top];
}"""
_FULL = "() => document.querySelector('.viewer img.large').src.includes('/api/full/')"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, colours: Path) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("zoom")
    photos = place / "photos"
    photos.mkdir()
    before = Image.MAX_IMAGE_PIXELS
    prepare_decoders()
    Image.MAX_IMAGE_PIXELS = before
    picture = Image.linear_gradient("L").resize((2400, 1600)).convert("RGB")
    about = Image.Exif()
    about[ExifTags.Base.Model] = "Canon EOS 5D"
    about.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2019:07:14 12:30:00"
    about.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (41.9, 0, 0), 3: "E", 4: (12.5, 0, 0)})
    picture.save(photos / "a.heic", exif=about.tobytes())
    Image.new("RGB", (800, 10_400), "yellow").save(photos / "b.png")
    clip = video(place / "clip.mp4", ["green"], codec="libvpx-vp9").read_bytes()
    (photos / "c.jpg").write_bytes(jpeg(picture.resize((600, 400))) + clip)
    # Browsers do not play this one.
    video(photos / "d.mp4", ["red"])
    with Library.open(place / "library", model=colours) as library:
        for _ in library.index([photos], workers=1):
            pass
    with served_here(place / "library", colours) as server:
        yield server


@pytest.fixture
def wide(browser: Any, server: Served) -> Iterator[Any]:
    with watched_page(browser, server, viewport={"width": 1440, "height": 900}) as page:
        yield page


@pytest.fixture
def phone(browser: Any, server: Served) -> Iterator[Any]:
    screen = {"width": 390, "height": 844}
    with watched_page(browser, server, viewport=screen, has_touch=True, is_mobile=True) as page:
        yield page


def lies(page: Any) -> tuple[float, float, float]:
    width, left, top = page.evaluate(_LIES)
    return width, left, top


def is_named(page: Any, name: str) -> None:
    page.get_by_role("dialog", name="Photo").get_by_role(
        "heading", name=name, exact=True
    ).wait_for()


def touch(page: Any, *moments: list[tuple[float, float]]) -> None:
    """Fingers that go from each of these places to the next, and are lifted."""
    screen = page.context.new_cdp_session(page)
    for at, fingers in enumerate(moments):
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(fingers)]
        kind = "touchMove" if at else "touchStart"
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    screen.detach()


def test_the_wheel_zooms_to_the_pointer_and_then_all_pixels_come(wide: Any) -> None:
    viewer = open_tile(wide, "a.heic")
    width, left, top = lies(wide)
    point = (left + 0.25 * width, top + 200)
    wide.mouse.move(*point)
    for _ in range(4):
        wide.mouse.wheel(0, -300)
    wide.wait_for_function("before => document.querySelector('.zoomed')", arg=width)
    wide.wait_for_function(_FULL)
    nearer, at, _ = lies(wide)
    assert nearer > 2 * width
    assert (point[0] - at) / nearer == pytest.approx(0.25, abs=0.01)
    # HEIC, which the browser does not know, in all its pixels.
    wide.wait_for_function(
        "() => document.querySelector('.viewer img.large').naturalWidth === 2400"
    )
    assert "%" in viewer.locator(".told").text_content()
    # Arrows move it, and go to no other photo.
    wide.keyboard.press("ArrowRight")
    assert lies(wide)[1] < at
    is_named(wide, "a.heic")
    wide.mouse.down()
    wide.mouse.move(point[0] + 90, point[1] + 40, steps=3)
    wide.mouse.up()
    assert lies(wide)[1] > at - 0.15 * 1440
    wide.keyboard.press("z")
    assert lies(wide)[0] == pytest.approx(width)
    wide.keyboard.press("+")
    assert lies(wide)[0] == pytest.approx(1.5 * width)
    wide.keyboard.press("-")
    wide.mouse.dblclick(*point)
    assert lies(wide)[0] == pytest.approx(2.5 * width, rel=0.01)
    wide.mouse.dblclick(*point)
    assert lies(wide)[0] == pytest.approx(width)
    # Now they step.
    titles = wide.locator("#results .tile").evaluate_all("all => all.map(one => one.title)")
    at = titles.index("a.heic")
    key, other = ("ArrowLeft", titles[at - 1]) if at else ("ArrowRight", titles[1])
    wide.keyboard.press(key)
    is_named(wide, other)


def test_a_screenshot_of_a_whole_page_can_be_read(wide: Any) -> None:
    open_tile(wide, "b.png")
    wide.wait_for_function(_FULL)
    wide.wait_for_function("() => document.querySelector('.viewer img.large').naturalWidth === 800")
    width, _, top = lies(wide)
    assert width > 800
    assert top == pytest.approx(0, abs=3)
    wide.mouse.move(500, 400)
    wide.mouse.wheel(0, 1000)
    wide.wait_for_function(
        "() => document.querySelector('.viewer img.large').getBoundingClientRect().top < -900"
    )
    wide.keyboard.press("PageDown")
    assert lies(wide)[2] < -1500
    # It does not go sideways, so these go to other photos.
    titles = wide.locator("#results .tile").evaluate_all("all => all.map(one => one.title)")
    at = titles.index("b.png")
    key, other = ("ArrowLeft", titles[at - 1]) if at else ("ArrowRight", titles[1])
    wide.keyboard.press(key)
    is_named(wide, other)


def test_fingers_pinch_swipe_and_tap_twice(phone: Any) -> None:
    titles = results_of(phone, "")
    open_tile(phone, titles[0])
    touch(phone, [(300, 250)], [(200, 255)], [(80, 255)])
    is_named(phone, titles[1])
    touch(phone, [(80, 250)], [(200, 255)], [(300, 255)])
    is_named(phone, titles[0])
    phone.keyboard.press("Escape")
    open_tile(phone, "a.heic")
    width, left, top = lies(phone)
    middle = (left + width / 2, top + 100)
    apart = [[(middle[0] - by, middle[1]), (middle[0] + by, middle[1])] for by in (30, 60, 90)]
    touch(phone, *apart)
    assert lies(phone)[0] == pytest.approx(3 * width, rel=0.05)
    is_named(phone, "a.heic")
    # A finger moves it now, and neither steps nor closes.
    touch(phone, [(200, 200)], [(200, 260)], [(200, 340)])
    is_named(phone, "a.heic")
    phone.touchscreen.tap(*middle)
    phone.touchscreen.tap(*middle)
    assert lies(phone)[0] == pytest.approx(width, rel=0.01)
    touch(phone, [(200, 150)], [(200, 260)], [(200, 340)])
    phone.get_by_role("dialog", name="Photo").wait_for(state="hidden")


def test_facts_lead_to_more_photos_like_it(wide: Any) -> None:
    box = wide.get_by_label("Describe a photo")
    for link, query in (
        ("14 July 2019", "on:2019-07-14"),
        ("Rome", "in:Rome"),
        ("Canon EOS 5D", 'camera:"Canon EOS 5D"'),
        ("41.9, 12.5", "near:41.9000,12.5000,1km"),
        ("photos", None),
    ):
        viewer = open_tile(wide, "a.heic")
        viewer.locator("dl").get_by_role("link", name=link).click()
        viewer.wait_for(state="hidden")
        text = box.input_value()
        assert text == query or (query is None and text.startswith("folder:"))
        assert "a.heic" in results_of(wide, text)
        box.fill("")
        results_of(wide, "")


def test_the_panel_stays_closed(wide: Any) -> None:
    viewer = open_tile(wide, "c.jpg")
    wide.keyboard.press("i")
    viewer.locator(".details").wait_for(state="hidden")
    assert wide.locator(".stage").bounding_box()["width"] == 1440
    reload(wide)
    toggle = viewer.locator(".corner").get_by_role("button", name="About this photo")
    assert toggle.get_attribute("aria-pressed") == "false"
    toggle.click()
    viewer.locator("dl").wait_for()


@pytest.mark.parametrize("size", SIZES)
def test_the_photo_has_its_place_on_every_screen(browser: Any, server: Served, size: str) -> None:
    width, height = SIZES[size]
    with watched_page(browser, server, viewport={"width": width, "height": height}) as page:
        viewer = open_tile(page, "a.heic")
        settled(page)
        stage = viewer.locator(".stage").bounding_box()
        panel = viewer.locator(".details").bounding_box()
        if size == "wide":
            assert panel["x"] == stage["width"] > 1000
        else:
            assert stage["width"] == panel["width"] == width
            assert panel["y"] == stage["height"] > height / 2
        picture = viewer.locator("img.large").bounding_box()
        assert picture["width"] == pytest.approx(min(stage["width"], stage["height"] * 1.5), abs=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious_in_both_themes(page) == []
        if size != "wide":
            return
        page.keyboard.press("+")
        viewer.get_by_role("button", name="Slideshow").click()
        viewer.get_by_role("button", name="Pause").wait_for()
        assert serious_in_both_themes(page) == []


@pytest.fixture
def timed(browser: Any, server: Served) -> Iterator[Any]:
    """A page whose clock can be set."""
    screen = {"width": 1440, "height": 900}
    with watched_page(browser, server, viewport=screen, alone=True) as page:
        yield page


def test_a_slideshow_goes_round_until_somebody_steps(timed: Any) -> None:
    titles = results_of(timed, "")
    still = [title for title in titles if title != "d.mp4"]
    viewer = open_tile(timed, still[-1])
    timed.clock.install()
    viewer.get_by_role("button", name="Slideshow").click()
    viewer.get_by_label("Time for each photo").select_option("10 seconds")
    timed.clock.run_for(10_100)
    after = titles[(titles.index(still[-1]) + 1) % len(titles)]
    timed.wait_for_function(
        "name => document.querySelector('.details h2').textContent === name", arg=after
    )
    viewer.get_by_role("button", name="Pause").click()
    viewer.get_by_role("button", name="End slideshow").click()
    viewer.locator(".slides").wait_for(state="hidden")
    # The choice is kept; and who steps meanwhile stays there.
    viewer.get_by_role("button", name="Slideshow").click()
    assert viewer.get_by_label("Time for each photo").input_value() == "10"
    other = "ArrowRight" if after == titles[0] else "ArrowLeft"
    timed.keyboard.press(other)
    viewer.get_by_role("button", name="Play", exact=True).wait_for()
    timed.keyboard.press("Escape")
    viewer.locator(".slides").wait_for(state="hidden")
    timed.keyboard.press("Escape")
    viewer.wait_for(state="hidden")


def test_it_fills_the_screen(wide: Any) -> None:
    viewer = open_tile(wide, "c.jpg")
    button = viewer.get_by_role("button", name="Full screen")
    button.click()
    # The element is there before the page is told of it.
    button.and_(wide.locator("[aria-pressed=true]")).wait_for()
    assert wide.evaluate("() => document.fullscreenElement !== null")
    # What is said is not hidden beneath.
    viewer.get_by_role("button", name="Favourite").click()
    wide.evaluate("document.exitFullscreen()")
    wide.wait_for_function("() => !document.fullscreenElement")
    photo_dialog(wide, "c.jpg")


def test_a_motion_photo_moves_once(wide: Any) -> None:
    viewer = open_tile(wide, "c.jpg")
    button = viewer.get_by_role("button", name="Play motion photo")
    button.click()
    viewer.locator("video").wait_for()
    assert viewer.locator("video").evaluate("video => video.muted")
    viewer.locator("video").wait_for(state="detached")
    assert button.get_attribute("aria-pressed") == "false"
    viewer.locator("img.large").wait_for()


def test_a_video_that_the_browser_cannot_play_says_so(wide: Any) -> None:
    viewer = open_tile(wide, "d.mp4")
    viewer.get_by_text("play this video. Download it").wait_for()
    viewer.locator("img.large").wait_for()
    assert not viewer.get_by_role("button", name="Play motion photo").is_visible()
