"""Marking the open photo as right or wrong for what was described, and learning from that."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_browser import ask, open_tile, watched_page
from optional import needs_chromium
from served import Served, served_here

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(family: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Of a library of its own, of the same photos: what is marked stays marked."""
    library = tmp_path_factory.mktemp("judged") / "library"
    shutil.copytree(family / "library", library)
    with served_here(library) as server:
        yield server


@needs_chromium
def test_an_open_photo_is_marked_and_the_mark_taken_back(browser: Any, server: Served) -> None:
    with watched_page(browser, server, viewport={"width": 1440, "height": 900}) as page:
        ask(page, "a cat type:jpg")
        viewer = open_tile(page, "chelsea.jpg")
        viewer.get_by_text("Right for “a cat”?").wait_for()
        right, wrong = (
            viewer.get_by_role("button", name=name, exact=True) for name in ("Right", "Wrong")
        )
        right.click()
        page.get_by_text("Marked as right for “a cat”").wait_for()
        wrong.click()
        told = page.locator(".notice.on")
        told.get_by_text("Marked as wrong for “a cat”").wait_for()
        assert viewer.locator('.verdict [aria-pressed="true"]').text_content() == "Wrong"
        told.get_by_role("button", name="Undo").click()
        viewer.locator('.verdict [data-side="true"][aria-pressed="true"]').wait_for()
        # The side that is chosen takes it back.
        right.click()
        page.get_by_text("Mark removed").wait_for()
        assert viewer.locator('.verdict [aria-pressed="true"]').count() == 0
        assert viewer.locator(".learn").count() == 0


def test_marks_are_kept_by_the_description_and_learned_from(server: Served) -> None:
    ids = [photo["id"] for photo in server.ask("/api/newest?limit=10").json["hits"]]
    said = {"q": "a cat before:2030", "ids": ids[:1], "right": True}
    assert server.post("/api/verdict", said).json == {
        "query": "a cat",
        "right": True,
        "marks": 1,
        "tuned": 0,
    }
    assert server.ask(f"/api/verdict/{ids[0]}?q=A%20cat").json["right"] is True
    assert server.ask(f"/api/verdict/{ids[1]}?q=a%20cat").json["right"] is None
    learned = server.post("/api/tune", {}).json
    assert (learned["on"], learned["marks"]) == (False, 1)
    assert "too few" in learned["reason"]
    assert server.post("/api/tune/revert", {}).json == {"reverted": False}
    taken = server.post("/api/verdict", {**said, "right": None}).json
    assert (taken["right"], taken["marks"]) == (None, 0)
    for wrong in ({"q": "type:jpg"}, {"ids": [10**9]}, {"ids": [1 << 70]}):
        assert server.post("/api/verdict", {**said, **wrong}).status in (400, 422)
    assert server.ask(f"/api/verdict/{ids[0]}?q=photo:{ids[0]}").status == 400
    page = {"Origin": "http://elsewhere.example"}
    assert server.post("/api/verdict", said, page).status == 403
