"""Stars and keywords in the page: beside an open photo, and for photos that are selected."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_browser import ask, open_tile, watched_page
from optional import needs_chromium
from served import Served, served_here

pytestmark = [needs_chromium, pytest.mark.slow]

WIDTHS = [1440, 390]


@pytest.fixture(scope="module")
def server(family: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Of a library of its own, of the same photos: what is rated stays rated."""
    library = tmp_path_factory.mktemp("rated") / "library"
    shutil.copytree(family / "library", library)
    with served_here(library) as server:
        yield server


@pytest.fixture(params=WIDTHS)
def page(request: pytest.FixtureRequest, browser: Any, server: Served) -> Iterator[Any]:
    size = {"width": request.param, "height": 900}
    # So that its photos are as they were at the other width.
    ids = [photo["id"] for photo in server.ask("/api/newest?limit=500").json["hits"]]
    mark = {"ids": ids, "stars": None, "added": [], "removed": []}
    assert server.post("/api/marks", {"marks": [mark]}).status == 200
    with watched_page(browser, server, viewport=size) as page:
        yield page


def notice(page: Any, text: str) -> Any:
    found = page.locator(".notice.on")
    found.get_by_text(text).wait_for()
    return found


def test_stars_of_an_open_photo(page: Any) -> None:
    ask(page, "a cat")
    viewer = open_tile(page, "chelsea.jpg")
    stars = viewer.get_by_role("group", name="Rating")
    stars.locator(".star").nth(4).click()
    notice(page, "4 stars")
    assert stars.get_by_role("radio", name="4 stars").is_checked()
    viewer.get_by_role("button", name="Use file\u2019s rating").wait_for()

    # By the keyboard; its arrows do not turn the page here.
    stars.get_by_role("radio", name="4 stars").focus()
    page.keyboard.press("ArrowRight")
    notice(page, "5 stars").get_by_role("button", name="Undo").click()
    notice(page, "Undone")
    page.wait_for_function("() => document.querySelector('.stars').dataset.stars === '4'")
    viewer.get_by_role("heading", name="chelsea.jpg").wait_for()

    # The star that is chosen takes it back.
    stars.locator(".star").nth(4).click()
    notice(page, "No stars")
    viewer.get_by_role("button", name="Use file\u2019s rating").click()
    notice(page, "rating from the file")
    viewer.get_by_role("button", name="Use file\u2019s rating").wait_for(state="hidden")
    stars.locator(".star").nth(3).click()
    notice(page, "3 stars")
    page.keyboard.press("Escape")
    assert ask(page, "rating>=3") == ["chelsea.jpg"]


def test_keywords_of_an_open_photo(page: Any) -> None:
    ask(page, "a cat")
    viewer = open_tile(page, "chelsea.jpg")
    field = viewer.get_by_label("Add keywords")
    field.fill("Pets, Places|Paris , pets")
    field.press("Enter")
    words = viewer.get_by_role("list", name="Keywords").get_by_role("listitem")
    page.wait_for_function("() => document.querySelectorAll('.keywords .chip').length === 3")
    assert words.all_text_contents() == ["Pets", "Places", "Paris"]
    assert field.input_value() == ""
    assert field.evaluate("field => field === document.activeElement")

    field.fill("pa")
    page.wait_for_function("() => document.querySelector('datalist').dataset.shows === 'pa'")
    known = viewer.locator("datalist option").evaluate_all("all => all.map(one => one.value)")
    assert known == ["Paris"]

    viewer.get_by_role("button", name="Remove Places", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('.keywords .chip').length < 3")
    notice(page, "Keywords changed").get_by_role("button", name="Undo").click()
    page.wait_for_function("() => document.querySelectorAll('.keywords .chip').length === 3")
    field.fill("a" * 201)
    field.press("Enter")
    notice(page, "longer than 200 characters")
    page.keyboard.press("Escape")
    assert ask(page, "keyword:paris") == ["chelsea.jpg"]
    assert ask(page, "pets")[0] == "chelsea.jpg"


def test_a_selection_is_rated_and_tagged(page: Any) -> None:
    found = ask(page, "after:2022")
    assert len(found) >= 2
    for tile in page.locator("#results .tile").all():
        tile.focus()
        page.keyboard.press("x")
    bar = page.get_by_role("region", name="Selected photos")
    bar.get_by_role("button", name="Rate").click()
    dialog = page.get_by_role("dialog", name=f"Rate {len(found)} photos")
    dialog.locator(".star").nth(5).click()
    notice(page, f"{len(found)} photos: 5 stars")
    dialog.wait_for(state="detached")

    bar.get_by_role("button", name="Keywords").click()
    dialog = page.get_by_role("dialog", name=f"Keywords of {len(found)} photos")
    dialog.get_by_label("Add keywords").fill("Trip")
    dialog.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_text(f"{len(found)} of {len(found)}").wait_for()
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("Escape")
    bar.wait_for(state="hidden")
    assert sorted(ask(page, "rating:5 keyword:trip")) == sorted(found)


def test_what_is_not_to_be_changed_is_refused(server: Served) -> None:
    for path, body in (
        ("/api/rating", {"ids": [1], "stars": 6}),
        ("/api/rating", {"ids": ["a"], "stars": 1}),
        ("/api/rating", {"ids": [1 << 70], "stars": 1}),
        ("/api/keywords", {"ids": [1], "add": ["x"] * 101}),
    ):
        assert server.post(path, body).status == 422
    assert server.post("/api/keywords", {"ids": [1], "add": ["a\u0007"]}).status == 400
    answer = server.post("/api/rating", {"ids": [-1, 1 << 62], "stars": 1})
    assert (answer.status, answer.json) == (200, {"undo": []})
    page = {"Origin": "http://elsewhere.example"}
    assert server.post("/api/rating", {"ids": [1], "stars": 1}, page).status == 403
