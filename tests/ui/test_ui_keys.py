"""What keys and fingers do, and the list of keys."""

from __future__ import annotations

from typing import Any

import pytest
from accessible import serious
from in_browser import ask, open_tile, photo_dialog, results_of, settled, watched_page
from optional import needs_chromium
from served import Served

pytestmark = needs_chromium


@pytest.mark.parametrize(
    ("width", "theme", "locale"), [(1440, "light", "en-GB"), (390, "dark", "de-DE")]
)
def test_all_keys_are_listed(
    browser: Any, server: Served, width: int, theme: str, locale: str
) -> None:
    screen = {"width": width, "height": 844}
    options = {"viewport": screen, "color_scheme": theme, "locale": locale}
    with watched_page(browser, server, reduced_motion="reduce", **options) as page:
        # A question mark that is typed is one.
        page.locator("#query input, #query textarea").first.focus()
        page.keyboard.type("?")
        assert not page.get_by_role("dialog").is_visible()
        page.keyboard.press("Escape")
        results_of(page, "")
        page.locator("#results .tile").first.focus()
        page.keyboard.press("?")
        dialog = page.locator("dialog.keys[open]")
        dialog.wait_for()
        assert dialog.locator("section").count() == 4
        assert "undefined" not in dialog.text_content()
        assert "keys." not in dialog.text_content()
        for one in (dialog, dialog.locator(".lists")):
            assert one.evaluate("one => one.scrollWidth <= one.clientWidth")
        assert serious(page) == []
        assert page.evaluate("document.getAnimations().length") == 0
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
        # The focus is where it was.
        assert page.evaluate("document.activeElement.className") == "tile"


def test_photos_are_gone_through_and_selected(page: Any) -> None:
    def selected() -> list[str]:
        chosen = page.locator("#results li.chosen .tile")
        return list(chosen.evaluate_all("all => all.map(one => one.title)"))

    names = ask(page, "after:2010")
    page.wait_for_function("() => document.querySelectorAll('#results .tile').length > 10")
    page.evaluate("document.activeElement.blur()")
    # Without a focus, an arrow gives one.
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.title") == names[0]
    page.keyboard.press("Space")
    assert selected() == names[:1]
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert selected() == names[:3]
    page.keyboard.press("Shift+ArrowLeft")
    assert selected() == names[:2]
    assert page.evaluate("document.activeElement.title") == names[1]
    # Enter opens, whatever is selected.
    page.keyboard.press("Enter")
    photo_dialog(page, names[1])
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Photo").wait_for(state="hidden")
    assert selected() == names[:2]
    page.keyboard.press("Escape")
    assert selected() == []

    tile = page.locator("#results .tile")
    tile.nth(1).click(modifiers=["Shift"])
    tile.nth(4).click(modifiers=["Shift"])
    assert selected() == names[1:5]
    page.keyboard.press("Escape")
    tile.nth(2).click(modifiers=["Control"])
    assert selected() == names[2:3]
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+a")
    assert len(selected()) == tile.count()
    page.keyboard.press("Escape")
    # In the box they are letters.
    page.keyboard.press("/")
    page.keyboard.press("Control+a")
    page.keyboard.type("x l?")
    results_of(page, "x l?")
    assert selected() == []


def test_the_keys_of_an_open_photo(page: Any, server: Served) -> None:
    first, second = ask(page, "a cat")[:2]
    viewer = open_tile(page, first)
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement?.className === 'whole'")
    page.keyboard.press("f")
    page.wait_for_function("() => !document.fullscreenElement")
    details = page.locator(".viewer .details")
    page.keyboard.press("i")
    details.wait_for(state="hidden")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("name => document.title.startsWith(name)", arg=second)
    assert not details.is_visible()
    page.keyboard.press("i")
    photo_dialog(page, second)
    for key, pressed in (("l", "true"), (".", "false")):
        page.keyboard.press(key)
        viewer.locator(f".heart-button[aria-pressed={pressed}]").wait_for()
    # It lies over the search box.
    page.keyboard.press("/")
    assert viewer.is_visible()
    page.keyboard.press("?")
    page.locator("dialog.keys[open]").wait_for()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    page.locator("dialog.keys").wait_for(state="detached")
    assert page.title().startswith(second)


def test_a_swipe_goes_to_the_next_photo(browser: Any, server: Served) -> None:
    screen = {"width": 390, "height": 844}
    with watched_page(browser, server, viewport=screen, has_touch=True, is_mobile=True) as page:
        first, second = results_of(page, "")[:2]
        settled(page)
        page.locator("#results .tile").first.tap()
        photo_dialog(page, first)
        entries = page.evaluate("history.length")
        finger = page.context.new_cdp_session(page)

        def touch(kind: str, *at: float) -> None:
            points = [{"x": at[0], "y": 200}] if at else []
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        for start, end, name in ((320, 80, second), (80, 320, first)):
            touch("touchStart", start)
            touch("touchMove", (start + end) / 2)
            touch("touchMove", end)
            touch("touchEnd")
            photo_dialog(page, name)
        assert page.evaluate("history.length") == entries
        page.go_back()
        page.get_by_role("dialog", name="Photo").wait_for(state="hidden")
