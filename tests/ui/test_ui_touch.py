"""Photos under a finger, and the search box above them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from in_browser import ask, photo_dialog, results_of, settled, watched_page
from optional import needs_chromium
from served import Served

pytestmark = needs_chromium


@pytest.fixture
def phone(browser: Any, server: Served) -> Iterator[Any]:
    screen = {"width": 390, "height": 844}
    with watched_page(browser, server, viewport=screen, has_touch=True, is_mobile=True) as page:
        results_of(page, "")
        settled(page)
        yield page


def test_a_tap_opens_a_photo_wherever_it_falls(phone: Any) -> None:
    tile = phone.locator("#results .tile").first
    name = tile.get_attribute("title")
    for across in (0.06, 0.5, 0.94):
        for down in (0.08, 0.5, 0.92):
            box = tile.bounding_box()
            at = (box["x"] + across * box["width"], box["y"] + down * box["height"])
            phone.touchscreen.tap(*at)
            viewer = photo_dialog(phone, name)
            assert not phone.get_by_role("region", name="Selected photos").is_visible()
            viewer.get_by_role("button", name="Close").tap()
            viewer.wait_for(state="hidden")


def test_a_finger_that_rests_on_a_photo_selects_it(phone: Any) -> None:
    first, second = phone.locator("#results .tile").all()[:2]
    box = first.bounding_box()
    finger = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    screen = phone.context.new_cdp_session(phone)
    screen.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [finger]})
    bar = phone.get_by_role("region", name="Selected photos")
    bar.get_by_text("1 selected").wait_for()
    screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    # Then a tap is enough.
    second.tap()
    bar.get_by_text("2 selected").wait_for()
    # What can be done stands in one row along the lower edge, each large enough for a thumb.
    boxes = [button.bounding_box() for button in bar.get_by_role("button").all()[:-1]]
    assert len({box["y"] for box in boxes if box}) == 1
    assert all(box["width"] >= 44 and box["height"] >= 44 for box in boxes if box)
    edges = bar.bounding_box()
    assert (edges["x"], edges["width"], edges["y"] + edges["height"]) == (0, 390, 844)
    first.tap()
    bar.get_by_text("1 selected").wait_for()
    assert not phone.get_by_role("dialog", name="Photo").is_visible()


def test_the_search_box_stays_in_view(page: Any) -> None:
    ask(page, "after:2010")
    page.wait_for_function("() => document.querySelectorAll('#results .tile').length > 10")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 500})
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_function("() => scrollY === 0")
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_function("() => scrollY > 200")
        box = page.get_by_label("Describe a photo")
        assert box.bounding_box()["y"] >= 0
        assert box.evaluate(
            """box => {
                const { left, top, width, height } = box.getBoundingClientRect();
                return box.contains(document.elementFromPoint(left + width / 2, top + height / 2));
            }"""
        )
        # Nor does it lie over the photo that the keyboard goes to.
        page.locator("#results .tile").last.focus()
        page.keyboard.press("Home")
        page.wait_for_function(
            """() => {
                const tile = document.activeElement.getBoundingClientRect();
                return tile.top >= document.querySelector("#ask").getBoundingClientRect().bottom;
            }"""
        )
