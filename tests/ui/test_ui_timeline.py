"""The timeline of a library with some thousand photos, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from in_browser import photo_dialog, reload, shows, watched_page
from optional import needs_chromium
from served import Served, served_here

from benchmarks.life import make_life
from index import Catalogue, FileStamp, Metadata, NewPhoto, Place
from photosearch.encoders import open_encoder

pytestmark = [needs_chromium, pytest.mark.slow]

PHOTOS = 3000
PLACE = "#place-browse"
# The photos in sight are there, and so are their pictures' tiles.
_DRAWN = """() => {
    const seen = [...document.querySelectorAll(".days li")].filter((tile) => {
        const { top, bottom } = tile.getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
    });
    return seen.length > 0 && seen.every((tile) => tile.querySelector(".tile"));
}"""
# The place of the first photo whose top is in sight, and where that is.
_FIRST = """() => {
    const tiles = [...document.querySelectorAll(".days li")];
    const first = tiles.find((tile) => tile.getBoundingClientRect().top >= 0);
    return [first.dataset.id, Math.round(first.getBoundingClientRect().top)];
}"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    folder = tmp_path_factory.mktemp("life") / "library"
    make_life(folder, PHOTOS, open_encoder(tiny_bundle))
    return folder


@pytest.fixture(scope="module")
def server(library: Path, tiny_bundle: Path) -> Iterator[Served]:
    with served_here(library, tiny_bundle) as server:
        yield server


def opened(page: Any) -> Any:
    page.get_by_role("tab", name="Browse").click()
    shows(page, PLACE, "month")
    drawn(page)
    return page


@pytest.fixture
def page(browser: Any, server: Served) -> Iterator[Any]:
    # No photo is there as a file, so that none can be shown large.
    absent = "Failed to load resource: the server responded with a status of 404"
    with watched_page(browser, server, expected=(absent,)) as page:
        yield opened(page)


def drawn(page: Any) -> None:
    page.wait_for_function(_DRAWN)


def at_month(page: Any, month: str) -> None:
    page.wait_for_selector(f".timeline[data-month='{month}']")
    drawn(page)


def texts(page: Any, what: str) -> list[str]:
    return list(page.locator(f"#browse {what}").all_text_contents())


def months(server: Served) -> list[str]:
    """All months, the newest first, and "" for photos without a date."""
    return list(dict.fromkeys(day[:7] for day, *_ in server.ask("/api/days").json["days"]))


def test_days_stand_below_their_months_and_trips(page: Any, server: Served) -> None:
    day, _, city, _ = server.ask("/api/days").json["days"][0]
    assert day.startswith("2004-08")
    assert texts(page, "h2.month")[0] == "August 2004"
    assert texts(page, "h3.trip")[0].endswith(" August 2004")
    assert texts(page, "h4.when")[0] == f"Thu 12 Aug · {city}"


def test_the_scrubber_goes_to_a_month_and_from_there_both_ways(page: Any, server: Served) -> None:
    every = months(server)
    middle = len(every) // 2
    scrubber = page.get_by_role("slider", name="Go to a date")
    scrubber.focus()
    for _ in range(middle):
        page.keyboard.press("ArrowDown")
    at_month(page, every[middle])
    assert scrubber.get_attribute("aria-valuetext").endswith(" photos")
    assert int(scrubber.get_attribute("aria-valuenow")) == len(every) - 1 - middle
    # Upwards: what was in sight moves by just as much as was scrolled.
    photo, top = page.evaluate(_FIRST)
    for _ in range(8):
        page.evaluate("scrollBy(0, -300)")
        drawn(page)
    page.wait_for_selector(f".timeline[data-month='{every[middle - 1]}']")
    page.evaluate("scrollBy(0, 2400)")
    at_month(page, every[middle])
    assert page.evaluate(_FIRST) == [photo, top]
    # And downwards, to the last ones.
    page.keyboard.press("End")
    at_month(page, "")
    assert texts(page, "h2.month")[-1] == "No date"


def test_no_press_of_a_key_is_lost_however_quick_they_are(page: Any, server: Served) -> None:
    scrubber = page.get_by_role("slider", name="Go to a date")
    scrubber.evaluate(
        """(slider) => {
            for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"])
                slider.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        }"""
    )
    at_month(page, months(server)[3])


def test_the_scrubber_is_dragged(page: Any, server: Served) -> None:
    box = page.get_by_role("slider", name="Go to a date").bounding_box()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] / 2, steps=4)
    label = page.locator(".scrubber .label")
    assert label.is_visible()
    said = label.text_content()
    page.mouse.up()
    drawn(page)
    here = page.locator(".timeline").get_attribute("data-month")
    assert here in months(server)[1:-1]
    assert said.startswith(
        page.get_by_label("Go to month")
        .locator(f"option[data-month='{here}']")
        .text_content()
        .split(" (")[0]
    )


def test_only_what_is_near_the_screen_is_in_the_page(page: Any) -> None:
    for _ in range(8):
        page.evaluate("scrollBy(0, 1500)")
        drawn(page)
        assert page.locator("#browse li").count() < 200


def test_a_month_is_chosen_from_the_list(page: Any, server: Served) -> None:
    wanted = months(server)[3]
    chosen = page.get_by_label("Go to month").locator(f"option[data-month='{wanted}']")
    page.get_by_label("Go to month").select_option(label=chosen.text_content())
    at_month(page, wanted)
    assert page.locator("h2.month").first.text_content() == chosen.text_content().split(" (")[0]


def test_the_size_of_photos_is_kept_and_what_is_seen_stays(page: Any) -> None:
    slider = page.get_by_role("slider", name="Photo size")
    slider.fill("3")
    page.evaluate("scrollTo(0, 9000)")
    drawn(page)
    before = page.evaluate(_FIRST)[0]
    tile = page.locator(f"#browse li[data-id='{before}']")
    height = tile.bounding_box()["height"]
    tile.get_by_role("button").first.focus()
    page.keyboard.press("+")
    drawn(page)
    after = page.locator(f"#browse li[data-id='{before}']").bounding_box()
    assert after["height"] > 1.1 * height
    assert -height < after["y"] < 800
    reload(page)
    opened(page)
    assert slider.input_value() == "4"
    page.locator("#browse .tile").first.focus()
    page.keyboard.press("-")
    assert slider.input_value() == "3"


def test_videos_raw_files_bursts_and_panoramas_say_so(page: Any) -> None:
    seen: set[str] = set()
    for _ in range(12):
        drawn(page)
        kinds = "all => all.map(one => one.dataset.kind)"
        seen |= set(page.locator("#browse .badge").evaluate_all(kinds))
        page.evaluate("scrollBy(0, 1500)")
    assert seen == {"video", "raw", "burst", "panorama"}
    assert page.get_by_role("img", name="RAW file").count()


def test_the_viewer_goes_on_where_nothing_is_loaded_yet(page: Any, server: Served) -> None:
    every = months(server)
    page.get_by_role("slider", name="Go to a date").focus()
    for _ in range(len(every) // 2):
        page.keyboard.press("ArrowDown")
    at_month(page, every[len(every) // 2])
    page.locator("h2.month:text('2004') ~ ul .tile").first.click()
    viewer = photo_dialog(page)
    names = [viewer.get_by_role("heading", level=2).text_content()]
    for _ in range(45):
        page.keyboard.press("ArrowLeft")
        number = f"IMG_{int(names[-1][4:11]) + 1:07}.jpg"
        photo_dialog(page, number)
        names.append(number)
    page.keyboard.press("Escape")
    viewer.wait_for(state="hidden")
    # It comes back to the photo that was seen last.
    page.wait_for_function("name => document.activeElement.title === name", arg=names[-1])


def test_a_range_is_selected_through_days_that_are_not_drawn(page: Any, server: Served) -> None:
    page.locator("#browse .tile").first.focus()
    page.keyboard.press("x")
    page.get_by_role("slider", name="Go to a date").focus()
    page.keyboard.press("End")
    at_month(page, "")
    last = page.locator("#browse h2.month:text('No date') ~ ul .tile").first
    last.focus()
    page.keyboard.press("Shift+X")
    undated = server.ask("/api/days").json["days"][-1][1]
    page.get_by_text(f"{PHOTOS - undated + 1:,} selected").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    at_month(page, months(server)[0])
    # And a day, by its heading.
    first = page.locator(".days .head").first
    first.hover()
    first.get_by_role("button", name="Select all photos of").click()
    day = server.ask("/api/days").json["days"][0]
    page.get_by_text(f"{day[1]} selected").wait_for()
    assert page.locator("#browse li.chosen").count() > 3
    first.get_by_role("button", name="Select all photos of").click()
    assert page.locator("#browse li.chosen").count() == 0


def test_arrows_go_from_photo_to_photo(page: Any) -> None:
    tiles = page.locator("#browse .tile")
    tiles.first.focus()
    first = tiles.first.get_attribute("title")
    box = tiles.first.bounding_box()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("name => document.activeElement.title !== name", arg=first)
    below = page.locator(":focus").bounding_box()
    assert below["y"] > box["y"]
    page.keyboard.press("ArrowUp")
    page.wait_for_function("name => document.activeElement.title === name", arg=first)
    page.keyboard.press("End")
    page.wait_for_function("name => document.activeElement.title === name", arg="IMG_0000000.jpg")
    page.keyboard.press("Home")
    page.wait_for_function("name => document.activeElement.title === name", arg=first)


@pytest.mark.parametrize("width", [390, 820])
def test_on_smaller_screens(browser: Any, server: Served, width: int) -> None:
    options = {"viewport": {"width": width, "height": 844}, "has_touch": True}
    with watched_page(browser, server, is_mobile=width < 600, **options) as page:
        opened(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        thumb = page.locator(".scrubber .thumb")
        before = thumb.bounding_box()
        if width < 600:
            assert before["width"] >= 40
        page.evaluate("scrollTo(0, 5000)")
        drawn(page)
        assert thumb.bounding_box()["y"] > before["y"]
        boxes = page.locator("#browse li").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect()).map(one => [one.left, one.right])"
        )
        assert all(left >= 0 and right <= width for left, right in boxes)


def test_what_comes_leaves_what_is_seen_where_it_is(
    page: Any, library: Path, tiny_bundle: Path
) -> None:
    """A run of another process records photos of the newest day; the page looks for them."""
    page.evaluate("scrollTo(0, 9000)")
    drawn(page)
    page.locator("#browse .tile").nth(30).focus(timeout=5000)
    focused = page.evaluate("document.activeElement.title")
    before = page.evaluate(_FIRST)
    encoder = open_encoder(tiny_bundle)
    taken = Metadata("2031-01-01T10:00:00", place=Place("Oslo", "Oslo", "Norway"))
    new = [
        NewPhoto(
            f"/photos/new {number}.jpg",
            FileStamp(1, 1),
            4,
            3,
            "JPEG",
            bytes([0] * 30 + [7, number]),
            taken,
        )
        for number in range(9)
    ]
    with Catalogue.open(library) as catalogue:
        catalogue.record(encoder.bundle_id, new, np.ones((9, encoder.dim), np.float32))
        page.evaluate("dispatchEvent(new Event('focus'))")
        page.wait_for_selector("#browse option[data-month='2031-01']", state="attached")
        assert page.evaluate(_FIRST) == before
        assert page.evaluate("document.activeElement.title") == focused
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_selector("h2.month:text('January 2031')")
        catalogue.mark_missing([photo.path for photo in new])
        page.evaluate("dispatchEvent(new Event('focus'))")
        page.wait_for_selector("h2.month:text('January 2031')", state="detached")
