"""For everybody: with a keyboard, a screen reader, a phone, in the dark; and nothing jumps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from in_browser import watched_page
from optional import needs_chromium
from served import Served

pytestmark = needs_chromium


def serious(page: Any) -> list[str]:
    """What axe-core finds on the page that keeps somebody from using it."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        f"{found['id']}: {[node['html'][:120] for node in found['nodes']]}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]


def through_all_pages(page: Any) -> Iterator[str]:
    yield "start"
    page.get_by_label("Describe a photo").fill("a cat after:2017 -dog")
    page.locator(".chip").first.wait_for()
    yield "search"
    page.locator("#results .tile").first.click()
    page.locator(".details dl").wait_for()
    yield "photo"
    page.get_by_role("button", name="Why this photo?").click()
    page.get_by_role("button", name="Show where").wait_for()
    yield "why"
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Browse").click()
    page.locator("#browse .tile").first.wait_for()
    yield "timeline"
    page.get_by_role("button", name="Cameras").click()
    page.locator(".cards li").first.wait_for()
    yield "cameras"
    page.get_by_role("button", name="Duplicates").click()
    page.get_by_label("Also photos that only look the same").check()
    page.locator(".groups li").first.wait_for()
    yield "duplicates"
    page.get_by_role("tab", name="Library").click()
    page.locator(".models li").first.wait_for()
    yield "library"
    page.get_by_text("Models to download").click()
    page.get_by_role("button", name="Download MobileCLIP-S0").click()
    page.get_by_role("dialog").wait_for()
    yield "licence"
    page.keyboard.press("Escape")
    yield "models"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, server: Served, theme: str) -> None:
    with watched_page(browser, server, color_scheme=theme) as page:
        assert {where: found for where in through_all_pages(page) if (found := serious(page))} == {}


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Any, server: Served) -> None:
    screen = {"width": 390, "height": 844}
    with watched_page(browser, server, viewport=screen, has_touch=True) as page:
        for where in through_all_pages(page):
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, where


def test_nothing_jumps_when_photos_load(browser: Any, server: Served) -> None:
    with watched_page(browser, server) as page:
        page.add_init_script(
            """window.shifts = [];
            new PerformanceObserver(list => {
                for (const entry of list.getEntries())
                    if (!entry.hadRecentInput) window.shifts.push(entry.value);
            }).observe({ type: "layout-shift", buffered: true });"""
        )
        page.reload()
        page.wait_for_selector("body.ready")
        page.wait_for_function(
            "[...document.querySelectorAll('#results img')].some(one => one.naturalWidth)"
        )
        page.wait_for_load_state("networkidle")
        # What a browser calls good is below 0.1.
        assert page.evaluate("window.shifts.reduce((sum, one) => sum + one, 0)") < 0.1


def test_all_is_done_with_the_keyboard_alone(browser: Any, server: Served) -> None:
    def focused(what: str) -> str:
        return str(page.evaluate(f"document.activeElement.{what}"))

    with watched_page(browser, server) as page:
        page.keyboard.press("/")
        page.keyboard.type("an animal")
        page.wait_for_selector("#place-results:not([aria-busy]) .tools:not([hidden])")
        page.keyboard.press("ArrowDown")
        first = focused("title")
        page.keyboard.press("End")
        assert focused("title") != first
        page.keyboard.press("Home")
        assert focused("title") == first
        page.keyboard.press("Enter")
        page.get_by_role("dialog", name="Photo").wait_for()
        # The focus stays in the dialog.
        for _ in range(12):
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body || "
                "!!document.activeElement.closest('dialog')"
            )
        page.keyboard.press("Escape")
        page.get_by_role("dialog", name="Photo").wait_for(state="hidden")
        assert focused("title") == first
        page.keyboard.press("x")
        page.get_by_text("1 selected").wait_for()
        page.keyboard.press("Escape")
        page.get_by_text("1 selected").wait_for(state="hidden")
