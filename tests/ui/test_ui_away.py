"""The page while its server is away: it says so, keeps what was asked, and goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from in_browser import (
    REFUSED,
    ask,
    open_tile,
    results_of,
    settled,
    shows,
    watched_page,
)
from optional import needs_chromium
from served import Served, served_here

pytestmark = needs_chromium


class Restarted:
    """A server that goes, and comes back where it was; another one than before."""

    def __init__(self, stack: ExitStack, library: Path) -> None:
        self._stack, self._library = stack, library
        self.server: Served = stack.enter_context(served_here(library))

    def go(self) -> None:
        self._stack.close()

    def come_back(self) -> None:
        self._stack.enter_context(served_here(self._library, port=self.server.port))


@pytest.fixture
def restarted(family: Path) -> Iterator[Restarted]:
    with ExitStack() as stack:
        yield Restarted(stack, family / "library")


@pytest.fixture
def page(browser: Any, restarted: Restarted) -> Iterator[Any]:
    gone = "Failed to load resource: net::ERR_"
    with watched_page(browser, restarted.server, expected=(gone, REFUSED)) as page:
        yield page


def away(page: Any) -> Any:
    return page.get_by_role("status").filter(has_text="This page reconnects")


def test_what_is_asked_while_the_server_is_away_is_answered_when_it_is_back(
    page: Any, restarted: Restarted
) -> None:
    before = ask(page, "a cat")
    asked = page.locator("#place-results").get_attribute("data-shows")
    restarted.go()
    page.get_by_label("Describe a photo").fill("a cup of coffee")
    away(page).wait_for()
    page.wait_for_function(
        "() => getComputedStyle(document.querySelector('#results .stale')).opacity < 1"
    )
    assert page.locator("#place-results").get_attribute("data-shows") == asked
    page.locator(f"#results .tile[title='{before[0]}']").click()
    assert not page.get_by_role("dialog", name="Photo").is_visible()
    # The other pages wait as well.
    page.get_by_role("tab", name="Browse").click()
    page.get_by_role("button", name="Cameras").click()
    page.locator("#place-browse[aria-busy]").wait_for()
    assert away(page).is_visible()

    restarted.come_back()
    away(page).wait_for(state="detached")
    shows(page, "#place-browse", "camera")
    page.get_by_role("button", name="Pixel 6").wait_for()
    page.get_by_role("tab", name="Search").click()
    assert results_of(page, "a cup of coffee")[0] == "coffee.jpg"
    assert page.locator("#results .stale").count() == 0


def test_an_open_photo_says_it_and_an_order_is_not_kept(page: Any, restarted: Restarted) -> None:
    ask(page, "a cat")
    viewer = open_tile(page, "chelsea.jpg")
    restarted.go()
    page.keyboard.press("l")
    page.get_by_text("Is it still running?").wait_for()
    viewer.get_by_role("status").filter(has_text="This page reconnects").wait_for()
    restarted.come_back()
    away(page).wait_for(state="detached")
    assert viewer.locator(".heart-button").get_attribute("aria-pressed") == "false"
    page.keyboard.press("l")
    page.wait_for_selector(".heart-button[aria-pressed=true]")
    page.keyboard.press("l")
    page.wait_for_selector(".heart-button[aria-pressed=false]")


def test_pictures_that_did_not_come_are_drawn_when_the_server_is_back(
    page: Any, restarted: Restarted
) -> None:
    page.route("**/api/thumbnail/*", lambda route: route.abort("connectionfailed"))
    ask(page, "a cup of coffee")
    page.locator("#results .tile.broken").first.wait_for()
    restarted.go()
    page.unroute("**/api/thumbnail/*")
    page.get_by_label("Describe a photo").fill("a coffee cup")
    away(page).wait_for()
    restarted.come_back()
    results_of(page, "a coffee cup")
    settled(page)
    assert page.locator("#results .tile.broken").count() == 0


def test_a_picture_to_search_by_is_handed_to_the_new_server(
    page: Any, restarted: Restarted, family: Path
) -> None:
    page.locator("input[type=file]").set_input_files(family / "photos" / "2023" / "chelsea.jpg")
    before = results_of(page, "", picture=True)
    restarted.go()
    page.get_by_label("Sort by").select_option("oldest")
    away(page).wait_for()
    restarted.come_back()
    assert set(results_of(page, "", picture=True, sort="oldest")) == set(before)
    assert page.locator("#place-results > .warning").text_content() == ""


def test_what_goes_wrong_is_said_as_long_as_it_is_asked_for(
    browser: Any, restarted: Restarted
) -> None:
    expected = ("Failed to load resource: the server responded with a status of",)
    with watched_page(browser, restarted.server, expected=expected) as page:
        fault = {"status": 500, "json": {"error": "the catalogue is damaged"}}
        page.route("**/api/search?*", lambda route: route.fulfill(**fault))
        page.get_by_label("Describe a photo").fill("a cat")
        page.locator("#place-results > .warning").get_by_text("catalogue is damaged").wait_for()
        assert page.locator("#results .stale").count() > 0
        page.unroute("**/api/search?*")
        ask(page, "a dog")
        assert page.locator("#place-results > .warning").text_content() == ""

        page.get_by_label("Describe a photo").fill("photo:99999")
        page.locator("#place-results > .warning").get_by_text("99999").wait_for()

        page.route("**/api/groups?*", lambda route: route.fulfill(**fault))
        page.get_by_role("tab", name="Browse").click()
        page.get_by_role("button", name="Cameras").click()
        page.locator("#place-browse > .warning").get_by_text("catalogue is damaged").wait_for()
        page.unroute("**/api/groups?*")
        page.get_by_role("button", name="Places").click()
        shows(page, "#place-browse", "place")
        assert page.locator("#place-browse > .warning").text_content() == ""

        page.route("**/api/duplicates?*", lambda route: route.fulfill(**fault))
        page.get_by_role("button", name="Duplicates").click()
        page.locator(".duplicates .warning").get_by_text("catalogue is damaged").wait_for()

        page.route("**/api/photo/*", lambda route: route.fulfill(**fault))
        page.get_by_role("button", name="Timeline").click()
        shows(page, "#place-browse", "month")
        page.locator("#browse .tile").first.click()
        viewer = page.get_by_role("dialog", name="Photo")
        viewer.get_by_role("alert").get_by_text("catalogue is damaged").wait_for()
