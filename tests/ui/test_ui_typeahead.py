"""What is suggested below the box while one types, and what is said where nothing is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_browser import ask, held_back, results_of, settled, shows, watched_page
from optional import needs_chromium
from plain_words import make_library
from served import Served, served_here

pytestmark = [needs_chromium, pytest.mark.slow]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_library(tmp_path_factory.mktemp("typeahead"))


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Served]:
    with served_here(place / "library") as server:
        yield server


@pytest.fixture(autouse=True)
def without_searches_of_before(place: Path) -> None:
    (place / "library" / "recent.json").unlink(missing_ok=True)


def box(page: Any) -> Any:
    return page.get_by_role("combobox", name="Describe a photo")


def typed(page: Any, text: str) -> list[str]:
    """Type it letter by letter; what is suggested then."""
    box(page).press_sequentially(text)
    page.wait_for_function(
        "text => document.querySelector('#suggestions').dataset.shows === text",
        arg=box(page).input_value(),
    )
    return list(page.get_by_role("option").locator(".label").all_text_contents())


def test_a_name_is_chosen_by_keyboard_and_put_into_the_box(page: Any) -> None:
    assert typed(page, "dog in Ro")[0] == "Rome"
    page.get_by_role("status").get_by_text("suggestion").wait_for()
    assert box(page).get_attribute("aria-expanded") == "true"
    assert box(page).get_attribute("aria-activedescendant") is None

    page.keyboard.press("ArrowDown")
    chosen = page.locator(f"#{box(page).get_attribute('aria-activedescendant')}")
    assert chosen.get_attribute("aria-selected") == "true"
    assert "3 photos" in chosen.text_content()
    assert chosen.locator("img").count() == 1
    page.keyboard.press("ArrowUp")
    assert box(page).get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert box(page).input_value() == "dog in Rome"
    assert box(page).get_attribute("aria-expanded") == "false"
    results_of(page, "dog in Rome")
    assert page.evaluate("document.activeElement.role") == "combobox"


def test_what_is_chosen_stands_where_the_caret_was(page: Any) -> None:
    box(page).fill("camera:ca before:2022")
    page.evaluate("document.querySelector('[role=combobox]').setSelectionRange(9, 9)")
    typed(page, "n")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert box(page).input_value() == 'camera:"Canon EOS R6" before:2022'
    caret = page.evaluate("document.querySelector('[role=combobox]').selectionStart")
    assert caret == len('camera:"Canon EOS R6"')


def test_escape_closes_the_list_and_then_empties_the_box(page: Any) -> None:
    typed(page, "Rome")
    page.keyboard.press("Escape")
    assert not page.get_by_role("listbox").is_visible()
    assert box(page).input_value() == "Rome"
    page.keyboard.press("Escape")
    assert box(page).input_value() == ""


def test_enter_searches_and_an_arrow_goes_to_the_photos_when_the_list_is_closed(page: Any) -> None:
    typed(page, "Rome")
    page.keyboard.press("Enter")
    assert not page.get_by_role("listbox").is_visible()
    assert len(results_of(page, "Rome")) >= 3
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('.tile') !== null")


def test_a_filter_is_followed_by_its_values(page: Any) -> None:
    assert "before:2021" in typed(page, "bef")
    page.get_by_role("option", name="before:2021").click()
    assert box(page).input_value() == "before:"
    shows(page, "#suggestions", "before:")
    page.get_by_role("option").first.click()
    assert box(page).input_value() == "before:2023"
    results_of(page, "before:2023")


def test_searches_of_before_are_suggested_until_they_are_cleared(page: Any) -> None:
    ask(page, "coins")
    with page.expect_response("**/api/recent"):
        page.keyboard.press("Enter")
    box(page).fill("")
    box(page).click()
    page.get_by_role("option", name="coins").click()
    results_of(page, "coins")
    box(page).fill("")
    assert "coins" in typed(page, "co")
    with page.expect_response("**/api/recent/clear"):
        page.get_by_role("button", name="Clear recent searches").click()
    box(page).fill("")
    assert "coins" not in typed(page, "co")


def test_nothing_is_kept_where_others_can_connect(place: Path) -> None:
    from photosearch.ui.recent import RecentSearches

    recent = RecentSearches(place / "library", kept=False)
    recent.add("a secret")
    assert recent.all() == []
    assert not (place / "library" / "recent.json").exists()
    recent = RecentSearches(place / "library", kept=True)
    for text in ("a", "b", " A "):
        recent.add(text)
    assert recent.all() == ["A", "b"]
    recent.clear()
    assert recent.all() == []


def test_the_list_waits_for_nothing_and_nothing_waits_for_it(page: Any) -> None:
    with held_back(page, "**/api/suggest*") as held:
        box(page).press_sequentially("Rome")
        held.wait()
        assert len(results_of(page, "Rome")) >= 3
        page.keyboard.press("Enter")
    assert not page.get_by_role("listbox").is_visible()


def test_a_text_that_was_not_typed_opens_no_list(page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda one: "/api/suggest" in one.url and asked.append(one.url))
    box(page).fill("Rome")
    results_of(page, "Rome")
    page.get_by_role("button", name="Search for what it looks like: Rome").click()
    results_of(page, "\\Rome")
    assert asked == []


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (820, "dark"), (390, "dark")])
def test_the_list_fits(browser: Any, server: Served, width: int, theme: str) -> None:
    options = {"viewport": {"width": width, "height": 844}, "color_scheme": theme}
    with watched_page(browser, server, **options) as page:
        typed(page, "ja")
        found = page.get_by_role("listbox").bounding_box()
        below = box(page).bounding_box()
        assert found["y"] >= below["y"] + below["height"]
        assert found["x"] + found["width"] <= width
        # Photos stay in sight below it.
        assert page.locator(".suggestions").bounding_box()["height"] < 844 * 0.62
        assert page.get_by_role("option").first.bounding_box()["height"] >= 40
        page.mouse.click(width / 2, 800)
        assert not page.get_by_role("listbox").is_visible()


def test_axe_finds_nothing_with_the_list_open(page: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    typed(page, "ja")
    page.keyboard.press("ArrowDown")
    settled(page)
    found = Axe().run(page, context="#ask").response["violations"]
    assert not found, [(one["id"], one["nodes"][0]["html"]) for one in found]


def test_what_failed_and_one_part_fewer(page: Any) -> None:
    assert ask(page, "zebra in:Rome") == []
    helped = page.get_by_role("region", name="Nothing found")
    helped.get_by_text("No photos match “zebra”.").wait_for()
    # What comes closest is shown below, though it is no match.
    assert helped.locator(".tile").count() == 3
    helped.get_by_role("button", name="3 without zebra").click()
    assert len(results_of(page, "in:Rome")) == 3
    assert not helped.is_visible()


def test_what_is_near(page: Any) -> None:
    assert ask(page, "in:Naples") == []
    helped = page.get_by_role("region", name="Nothing found")
    helped.get_by_role("button", name="Rome (3), 188 km away").click()
    assert len(results_of(page, "in:Rome")) == 3
    assert ask(page, "camera:cannon") == []
    helped.get_by_role("button", name="Canon EOS R6 (6)").click()
    assert len(results_of(page, 'camera:"Canon EOS R6"')) == 6


def test_it_speaks_german(browser: Any, server: Served) -> None:
    with watched_page(browser, server, locale="de-DE") as page:
        box_ = page.get_by_label("Foto beschreiben")
        box_.press_sequentially("mai 2")
        page.get_by_role("option", name="Mai 2023").click()
        results_of(page, "Mai 2023")
        box_.fill("zebra in:Rom")
        page.get_by_text("Keine Fotos zu „zebra“.").wait_for()
        page.get_by_role("button", name="3 ohne zebra").wait_for()
