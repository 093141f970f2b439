"""What the page says of a photo: nothing that is not known, and dates as the browser has them."""

from __future__ import annotations

from typing import Any

import pytest
from in_browser import ask, in_timeline, open_tile, photo_dialog, shows, watched_page
from optional import needs_chromium
from served import Served

pytestmark = needs_chromium

# Words of the program that are none of the reader's.
_CODE = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const { data, parentElement } = walker.currentNode;
        const said = !parentElement.closest("script, style");
        if (said && /null|undefined|NaN|\\[object|Invalid/.test(data)) found.push(data);
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
        in_timeline(page, name).click()
        photo_dialog(page, name)
        assert page.evaluate(_CODE) == []
        page.keyboard.press("Escape")


@pytest.mark.parametrize(
    ("locale", "when", "month"),
    [
        ("en-US", "July 21, 2019 at 02:56 AM", "July 2019"),
        ("en-GB", "21 July 2019 at 02:56", "July 2019"),
        ("de-AT", "21. Juli 2019 um 02:56", "Juli 2019"),
        # There are no French texts.
        ("fr-FR", "21 juillet 2019 à 02:56", "juillet 2019"),
    ],
)
def test_dates_are_written_as_the_browser_has_them(
    browser: Any, server: Served, locale: str, when: str, month: str
) -> None:
    with watched_page(browser, server, locale=locale) as page:
        page.locator("#pages button[role=tab]").nth(1).click()
        shows(page, "#place-browse", "month")
        assert month in page.locator("#browse h2.month").all_text_contents()
        in_timeline(page, "moon.jpg").click()
        page.locator(".viewer dl").wait_for()
        assert page.locator(".viewer dd").first.text_content().startswith(when)
