"""Searching in other languages on the page: what was taken for what, and how that is taken back."""

from __future__ import annotations

from typing import Any

from in_browser import ask, results_of
from optional import needs_chromium

pytestmark = needs_chromium


def chips(page: Any) -> list[str]:
    texts = page.get_by_role("list", name="Understood as").get_by_role("listitem")
    return list(texts.all_text_contents())


def test_a_chip_says_what_a_word_was_taken_for_and_can_be_taken_off(page: Any) -> None:
    assert ask(page, "Katze")[0] == "chelsea.jpg"
    assert chips(page) == ["taken as: cat"]
    page.get_by_role("button", name="Read as English: Katze").click()
    results_of(page, "en:Katze")
    assert page.get_by_label("Describe a photo").input_value() == "en:Katze"
    assert chips(page) == []


def test_it_is_taken_off_where_it_stands(page: Any) -> None:
    ask(page, "2:roter Hund -Regenschirm camera:pixel")
    assert chips(page) == [
        "without Regenschirm",
        "camera pixel",
        "taken as: red dog",
        "taken as: umbrella",
    ]
    page.get_by_role("button", name="Read as English: roter Hund").click()
    results_of(page, '2:en:"roter Hund" -Regenschirm camera:pixel')
    page.get_by_role("button", name="Read as English: Regenschirm").click()
    results_of(page, '2:en:"roter Hund" -en:Regenschirm camera:pixel')
    assert chips(page) == ["without Regenschirm", "camera pixel"]


def test_english_has_no_such_chip(page: Any) -> None:
    ask(page, "a cat in a hat")
    assert chips(page) == []


def test_letters_that_the_model_cannot_read_are_told_of(page: Any) -> None:
    ask(page, "قطة")
    warning = page.get_by_role("alert").get_by_text("This model can’t read this script")
    warning.wait_for()
    ask(page, "a cat")
    assert page.locator("#place-results > .warning").text_content() == ""
