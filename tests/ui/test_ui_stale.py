"""Results of an earlier question, while the answer to a newer one is not there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from in_browser import ask, held_back, photo_dialog, results_of
from optional import needs_chromium
from PIL import Image

pytestmark = needs_chromium

SEARCHES = "**/api/search?*"


def shown_for(page: Any) -> str:
    return str(page.locator("#place-results").get_attribute("data-shows"))


def press(page: Any, name: str) -> None:
    page.locator(f"#results .tile[title='{name}']").click()


def is_open(page: Any) -> bool:
    return page.get_by_role("dialog", name="Photo").is_visible()


def stepped_back(page: Any) -> None:
    """What is on the screen is dimmed, and stays the answer to what was asked before."""
    page.wait_for_function(
        "() => getComputedStyle(document.querySelector('#results .stale')).opacity < 1"
    )


def test_while_an_answer_is_awaited_the_results_before_step_back(page: Any) -> None:
    before = ask(page, "a cat camera:pixel")
    asked = shown_for(page)
    with held_back(page, SEARCHES) as held:
        page.get_by_label("Describe a photo").fill("a cup of coffee")
        held.wait()
        stepped_back(page)
        place = page.locator("#place-results")
        assert place.get_attribute("aria-busy") == "true"
        assert shown_for(page) == asked
        # Neither they, nor the chips that belong to them, do what they would do otherwise.
        page.get_by_role("button", name="Remove: camera pixel").click()
        assert page.get_by_label("Describe a photo").input_value() == "a cup of coffee"
        press(page, before[0])
        page.keyboard.press("Control+a")
        assert not is_open(page)
        assert not page.get_by_role("region", name="Selected photos").is_visible()
    found = results_of(page, "a cup of coffee")
    assert found[0] == "coffee.jpg"
    assert before[0] not in found
    assert page.locator(".stale").count() == 0
    assert not is_open(page)
    # Who was among the photos before is among the new ones.
    assert page.evaluate("document.activeElement.title") == "coffee.jpg"


def test_the_same_question_again_leaves_who_is_among_the_photos(page: Any) -> None:
    first = ask(page, "an animal")[0]
    with held_back(page, SEARCHES) as held:
        page.get_by_label("Describe a photo").press("Enter")
        held.wait()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("End")
        last = page.evaluate("document.activeElement.title")
        assert last != first
    results_of(page, "an animal")
    assert page.evaluate("document.activeElement.title") == last


@pytest.mark.parametrize("key", [None, "Enter"])
def test_a_photo_that_the_answer_has_too_opens_with_it(page: Any, key: str | None) -> None:
    ask(page, "a cat")
    with held_back(page, SEARCHES) as held:
        page.get_by_label("Describe a photo").fill("a cat camera:pixel")
        held.wait()
        if key:
            page.locator("#results .tile[title='chelsea.jpg']").focus()
            page.keyboard.press(key)
        else:
            press(page, "chelsea.jpg")
        assert not is_open(page)
    viewer = photo_dialog(page, "chelsea.jpg")
    viewer.get_by_text("Matches: camera pixel.").wait_for()


def test_a_photo_that_was_pressed_does_not_open_when_something_else_is_asked(page: Any) -> None:
    ask(page, "a cat")
    with held_back(page, SEARCHES) as held:
        page.get_by_label("Describe a photo").fill("a cat camera:pixel")
        held.wait()
        press(page, "chelsea.jpg")
        page.get_by_label("Describe a photo").fill("a cat before:2024")
    results_of(page, "a cat before:2024")
    assert not is_open(page)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda page: page.get_by_label("Sort by").select_option("oldest"), {"sort": "oldest"}),
        (lambda page: page.get_by_label("Stack bursts").uncheck(), {"collapse": False}),
        (
            lambda page: page.get_by_role("button", name="less likely photos").click(),
            {"everything": True},
        ),
    ],
    ids=["order", "stacks", "everything"],
)
def test_results_in_another_way_are_others(page: Any, change: Any, wanted: Any) -> None:
    ask(page, "an animal")
    with held_back(page, SEARCHES) as held:
        change(page)
        held.wait()
        stepped_back(page)
    results_of(page, "an animal", **wanted)
    assert page.locator(".stale").count() == 0


def test_a_picture_on_its_way_is_a_question(page: Any, family: Path) -> None:
    content = io.BytesIO()
    with Image.open(family / "photos" / "2023" / "chelsea.jpg") as image:
        image.save(content, "PNG")
    picture = {"name": "cat.png", "mimeType": "image/png", "buffer": content.getvalue()}
    results_of(page, "")
    with held_back(page, "**/api/by-picture?*") as held:
        page.locator("input[type=file]").set_input_files(picture)
        held.wait()
        stepped_back(page)
        press(page, "chelsea.jpg")
        assert not is_open(page)
    photo_dialog(page, "chelsea.jpg").get_by_role("button", name="Why this photo?").wait_for()
    page.keyboard.press("Escape")
    assert results_of(page, "", picture=True)[0] == "chelsea.jpg"


def test_after_a_question_that_failed_the_results_are_those_before(page: Any) -> None:
    before = ask(page, "a cat")
    asked = shown_for(page)
    page.get_by_label("Describe a photo").fill("colour:red house")
    page.get_by_role("alert").get_by_text('no filter "colour:"').wait_for()
    assert not page.locator("#place-results[aria-busy]").count()
    assert shown_for(page) == asked
    stepped_back(page)
    press(page, before[0])
    assert ask(page, "a cat") == before
    assert page.locator(".stale").count() == 0
    assert not is_open(page)


def test_more_of_an_earlier_question_is_not_added_to_the_results(page: Any) -> None:
    # In small parts, so that the last ones are still to come.
    page.route(
        "**/api/search?*offset=0&limit=60",
        lambda route: route.continue_(url=route.request.url.replace("limit=60", "limit=4")),
    )
    with held_back(page, "**/api/search?q=after*&offset=4&*") as held:
        ask(page, "after:2010")
        held.wait()
        # Nor does it keep the rest of those from coming.
        ask(page, "before:2030")
        page.wait_for_function("() => document.querySelectorAll('#results .tile').length > 10")
        found = results_of(page, "before:2030")
    assert results_of(page, "before:2030") == found
    assert len(found) == len(set(found))


def test_results_that_come_at_once_do_not_flicker(page: Any) -> None:
    with held_back(page, SEARCHES) as held:
        page.get_by_label("Describe a photo").fill("a cat")
        held.wait()
        for motion in ("no-preference", "reduce"):
            page.emulate_media(reduced_motion=motion)
            delays = page.locator("#results .stale").evaluate_all(
                "all => all.map(one => getComputedStyle(one).transitionDelay)"
            )
            assert set(delays) == {"0.15s"}, motion
