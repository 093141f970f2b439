"""Searching in a real browser: chips, order, pictures as queries, similar photos, bursts."""

from __future__ import annotations

import base64
import io
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from in_browser import ask, open_tile, reload, results_of, settled, shows, watched_page
from optional import needs_chromium
from PIL import Image
from served import Served

pytestmark = needs_chromium


def test_filters_become_chips_that_can_be_taken_off(page: Any) -> None:
    assert "coffee.jpg" not in ask(page, "an animal camera:nikon -lion")
    chips = page.get_by_role("list", name="Understood as")
    chips.get_by_text("camera nikon").wait_for()
    chips.get_by_text("without lion").wait_for()

    chips.get_by_text("camera nikon").click()
    assert page.evaluate("getSelection().toString()") == "camera:nikon"
    chips.get_by_role("button", name="Remove: camera nikon").click()
    results_of(page, "an animal -lion")
    assert chips.get_by_role("listitem").all_text_contents() == ["without lion"]
    assert page.get_by_label("Describe a photo").input_value() == "an animal -lion"


def test_what_a_word_names_can_be_taken_back_or_asked_for_alone(page: Any) -> None:
    named = ask(page, "Nikon")
    assert "lion.jpg" in named
    chips = page.get_by_role("list", name="Understood as")
    chips.get_by_text("Nikon: camera").wait_for()
    chips.get_by_role("button", name="Show only these: camera:nikon").click()
    results_of(page, "camera:nikon")

    ask(page, "Nikon")
    chips.get_by_role("button", name="Search for what it looks like: Nikon").click()
    assert "lion.jpg" not in results_of(page, "\\Nikon")
    assert chips.get_by_text("Nikon: camera").count() == 0
    assert page.get_by_label("Describe a photo").input_value() == "\\Nikon"


def test_by_date_photos_stand_under_their_months(page: Any) -> None:
    ask(page, "after:2018 before:2023-06")
    page.get_by_label("Sort by").select_option("oldest")
    results_of(page, "after:2018 before:2023-06", sort="oldest")
    months = page.locator("#results h3.when").all_text_contents()
    assert months[0] == "July 2019"
    assert months[-1] == "May 2023"


def test_photos_that_show_the_same_are_a_stack_that_opens(page: Any) -> None:
    text = "folder:2021 after:2020 before:2022"
    assert len(ask(page, text, collapse=True)) == 2
    page.get_by_role("button", name="1 more in this stack").click()
    assert len(results_of(page, text, collapse=True)) == 3
    page.get_by_label("Stack bursts and copies").uncheck()
    assert len(results_of(page, text, collapse=False)) == 3
    assert page.locator("#results .stack").count() == 0


def test_a_search_is_saved_and_used_again(page: Any) -> None:
    ask(page, "a cat")
    page.get_by_role("button", name="Save search").click()
    page.get_by_label("Name", exact=True).fill("My cat")
    page.keyboard.press("Enter")
    page.get_by_text("Saved as My cat").wait_for()
    ask(page, "")
    page.get_by_role("button", name="My cat", exact=True).click()
    assert results_of(page, "a cat")[0] == "chelsea.jpg"
    assert page.get_by_label("Describe a photo").input_value() == "a cat"
    ask(page, "")
    page.get_by_role("button", name="Delete the saved search My cat").click()
    page.get_by_role("button", name="My cat", exact=True).wait_for(state="detached")


def test_a_search_by_picture_is_not_offered_to_be_saved(page: Any, family: Path) -> None:
    save = page.get_by_role("button", name="Save search")
    ask(page, "a cat")
    assert save.is_visible()
    page.locator("input[type=file]").set_input_files(family / "photos" / "2023" / "coffee.jpg")
    results_of(page, "a cat", picture=True)
    assert not save.is_visible()
    page.get_by_role("button", name="Remove the picture").click()
    results_of(page, "a cat")
    assert save.is_visible()


def test_what_cannot_be_understood_is_said(page: Any) -> None:
    page.get_by_label("Describe a photo").fill("colour:red house")
    page.get_by_role("alert").get_by_text('no filter "colour:"').wait_for()
    ask(page, "a red house")
    assert page.locator("#place-results > .warning").text_content() == ""


def test_a_pasted_picture_finds_the_photo_that_it_shows(page: Any, family: Path) -> None:
    content = io.BytesIO()
    with Image.open(family / "photos" / "2023" / "chelsea.jpg") as image:
        image.resize((160, 107)).save(content, "PNG")
    page.evaluate(
        """data => {
            const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
            const given = new DataTransfer();
            given.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: given }));
        }""",
        base64.b64encode(content.getvalue()).decode(),
    )
    assert results_of(page, "", picture=True)[0] == "chelsea.jpg"
    page.get_by_alt_text("Your picture").wait_for()
    page.get_by_role("button", name="Remove the picture").click()
    results_of(page, "")
    page.get_by_text("Recently added").wait_for()


def test_what_is_no_picture_is_refused(page: Any) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": b"no picture at all"}
    )
    page.get_by_text("choose another").wait_for()
    # The photos that were there are those of the page again.
    results_of(page, "")
    assert page.locator(".stale").count() == 0


def test_a_hit_tells_where_it_is_from_and_why_it_is_one(page: Any) -> None:
    assert ask(page, "a cat camera:pixel")[0] == "chelsea.jpg"
    viewer = open_tile(page, "chelsea.jpg")
    viewer.get_by_text("Matches: camera pixel.").wait_for()
    viewer.get_by_text("photos count as matches from").wait_for()
    viewer.get_by_text("48.86, 2.35").wait_for()
    across = viewer.get_by_role("img", name="Map of the world").evaluate(
        """world => {
            const spot = world.querySelector(".spot").getBoundingClientRect();
            const all = world.getBoundingClientRect();
            return (spot.x + spot.width / 2 - all.x) / all.width;
        }"""
    )
    assert across == pytest.approx((2.35 + 180) / 360, abs=0.01)


def test_what_counts_in_a_hit_is_shown_over_it(page: Any) -> None:
    ask(page, "the cat -lion camera:pixel")
    viewer = open_tile(page, "chelsea.jpg")
    viewer.get_by_role("button", name="Why this photo?").focus()
    page.keyboard.press("Enter")
    terms = viewer.locator(".terms > li")
    terms.first.wait_for()
    assert [text.split(":")[0] for text in terms.all_text_contents()] == ["the cat", "lion"]
    told = dict(
        text.rsplit(" ", 1) for text in terms.first.locator(".words span").all_text_contents()[1:]
    )
    assert float(told["cat"]) > 0.1
    score = viewer.locator(".why li").first.text_content().split(";")[0].rsplit(" ", 1)[1]
    adds, whole = re.findall(r"[0-9.]+", terms.first.text_content().split("How much")[0])
    off = re.search(r"takes ([0-9.]+) off", terms.last.text_content())
    # The hit's score is by the vector in the library, of half the precision.
    assert float(whole) == pytest.approx(float(score), abs=2e-3)
    rest = float(adds) - (float(off[1]) if off else 0)
    assert rest == pytest.approx(float(whole), abs=2e-3)

    # It lies over the photo, light somewhere and dark elsewhere, and is told in words.
    heat = viewer.get_by_role("img", name="What counts most is")
    settled(page)
    assert heat.bounding_box() == viewer.locator("img.large").bounding_box()
    darkness = heat.evaluate(
        """it => {
            const all = it.getContext("2d").getImageData(0, 0, 256, 256).data;
            const dark = all.filter((_, at) => at % 4 == 3);
            return [Math.min(...dark), Math.max(...dark)];
        }"""
    )
    assert darkness[0] < 40
    assert darkness[1] > 120
    page.wait_for_function("() => document.activeElement.textContent == 'Show where'")
    page.keyboard.press("w")
    heat.wait_for(state="hidden")
    page.keyboard.press("w")
    heat.wait_for()
    page.keyboard.press("Escape")
    heat.wait_for(state="detached")


def test_why_of_a_picture_and_of_a_photo_that_is_gone(page: Any, family: Path) -> None:
    coffee = family / "photos" / "2023" / "coffee.jpg"
    page.locator("input[type=file]").set_input_files(coffee)
    assert results_of(page, "", picture=True)[0] == "coffee.jpg"
    viewer = open_tile(page, "coffee.jpg")
    viewer.get_by_role("button", name="Why this photo?").click()
    viewer.get_by_text("your picture: adds").wait_for()
    page.keyboard.press("Escape")
    away = coffee.rename(coffee.with_suffix(".away"))
    try:
        open_tile(page, "coffee.jpg")
        button = viewer.get_by_role("button", name="Why this photo?")
        button.click()
        viewer.get_by_text("Couldn’t explain this: the file is not there any more").wait_for()
    finally:
        away.rename(coffee)
    button.click()
    viewer.get_by_text("your picture: adds").wait_for()


def test_similar_photos_of_a_hit(page: Any) -> None:
    first = ask(page, "a cheetah")[0]
    viewer = open_tile(page, first)
    viewer.get_by_role("button", name="Similar photos").click()
    viewer.wait_for(state="hidden")
    text = page.get_by_label("Describe a photo").input_value()
    assert text.startswith("photo:")
    similar = results_of(page, text)
    assert similar
    assert first not in similar
    page.get_by_text("like this photo").wait_for()


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_on_a_phone_nothing_is_cut_off_or_stacked(
    browser: Any, server: Served, locale: str
) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "locale": locale, "has_touch": True}
    with watched_page(browser, server, **phone) as page:
        text = "a cat camera:pixel -lion before:2024"
        page.locator("#query [role=combobox]").fill(text)
        assert results_of(page, text)
        settled(page)
        for row, parts in ((".tools", 4), (".chips", 3)):
            tops = page.locator(f"{row} > *").evaluate_all(
                "all => all.map(one => { const r = one.getBoundingClientRect();"
                " return (r.top + r.bottom) / 2; })"
            )
            assert len(tops) == parts
            assert max(tops) - min(tops) < 6, row
        for each in page.locator(".tools > *").all():
            edges = each.bounding_box()
            assert edges["x"] >= 8
            assert edges["x"] + edges["width"] <= 382
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        # It is as wide as the screen but for narrow margins.
        assert page.locator("#place-results").bounding_box()["width"] > 350
        with page.expect_file_chooser():
            page.locator("#query button").tap()


def test_examples_find_something(page: Any) -> None:
    example = shows(page, ".examples", "examples").locator("> button").first
    text = example.text_content()
    example.click()
    assert results_of(page, text)
    assert page.get_by_label("Describe a photo").input_value() == text


def test_of_what_there_is_none_the_start_page_has_no_shelf(page: Any, server: Served) -> None:
    shown = [photo["id"] for photo in server.ask("/api/newest?limit=60").json["hits"]]
    server.post("/api/albums/1/photos", {"ids": shown, "there": False})
    address = f"{server.url}api/start?today=2024-02-14"
    page.route("**/api/start?*", lambda route: route.continue_(url=address))
    reload(page)
    page.locator(".shelves[data-shows]:not([aria-busy])").wait_for(state="attached")
    # A search may have been saved before.
    assert set(page.locator(".start h2").all_text_contents()) <= {"Saved searches"}
    assert results_of(page, "")


def test_a_page_at_rest_is_not_drawn_again(page: Any) -> None:
    page.add_init_script("""
        window.lastAsked = performance.now();
        const atNextFrame = window.requestAnimationFrame.bind(window);
        window.requestAnimationFrame = (draw) => {
            window.lastAsked = performance.now();
            return atNextFrame(draw);
        };
    """)
    reload(page)
    shows(page, ".examples", "examples")
    # A loop asks for sixty in each second; Gradio's own drawing comes to an end.
    page.wait_for_function("() => performance.now() - window.lastAsked > 1000", polling=100)


def test_what_is_not_there_is_not_shown_unless_it_is_wanted(page: Any) -> None:
    headings = page.locator("#results h3.when")
    assert ask(page, "people dancing") == []
    page.get_by_text("Nothing here looks like that.").wait_for()
    page.get_by_role("button", name="Show closest matches").click()
    assert len(results_of(page, "people dancing", everything=True)) > 10
    assert headings.all_text_contents() == ["Less likely"]

    assert ask(page, "a cat")[0] == "chelsea.jpg"
    page.get_by_role("button", name="less likely photos").click()
    results_of(page, "a cat", everything=True)
    assert headings.all_text_contents() == ["Likely matches", "Less likely"]


@pytest.mark.slow
def test_the_benchmark_sees_letters_become_results(
    family: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks import page_speed

    monkeypatch.setattr(page_speed, "TYPED", ("a cat",))
    monkeypatch.setattr(page_speed, "FILTERED", ("is:video",))
    # On a thread of its own: the other tests' browser has this one.
    with ThreadPoolExecutor(1) as threads:
        speed = threads.submit(page_speed.measure, family / "library").result()
    # Each letter is a search, unless the next one overtakes it.
    assert 1 <= len(speed.waits) <= 5
    assert 1 <= len(speed.filtered) <= 8
    assert min(speed.waits + speed.filtered) > 0
    # Photos may be there before the browser has painted, where it is busy.
    assert min(speed.paint, speed.photos) > 0
    assert "p95" in str(speed)
