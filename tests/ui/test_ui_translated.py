"""The page in other languages than English: no English is left on it, and nothing is cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from in_browser import results_of, watched_page
from optional import needs_chromium
from served import Served

from photosearch.ui.scripts import texts

pytestmark = [needs_chromium, pytest.mark.slow]

PHONE = {"viewport": {"width": 390, "height": 844}}
# Buttons and tabs whose words are wider than they are, and whether the page can be moved sideways.
_CUT = """() => {
    const pressed = document.querySelectorAll("button, [role=tab], summary, label");
    const cut = [...pressed].filter((one) => {
        const { width } = one.getBoundingClientRect();
        const shown = width && one.checkVisibility() && !one.querySelector("img, canvas");
        const whole = getComputedStyle(one).display === "inline";
        return shown && !whole && one.scrollWidth > one.clientWidth + 1;
    });
    const wide = document.documentElement.scrollWidth > innerWidth ? ["the page"] : [];
    return [...cut.map((one) => one.textContent || one.getAttribute("aria-label")), ...wide];
}"""


@contextmanager
def views(browser: Any, server: Served, language: str, **options: Any) -> Iterator[Any]:
    """The page in a language, and a function that goes through its main views, one by one."""
    said = texts()[language]

    def walk(page: Any) -> Iterator[str]:
        box = page.get_by_label(said["search.label"], exact=True)
        page.locator(".examples button").first.wait_for()
        yield "start"
        box.fill("a cat -camera:pixel")
        results_of(page, "a cat -camera:pixel")
        yield "results"
        page.locator("#results .tile").first.click()
        viewer = page.get_by_role("dialog", name=said["photo.viewer"], exact=True)
        viewer.locator("dl").wait_for()
        yield "photo"
        page.keyboard.press("Escape")
        viewer.wait_for(state="hidden")
        box.fill("befor:2021")
        page.locator("#results [role=alert]:not(:empty)").wait_for()
        yield "error"
        page.get_by_role("tab", name=said["tab.browse"], exact=True).click()
        page.locator("#browse .tile").first.wait_for()
        yield "browse"
        page.get_by_role("tab", name=said["tab.library"], exact=True).click()
        page.get_by_role("button", name=said["library.examine"], exact=True).click()
        page.locator("#library li.ok").first.wait_for()
        page.locator("#library .problem-list").first.wait_for()
        yield "library"

    with watched_page(browser, server, locale=f"{language}-{language.upper()}", **options) as page:
        yield page, walk(page)


def test_no_english_is_left_on_the_german_page(browser: Any, server: Served) -> None:
    every = texts()
    # Words that German has not, of more than one, so that none is a name of a photo or a person.
    english = {
        piece.strip()
        for key, text in every["en"].items()
        if text != every["de"][key]
        for piece in re.split(r"\{\w+\}", text)
        if " " in piece.strip() and len(piece.strip()) > 8
    }
    english |= {"photos", "Search", "Library", "Browse", "could not", "is damaged", "there is no"}
    english |= {"not camera", "any year", "shown, as on disk", "known format", "did you mean"}
    with views(browser, server, "de", viewport={"width": 1440, "height": 900}) as (page, walk):
        for view in walk:
            shown = page.locator("body").inner_text()
            # Paths and what photos say of themselves are nobody's words.
            shown = re.sub(r"\S*/\S*", "", shown)
            left = {text for text in english if re.search(rf"\b{re.escape(text)}\b", shown)}
            assert not left, (view, left)


@pytest.mark.parametrize("language", ["fr", "es"])
def test_nothing_is_cut_off_on_a_phone(browser: Any, server: Served, language: str) -> None:
    with views(browser, server, language, **PHONE) as (page, walk):
        for view in walk:
            assert page.evaluate(_CUT) == [], view
