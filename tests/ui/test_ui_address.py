"""What the page shows is in its address: going back and forth, a refresh, a second tab, a link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_browser import (
    CHROMIUM,
    FLAGS,
    ask,
    open_tile,
    photo_dialog,
    ready,
    reload,
    results_of,
    shows,
    watched_page,
)
from optional import needs_chromium
from PIL import ExifTags, Image
from served import Served, served_here

from photosearch import Library

pytestmark = needs_chromium

BROWSE = "#place-browse"


def box(page: Any) -> Any:
    return page.get_by_label("Describe a photo")


def at(page: Any, address: str) -> None:
    """The page says that it is there."""
    page.wait_for_function("address => location.search === address", arg=address)


def entries(page: Any) -> int:
    return int(page.evaluate("history.length"))


def closed(page: Any) -> None:
    page.get_by_role("dialog", name="Photo").wait_for(state="hidden")


def test_back_closes_the_photo_and_then_goes_through_the_searches(page: Any) -> None:
    first = ask(page, "a cat")[0]
    box(page).press("Enter")
    assert page.title() == "a cat · photosearch"
    second = ask(page, "the moon")[0]
    box(page).press("Enter")
    at(page, "?q=the+moon")
    open_tile(page, second)
    assert page.title() == f"{second} · photosearch"
    assert "&photo=" in page.url

    page.go_back()
    closed(page)
    at(page, "?q=the+moon")
    assert results_of(page, "the moon")[0] == second
    page.go_back()
    assert results_of(page, "a cat")[0] == first
    assert box(page).input_value() == "a cat"
    page.go_back()
    results_of(page, "")
    assert box(page).input_value() == ""
    assert page.title() == "photosearch"

    for _ in range(3):
        page.go_forward()
    photo_dialog(page, second)
    assert page.title() == f"{second} · photosearch"


def test_however_a_photo_is_closed_the_history_is_the_same(page: Any) -> None:
    first = ask(page, "an animal")[0]
    box(page).press("Enter")
    before = entries(page)
    for close in ("Escape", "button", "back"):
        open_tile(page, first)
        # From one photo to the next is no way to come back.
        page.keyboard.press("ArrowRight")
        page.wait_for_function("name => !document.title.startsWith(name)", arg=first)
        assert entries(page) == before + 1
        if close == "Escape":
            page.keyboard.press("Escape")
        elif close == "button":
            page.get_by_role("dialog", name="Photo").get_by_role("button", name="Close").click()
        else:
            page.go_back()
        closed(page)
        at(page, "?q=an+animal")
        assert entries(page) == before + 1
        assert page.title() == "an animal · photosearch"


def test_what_is_typed_is_one_entry_and_a_pause_ends_it(page: Any) -> None:
    before = entries(page)
    page.keyboard.press("/")
    page.keyboard.type("a cat")
    results_of(page, "a cat")
    at(page, "?q=a+cat")
    assert entries(page) == before + 1
    # Then it is one to come back to.
    page.wait_for_function("() => history.state.entry.settled")
    page.keyboard.type(" asleep")
    results_of(page, "a cat asleep")
    at(page, "?q=a+cat+asleep")
    assert entries(page) == before + 2
    page.go_back()
    results_of(page, "a cat")


def test_similar_photos_lead_back_to_the_open_one(page: Any) -> None:
    first = ask(page, "a cat")[0]
    box(page).press("Enter")
    viewer = open_tile(page, first)
    viewer.get_by_role("button", name="Similar photos").click()
    page.wait_for_function("() => location.search.startsWith('?q=photo%3A')")
    closed(page)
    page.go_back()
    photo_dialog(page, first)
    page.go_back()
    closed(page)
    at(page, "?q=a+cat")
    assert results_of(page, "a cat")[0] == first


def test_tabs_and_groups_are_gone_back_through(page: Any) -> None:
    page.get_by_role("tab", name="Browse").click()
    shows(page, BROWSE, "month")
    at(page, "?browse=month")
    page.get_by_role("button", name="Cameras").click()
    shows(page, BROWSE, "camera")
    page.get_by_role("button", name="Pixel 6").click()
    shows(page, BROWSE, "camera:Pixel 6")
    at(page, "?browse=camera&of=Pixel+6")
    assert page.title() == "Pixel 6 · photosearch"
    inside = entries(page)
    page.get_by_role("tab", name="Library").click()
    at(page, "?tab=library")
    assert page.title() == "Library · photosearch"

    page.go_back()
    shows(page, BROWSE, "camera:Pixel 6")
    assert page.get_by_role("tab", name="Browse").get_attribute("aria-selected") == "true"
    # The page's own way back is the browser's.
    page.get_by_role("button", name="Back").click()
    shows(page, BROWSE, "camera")
    at(page, "?browse=camera")
    assert entries(page) == inside + 1
    page.go_back()
    shows(page, BROWSE, "month")
    page.go_back()
    page.wait_for_function("() => !location.search")
    results_of(page, "")
    page.locator("#results .tile").first.wait_for()


def visible(page: Any) -> tuple[str, list[str], str]:
    """What is seen: the address, the photos of the tab that is open, and the photo above them."""
    shown = page.locator("#results .tile, #browse .tile, #browse .group strong")
    names = shown.evaluate_all(
        """all => all.filter(one => one.checkVisibility())
            .map(one => one.title || one.textContent)"""
    )
    viewer = page.locator(".viewer[open] h2")
    return page.url, names, viewer.text_content() if viewer.count() else ""


def test_a_refresh_and_a_second_tab_show_the_same(browser: Any, server: Served) -> None:
    (moon,) = (
        hit["id"] for hit in server.ask("/api/newest").json["hits"] if hit["name"] == "moon.jpg"
    )
    with watched_page(browser, server) as page:
        second = page.context.new_page()
        for address, part, question in (
            ("?q=camera%3Anikon&sort=oldest&stack=no", "", ""),
            (f"?q=the+moon&all=yes&photo={moon}", "", ""),
            (f"?browse=camera&of=NIKON+D750&photo={moon}", BROWSE, "camera:NIKON D750"),
            ("?browse=duplicates&near=yes", ".duplicates", "near"),
        ):
            seen = []
            for one in (page, page, second):
                if seen and one is page:
                    reload(page)
                else:
                    one.goto(server.url + address)
                    ready(one)
                if part:
                    shows(one, part, question)
                if f"photo={moon}" in address:
                    photo_dialog(one, "moon.jpg")
                seen.append(visible(one))
            assert seen[0] == seen[1] == seen[2], address
            assert seen[0][0].endswith(address)
            assert seen[0][1] or part == ".duplicates"


def test_a_photo_whose_list_is_not_known_is_shown_alone(browser: Any, server: Served) -> None:
    found = server.ask("/api/search?q=camera:pixel&limit=1").json["hits"][0]
    # It is none of those that the address names.
    address = f"?q=camera%3Anikon&photo={found['id']}"
    with watched_page(browser, server, address=address) as page:
        viewer = photo_dialog(page, found["name"])
        assert not viewer.get_by_role("button", name="Next photo").is_visible()
        before = entries(page)
        page.keyboard.press("Escape")
        closed(page)
        at(page, "?q=camera%3Anikon")
        assert entries(page) == before


def test_what_is_gone_is_said_to_be_gone(browser: Any, server: Served) -> None:
    refused = "Failed to load resource: the server responded with a status of 404 (Not Found)"
    with watched_page(browser, server, expected=(refused,)) as page:
        for address, told, left in (
            ("?photo=987654321", "This photo is no longer in the library.", ""),
            ("?browse=album&of=987654321", "This album no longer exists.", "?browse=album"),
            ("?browse=camera&of=Box", "There are no photos here any more.", "?browse=camera"),
        ):
            page.goto(server.url + address)
            ready(page)
            page.get_by_role("alert").filter(has_text=told).wait_for()
            at(page, left)
            assert not page.get_by_role("dialog").is_visible()
        page.goto(f"{server.url}?browse=nothing&of=1&photo=abc&q=")
        ready(page)
        shows(page, BROWSE, "month")
        at(page, "?browse=month")


def test_an_address_of_before_still_leads_there(page: Any, server: Served) -> None:
    page.goto(f"{server.url}#q=the%20moon")
    ready(page)
    assert "moon.jpg" in results_of(page, "the moon")
    at(page, "?q=the+moon")
    page.evaluate("location.hash = 'q=a%20cat'")
    results_of(page, "a cat")
    at(page, "?q=a+cat")
    page.go_back()
    results_of(page, "the moon")


def test_a_search_by_picture_is_gone_back_to_in_this_tab_alone(page: Any, family: Path) -> None:
    page.locator("input[type=file]").set_input_files(family / "photos" / "2023" / "chelsea.jpg")
    found = results_of(page, "", picture=True)
    page.get_by_text("A search by picture has no link").wait_for()
    assert page.evaluate("location.search") == ""
    ask(page, "the moon", picture=True)
    page.go_back()
    assert results_of(page, "", picture=True) == found
    page.go_back()
    results_of(page, "")
    assert not page.get_by_alt_text("Your picture").is_visible()
    page.go_forward()
    assert results_of(page, "", picture=True) == found
    reload(page)
    assert results_of(page, "", picture=True) == found
    # When the server keeps it no longer, that is said.
    page.evaluate("history.replaceState({ ...history.state, picture: 'gone' }, '')")
    reload(page)
    page.get_by_role("alert").filter(has_text="the picture is not kept any more").wait_for()


def test_chromium_would_install_it_as_an_app(browser: Any, server: Served) -> None:
    # Only one with windows of its own installs anything.
    windowed = browser.browser_type.launch(executable_path=CHROMIUM, args=list(FLAGS))
    with watched_page(windowed, server, alone=True) as page:
        screen = page.context.new_cdp_session(page)
        told = screen.send("Page.getAppManifest")
        assert told["url"].endswith("/manifest.webmanifest")
        assert told["errors"] == []
        errors = screen.send("Page.getInstallabilityErrors")["installabilityErrors"]
    windowed.close()
    # As it is in tests; a user's window is another.
    assert [one["errorId"] for one in errors if one["errorId"] != "in-incognito"] == []


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[Served]:
    """A library of more photos than are asked for at once, ten a month."""
    place = tmp_path_factory.mktemp("many")
    for number in range(300):
        exif = Image.Exif()
        month = number // 10
        taken = f"{2000 + month // 12}:{month % 12 + 1:02}:{number % 10 + 1:02} 10:00:00"
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
        path = place / "photos" / f"{number:03}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (48, 32), (number % 256, number * 7 % 256, 90)).save(path, exif=exif)
    with Library.open(place / "library", model=tiny_bundle) as library:
        for _ in library.index([place / "photos"], workers=1):
            pass
    with served_here(place / "library", tiny_bundle) as server:
        yield server


IN_SIGHT = """() => [...document.querySelectorAll(".tile")].filter((tile) => {
    const { top, bottom } = tile.getBoundingClientRect();
    return tile.checkVisibility() && bottom > 0 && top < innerHeight;
}).map((tile) => tile.title)"""
FILLED = """() => ![...document.querySelectorAll("li:empty")].some((tile) => {
    const { top, bottom } = tile.getBoundingClientRect();
    return tile.checkVisibility() && bottom > 0 && top < innerHeight;
})"""
# Where the page has come to rest, and not where it was on the way there.
NOTED = """() => {
    const seen = (tile) => tile.checkVisibility() && tile.getBoundingClientRect().bottom > 0;
    const first = [...document.querySelectorAll("li[data-id]")].find(seen);
    const noted = history.state.entry.anchor;
    return noted?.id === Number(first?.dataset.id)
        && Math.abs(noted.top - first.getBoundingClientRect().top) < 2;
}"""


def scroll_to(page: Any, tab: str, name: str) -> list[str]:
    """Scroll down until this photo is there; the photos in sight then."""
    tile = page.locator(f"{tab} .tile[title='{name}']")
    while not tile.count():
        page.evaluate("scrollBy(0, 400)")
        page.evaluate("fetch('/manifest.webmanifest').then(answer => answer.json())")
    tile.evaluate("tile => tile.scrollIntoView({ block: 'center' })")
    page.wait_for_function(NOTED)
    page.wait_for_function(FILLED)
    return list(page.evaluate(IN_SIGHT))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "address", "tab", "name"),
    [
        (390, "?q=before%3A2010&sort=oldest&stack=no", "#results", "180.jpg"),
        (1440, "?browse=month", "#browse", "120.jpg"),
    ],
)
def test_the_place_in_a_long_list_is_found_again(
    browser: Any, many: Served, width: int, address: str, tab: str, name: str
) -> None:
    screen = {"width": width, "height": 800}
    with watched_page(browser, many, address=address, viewport=screen) as page:
        seen = scroll_to(page, tab, name)
        assert name in seen
        # That of a timeline has the month.
        address = page.evaluate("location.search")
        for leave in ("refresh", "tab", "photo"):
            if leave == "refresh":
                reload(page)
            elif leave == "tab":
                # Without scrolling up to it, as Playwright would.
                page.get_by_role("tab", name="Library").dispatch_event("click")
                at(page, "?tab=library")
                page.go_back()
            else:
                page.locator(f"{tab} .tile[title='{name}']").dispatch_event("click")
                photo_dialog(page, name)
                reload(page)
                photo_dialog(page, name)
                page.keyboard.press("Escape")
                closed(page)
            at(page, address)
            page.wait_for_function(f"seen => String(({IN_SIGHT})()) == String(seen)", arg=seen)


@pytest.mark.slow
def test_a_photo_that_is_opened_on_the_way_back_has_its_place(browser: Any, many: Served) -> None:
    """The list stands there already, while it is asked for anew."""
    question = "?q=before%3A2010&sort=oldest&stack=no"
    screen = {"width": 390, "height": 800}
    with watched_page(browser, many, address=question, viewport=screen) as page:
        scroll_to(page, "#results", "180.jpg")
        page.get_by_role("tab", name="Library").dispatch_event("click")
        at(page, "?tab=library")
        held: list[Any] = []
        page.route("**/api/search?*", lambda route: held.append(route), times=1)
        with page.expect_request("**/api/search?*"):
            page.go_back()
        pressed = page.locator("#results .tile[title='180.jpg']")
        pressed.evaluate("tile => tile.scrollIntoView({ block: 'center' })")
        seen = page.evaluate(IN_SIGHT)
        pressed.dispatch_event("click")
        photo_dialog(page, "180.jpg")
        held[0].continue_()
        at(page, f"{question}&photo={pressed.locator('..').get_attribute('data-id')}")
        reload(page)
        photo_dialog(page, "180.jpg")
        page.keyboard.press("Escape")
        closed(page)
        at(page, question)
        page.wait_for_function(f"seen => String(({IN_SIGHT})()) == String(seen)", arg=seen)


@pytest.mark.slow
def test_the_next_photo_is_waited_for_that_is_on_its_way(browser: Any, many: Served) -> None:
    question = "?q=before%3A2010&sort=oldest&stack=no"
    with watched_page(browser, many, address=question) as page:
        last = page.locator("#results .tile[title='059.jpg']")
        last.wait_for(state="attached")
        held: list[Any] = []
        page.route("**/api/search?*", lambda route: held.append(route), times=1)
        with page.expect_request("**/api/search?*&offset=60&*"):
            last.evaluate("tile => tile.scrollIntoView()")
        last.dispatch_event("click")
        photo_dialog(page, "059.jpg")
        page.keyboard.press("ArrowRight")
        page.evaluate("0")
        held[0].continue_()
        photo_dialog(page, "060.jpg")


@pytest.mark.slow
def test_a_month_has_an_address(browser: Any, many: Served) -> None:
    with watched_page(browser, many, address="?browse=month&month=2001-03") as page:
        page.wait_for_selector(".timeline[data-month='2001-03']")
        page.get_by_label("Go to month").select_option(label="May 2000 (10)")
        at(page, "?browse=month&month=2000-05")
        page.go_back()
        page.wait_for_selector(".timeline[data-month='2001-03']")
        # In one without photos the next before it begins.
        page.goto(f"{many.url}?browse=month&month=2031-01")
        ready(page)
        page.wait_for_selector(".timeline[data-month='2002-06']")
        at(page, "?browse=month&month=2002-06")
