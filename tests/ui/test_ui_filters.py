"""Filters that are clicked: what they write into the box, and whether their counts are true."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from accessible import serious_in_both_themes
from in_browser import ask, results_of, settled, watched_page
from optional import needs_chromium
from served import Served, served_here

from index import Catalogue

pytestmark = [needs_chromium, pytest.mark.slow]

WIDE = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
BOX = "Describe a photo"
# Browse shows the photos of one of this kind.
_INSIDE = """kind => {
    const place = document.querySelector("#place-browse");
    return !place.hasAttribute("aria-busy") && place.dataset.shows?.startsWith(`${kind}:`);
}"""


@pytest.fixture(scope="module")
def server(family: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The family's library with people, ratings, an album, favourites and a text."""
    place = tmp_path_factory.mktemp("filters") / "library"
    shutil.copytree(family / "library", place)
    with Catalogue.open(place) as catalogue:
        ids = catalogue.selection.ids(()).tolist()
        said = catalogue.metadata(ids)
        people = (("Anna Berger",), ("Anna Berger", "Ida"), ())
        paths = {photo.id: photo.path for photo in catalogue.photos(ids)}
        catalogue.record_metadata(
            {
                paths[one]: (
                    replace(
                        said[one],
                        people=people[n % 3],
                        keywords=people[n % 3],
                        rating=n % 6 or None,
                    ),
                    "",
                )
                for n, one in enumerate(ids)
                if one in said
            }
        )
        shelves = catalogue.shelves
        shelves.put_into(ids[:7], shelves.make_album("Summer Holiday"))
        shelves.put_into(ids[5:10])
        catalogue.readings.put({ids[0]: "EXIT"})
    with served_here(place) as server:
        yield server


@pytest.fixture(params=[WIDE, PHONE], ids=["1440", "390"])
def page(request: pytest.FixtureRequest, browser: Any, server: Served) -> Iterator[Any]:
    with watched_page(browser, server, **request.param) as page:
        page.locator(".filters:not(.waiting)").wait_for()
        yield page


def is_phone(page: Any) -> bool:
    return bool(page.viewport_size["width"] < 640)


def panel(page: Any, group: str) -> Any:
    """What the button of this name opens, when its counts are there."""
    if is_phone(page):
        page.get_by_role("button", name="Filters").click()
        label = page.locator("summary > span:first-child", has_text=group)
        fold = page.locator(".filter-sheet details", has=label)
        fold.locator("summary").click()
        found = fold.locator(".panel")
    else:
        page.locator(".filters > .one", has_text=group).click()
        found = page.locator(".filter-choices:popover-open .panel")
    answered(page, found)
    return found


def answered(page: Any, found: Any) -> None:
    """The panel counts what the box says."""
    text = page.get_by_label(BOX).input_value().strip()
    page.wait_for_function(
        """([panel, text]) => !panel.hasAttribute("aria-busy")
            && panel.dataset.shows?.endsWith(` ${text}`)""",
        arg=[found.element_handle(), text],
    )


def leave(page: Any) -> None:
    """Close what was opened."""
    if is_phone(page):
        for one in page.locator(".filter-sheet details[open] > summary").all():
            one.click()
    page.keyboard.press("Escape")


def press(page: Any, found: Any, typed: str) -> int:
    """Press the choice that types this; how many photos it says it has."""
    choice = found.locator(f"[data-filter='{typed}']")
    count = re.sub(r"\D", "", choice.locator(".quiet").inner_text())
    choice.click()
    results_of(page, page.get_by_label(BOX).input_value())
    answered(page, found)
    return int(count)


def total(page: Any) -> int:
    return int(re.findall(r"^\d+", page.locator("#results .count").inner_text())[0])


def test_each_choice_is_typed_and_has_as_many_photos_as_it_says(page: Any, family: Path) -> None:
    for group, choices in (
        ("Date", ["year:2018"]),
        ("Place", ["in:Paris"]),
        ("People", ['person:"Anna Berger"']),
        ("Camera", ['camera:"Pixel 6"']),
        ("Type", ["-is:video", "is:portrait", "type:jpeg"]),
        (
            "More",
            [
                "rating>=4",
                "is:favourite",
                'album:"Summer Holiday"',
                f"folder:{family / 'photos' / '2018'}",
                "size<1mp",
                "has:text",
            ],
        ),
    ):
        found = panel(page, group)
        for typed in choices:
            count = press(page, found, typed)
            assert page.get_by_label(BOX).input_value() == typed
            assert total(page) == count > 0, typed
            choice = found.locator(f"[data-filter='{typed}']")
            assert choice.get_attribute("aria-pressed") == "true"
            # Pressed again it is taken out of the box.
            press(page, found, typed)
            assert choice.get_attribute("aria-pressed") == "false"
            assert page.get_by_label(BOX).input_value() == ""
        leave(page)


def test_filters_combine_and_counts_follow(page: Any) -> None:
    ask(page, '-lion 🐱  cat "jpg"')
    found = panel(page, "Camera")
    press(page, found, 'camera:"Pixel 6"')
    leave(page)
    box = page.get_by_label(BOX)
    # Two blanks, which somebody typed, are nobody else's.
    assert box.input_value() == '-lion 🐱  cat "jpg" camera:"Pixel 6"'
    found = panel(page, "Date")
    press(page, found, "year:2023")
    assert box.input_value() == '-lion 🐱  cat "jpg" camera:"Pixel 6" year:2023'
    found.get_by_role("button", name="Clear").click()
    results_of(page, box.input_value())
    assert box.input_value() == '-lion 🐱  cat "jpg" camera:"Pixel 6"'
    leave(page)
    badge = page.locator(".every .number" if is_phone(page) else ".filters > .one.set .number")
    assert badge.inner_text() == "1"


def test_a_year_opens_its_months_and_a_month_its_days(page: Any) -> None:
    found = panel(page, "Date")
    box = page.get_by_label(BOX)
    press(page, found, "year:2018")
    press(page, found, "on:2018-08")
    assert box.input_value() == "on:2018-08"
    assert total(page) == 4
    count = press(page, found, "on:2018-08-03")
    assert box.input_value() == "on:2018-08-03"
    assert total(page) == count == 3
    press(page, found, "on:2018-08-04")
    assert box.input_value() == "on:2018-08-03 on:2018-08-04"
    assert total(page) == 4
    found.get_by_label("From", exact=True).fill("May 2019")
    found.get_by_label("To", exact=True).fill("2021")
    found.get_by_role("button", name="Apply").click()
    results_of(page, 'since:"May 2019" until:2021')
    assert box.input_value() == 'since:"May 2019" until:2021'
    answered(page, found)
    assert found.get_by_label("From", exact=True).input_value() == "May 2019"


def test_a_long_list_can_be_searched_in(page: Any) -> None:
    found = panel(page, "Place")
    every = found.locator("li:visible").count()
    found.get_by_label("Search: Place").fill(" ITAL")
    seen = found.locator("li:visible .name").all_inner_texts()
    # Cities are found by their country, too.
    assert seen[0] == "Italy"
    assert {"Rome", "Milan"} <= set(seen)
    assert len(seen) < every
    press(page, found, "in:Italy")
    assert found.locator("li:visible .name").all_inner_texts() == seen


def test_with_the_keyboard(browser: Any, server: Served) -> None:
    with watched_page(browser, server, **WIDE) as page:
        page.locator(".filters:not(.waiting)").wait_for()
        button = page.locator(".filters > .one", has_text="Camera")
        button.focus()
        page.keyboard.press("Enter")
        found = page.locator(".filter-choices:popover-open .panel")
        answered(page, found)
        page.keyboard.press("Tab")
        first = page.evaluate("document.activeElement.dataset.filter")
        page.keyboard.press("Space")
        results_of(page, first)
        answered(page, found)
        assert page.evaluate("document.activeElement.dataset.filter") == first
        page.keyboard.press("Escape")
        found.wait_for(state="hidden")
        assert button.evaluate("button => button === document.activeElement")
        assert page.get_by_label(BOX).input_value() == first


def test_what_the_library_has_none_of_is_not_offered(browser: Any, family: Path) -> None:
    with (
        served_here(family / "library") as plain,
        watched_page(browser, plain, **WIDE) as page,
    ):
        page.locator(".filters:not(.waiting)").wait_for()
        labels = page.locator(".filters > .one:visible").all_inner_texts()
        assert [label.strip() for label in labels] == ["Date", "Place", "Camera", "Type", "More"]


def test_what_cannot_be_understood_is_told(browser: Any, server: Served) -> None:
    with watched_page(browser, server, **WIDE) as page:
        page.locator(".filters:not(.waiting)").wait_for()
        page.get_by_label(BOX).fill("befor:2021")
        page.locator("#place-results > .warning").wait_for()
        page.locator(".filters > .one", has_text="Date").click()
        page.locator(".filter-choices:popover-open .warning", has_text="before").wait_for()


def test_a_search_goes_on_inside_of_what_is_browsed(browser: Any, server: Served) -> None:
    with watched_page(browser, server, **WIDE) as page:
        for kind, group, typed in (
            ("Albums", "Summer Holiday", 'album:"Summer Holiday"'),
            ("Cameras", "Pixel 6", 'camera:"Pixel 6"'),
            ("Places", "Rome, Italy", 'in:"Rome, Italy"'),
        ):
            page.get_by_role("tab", name="Browse").click()
            page.get_by_role("button", name=kind, exact=True).click()
            page.get_by_role("button", name=group).click()
            page.wait_for_function(_INSIDE, arg=kind.lower()[:-1])
            inside = page.locator("#browse .grid .tile")
            page.get_by_role("button", name="Search in here").click()
            results_of(page, typed)
            assert page.get_by_label(BOX).input_value().strip() == typed
            assert total(page) == inside.count()
            assert page.locator(".filters > .one.set").count() == 1


def test_everybody_can_use_them(page: Any) -> None:
    for group in ("Date", "Place", "More"):
        found = panel(page, group)
        settled(page)
        assert serious_in_both_themes(page) == [], group
        if is_phone(page):
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            heights = found.locator("button:visible").evaluate_all(
                "all => all.map(one => one.getBoundingClientRect().height)"
            )
            assert min(heights) >= 40
        leave(page)
