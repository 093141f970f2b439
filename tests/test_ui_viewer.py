"""What the page says of a photo: nothing of what is not known."""

from __future__ import annotations

from typing import Any

from in_browser import ask, open_tile, photo_dialog, shows
from optional import needs_chromium

pytestmark = needs_chromium

# Words of the program that are none of the reader's.
_CODE = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const { data, parentElement } = walker.currentNode;
        if (/null|undefined|NaN|\\[object|Invalid/.test(data) && !parentElement.closest("script, style"))
            found.push(data);
    }
    return found;
}"""


def test_what_is_not_known_of_a_photo_is_not_named(page: Any) -> None:
    # It tells no position, and the second neither camera nor date.
    for text, name in (("the moon", "moon.jpg"), ("a page of text", "page.jpg")):
        ask(page, text)
        open_tile(page, name)
        assert page.evaluate(_CODE) == []
        page.keyboard.press("Escape")
    page.get_by_role("tab", name="Browse").click()
    shows(page, "#place-browse", "month")
    for name in ("moon.jpg", "page.jpg"):
        page.locator(f"#browse .tile[title='{name}']").click()
        photo_dialog(page, name)
        assert page.evaluate(_CODE) == []
        page.keyboard.press("Escape")
