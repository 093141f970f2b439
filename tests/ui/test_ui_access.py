"""For everybody: with a keyboard, a screen reader, a phone, in the dark; and nothing jumps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from accessible import serious_in_both_themes
from in_browser import (
    ask,
    open_tile,
    photo_dialog,
    reload,
    results_of,
    settled,
    shows,
    watched_page,
)
from optional import needs_chromium
from served import Served

pytestmark = needs_chromium


def through_all_pages(page: Any) -> Iterator[str]:
    yield "start"
    first = ask(page, "a cat after:2017 -dog")[0]
    yield "search"
    open_tile(page, first)
    yield "photo"
    page.get_by_role("button", name="Why this photo?").click()
    page.get_by_role("button", name="Show where").wait_for()
    yield "why"
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Browse").click()
    shows(page, "#place-browse", "month")
    yield "timeline"
    page.get_by_role("button", name="Cameras").click()
    shows(page, "#place-browse", "camera")
    yield "cameras"
    page.get_by_role("button", name="Duplicates").click()
    shows(page, "#place-browse", "duplicates")
    page.get_by_label("Include near-duplicates").check()
    shows(page, ".duplicates", "near").wait_for()
    page.get_by_role("heading", name="Near-duplicates (").wait_for()
    yield "duplicates"
    page.get_by_role("tab", name="Library").click()
    shows(page, "#place-library", "library")
    yield "library"
    shows(page, "#library .best", "offers")
    page.get_by_text("More models").click()
    page.get_by_role("button", name="Download MobileCLIP-S0", exact=True).click()
    page.get_by_role("dialog").wait_for()
    yield "licence"
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    yield "models"


def test_axe_finds_nothing_serious(page: Any) -> None:
    found = {where: serious_in_both_themes(page) for where in through_all_pages(page)}
    assert {where: what for where, what in found.items() if what} == {}


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Any, server: Served) -> None:
    screen = {"width": 390, "height": 844}
    with watched_page(browser, server, viewport=screen, has_touch=True) as page:
        for where in through_all_pages(page):
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, where


def test_nothing_jumps_when_photos_load(browser: Any, server: Served) -> None:
    with watched_page(browser, server) as page:
        page.add_init_script(
            """window.shifts = [];
            window.noted = list => {
                for (const entry of list)
                    if (!entry.hadRecentInput) window.shifts.push(entry.value);
            };
            window.watching = new PerformanceObserver(list => window.noted(list.getEntries()));
            window.watching.observe({ type: "layout-shift", buffered: true });"""
        )
        reload(page)
        assert results_of(page, "")
        shows(page, ".examples", "examples")
        settled(page)
        # A shift is noted when it has been drawn, and told of a little later.
        shifts = page.evaluate(
            """async () => {
                for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
                window.noted(window.watching.takeRecords());
                return window.shifts.reduce((sum, one) => sum + one, 0);
            }"""
        )
        # What a browser calls good is below 0.1.
        assert shifts < 0.1


def test_all_is_done_with_the_keyboard_alone(browser: Any, server: Served) -> None:
    def focused(what: str) -> str:
        return str(page.evaluate(f"document.activeElement.{what}"))

    with watched_page(browser, server) as page:
        page.keyboard.press("/")
        page.keyboard.type("an animal")
        results_of(page, "an animal")
        # Closes the suggestions, if there are any.
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowDown")
        first = focused("title")
        page.keyboard.press("End")
        assert focused("title") != first
        page.keyboard.press("Home")
        assert focused("title") == first
        page.keyboard.press("Enter")
        photo_dialog(page, first)
        # The focus stays in the dialog.
        for _ in range(12):
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body || "
                "!!document.activeElement.closest('dialog')"
            )
        page.keyboard.press("Escape")
        page.get_by_role("dialog", name="Photo").wait_for(state="hidden")
        page.wait_for_function("first => document.activeElement.title == first", arg=first)
        page.keyboard.press("x")
        page.get_by_text("1 selected").wait_for()
        page.keyboard.press("Escape")
        page.get_by_text("1 selected").wait_for(state="hidden")
