"""What the page says and does when folders, photos or the library itself come and go."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_browser import ask, photo_dialog, reload, results_of, settled, shows, watched_page
from optional import needs_chromium
from served import Served, served_here

from photosearch import Library

pytestmark = needs_chromium

HIDDEN = "Not connected; 6 photos hidden, none lost"
LOOK = "dispatchEvent(new Event('focus'))"


@pytest.fixture
def folder(photos: Path, tmp_path: Path, tiny_bundle: Path) -> Path:
    """A folder of six photos, in a library beside it."""
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        for _ in library.index([photos], workers=1):
            pass
    return photos


@pytest.fixture
def server(folder: Path, tmp_path: Path, tiny_bundle: Path) -> Iterator[Served]:
    with served_here(tmp_path / "library", tiny_bundle) as server:
        yield server


def index_again(page: Any) -> None:
    page.get_by_role("tab", name="Library").click()
    shows(page, "#place-library", "library")
    page.get_by_role("button", name="Look for new photos").click()


def library_card(page: Any) -> Any:
    return page.locator("#library").get_by_role("region", name="Indexing")


@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
def test_a_drive_that_is_not_connected_is_said(page: Any, folder: Path, left: str) -> None:
    results_of(page, "")
    settled(page)
    away = folder.rename(folder.with_name("unplugged"))
    if left == "an empty folder":
        folder.mkdir()
    index_again(page)
    library_card(page).get_by_role("heading", name=HIDDEN).wait_for()
    assert "All photos are indexed" not in page.locator("body").inner_text()
    assert "could not be read" not in library_card(page).inner_text()
    page.locator("#library .known").get_by_text(HIDDEN).wait_for()

    for _ in range(2):
        page.get_by_role("tab", name="Search").click()
        page.locator("#results .absent").get_by_text(HIDDEN).wait_for()
        assert str(folder) in page.locator("#results .absent").inner_text()
        assert ask(page, "a cat") == []
        assert page.get_by_label("Describe a photo").is_visible()
        assert not page.get_by_role("heading", name="Find any photo").is_visible()
        page.get_by_role("tab", name="Browse").click()
        page.get_by_role("button", name="Timeline").click()
        shows(page, "#place-browse", "month")
        page.locator("#browse .absent").get_by_text(HIDDEN).wait_for()
        page.get_by_text("All photos are hidden until their folder is back.").wait_for()
        page.get_by_role("button", name="Cameras").click()
        shows(page, "#place-browse", "camera")
        page.get_by_text("All photos are hidden until their folder is back.").wait_for()
        reload(page)

    if folder.is_dir():
        folder.rmdir()
    away.rename(folder)
    index_again(page)
    library_card(page).get_by_role("heading", name="All photos are indexed").wait_for()
    page.get_by_role("tab", name="Search").click()
    page.locator("#results .absent").wait_for(state="hidden")
    # The search that is asked is answered anew.
    page.wait_for_function("() => document.querySelectorAll('#results .tile').length == 6")


def test_a_folder_that_goes_while_the_page_is_open_is_said(page: Any, folder: Path) -> None:
    results_of(page, "")
    settled(page)
    shutil.rmtree(folder)
    page.evaluate(LOOK)
    page.locator("#results .absent").get_by_text("Not connected").wait_for()
    page.get_by_role("tab", name="Library").click()
    page.locator("#library .known").get_by_text("Not connected").wait_for()


@pytest.mark.slow
def test_the_answers_say_which_folder_is_not_connected(server: Served, folder: Path) -> None:
    assert server.ask("/api/state").json["not_connected"] == []
    folder.rename(folder.with_name("unplugged"))
    (told,) = server.ask("/api/state").json["not_connected"]
    assert told == {"path": str(folder), "hidden": 0}


def test_a_library_that_is_deleted_while_the_page_is_open_is_said(
    browser: Any, server: Served, folder: Path, tmp_path: Path
) -> None:
    expected = ("Failed to load resource: the server responded with a status of 500",)
    gone = "the library is not there any more"
    library = tmp_path / "library"
    with watched_page(browser, server, expected=expected) as page:
        away = library.rename(tmp_path / "moved")
        page.evaluate(LOOK)
        page.locator("#results .absent").get_by_text(gone).wait_for()
        page.get_by_label("Describe a photo").fill("a cat")
        page.locator("#place-results > .warning").get_by_text(gone).wait_for()
        page.get_by_role("tab", name="Browse").click()
        page.get_by_role("button", name="Cameras").click()
        page.locator("#place-browse > .warning").get_by_text(gone).wait_for()
        page.get_by_role("tab", name="Library").click()
        page.get_by_role("button", name="Look for new photos").click()
        page.get_by_role("status").get_by_text(gone).wait_for()
        # Nothing makes an empty one in its place.
        page.get_by_role("button", name="Check now").click()
        page.locator(".findings .warning").wait_for()
        assert not library.exists()

        away.rename(library)
        page.evaluate(LOOK)
        page.get_by_role("tab", name="Search").click()
        page.locator("#results .absent").wait_for(state="hidden")
        assert len(ask(page, "a dog")) == 6


@pytest.mark.slow
def test_another_library_in_its_place_is_the_one_that_is_asked(
    server: Served, folder: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    assert server.ask("/api/state").json["photos"] == 6
    (folder / "coins.png").unlink()
    with Library.open(tmp_path / "other", model=tiny_bundle) as library:
        for _ in library.index([folder], workers=1):
            pass
    (tmp_path / "library").rename(tmp_path / "before")
    (tmp_path / "other").rename(tmp_path / "library")
    assert server.ask("/api/state").json["photos"] == 5


def test_a_search_takes_in_the_photos_that_are_indexed_meanwhile(
    page: Any, folder: Path, pictures: Path, server: Served
) -> None:
    # As if the run went on: what is shown by then has come while it did.
    page.route("**/api/progress", going_on)
    ask(page, "a cat")
    page.get_by_label("Stack bursts and copies").uncheck()
    before = results_of(page, "a cat", collapse=False)
    assert len(before) == 6
    tile = page.locator(f"#results .tile[title='{before[3]}']")
    tile.focus()
    tile.evaluate("tile => window.kept = tile")
    for copy in ("first", "second"):
        other = folder.with_name(copy)
        other.mkdir()
        content = (pictures / "chelsea.png").read_bytes()
        (other / f"{copy}.png").write_bytes(content + copy.encode())
        assert server.post("/api/index", {"folders": [str(other)]}).status == 200
        page.evaluate(LOOK)
        page.locator(f"#results .tile[title='{copy}.png']").wait_for()
    page.get_by_text("8 photos, best matches first").wait_for()
    assert page.locator("#place-results").get_attribute("aria-busy") is None
    # What was there stayed, with the focus.
    assert page.evaluate("document.activeElement === window.kept")
    names = page.locator("#results .tile").evaluate_all("all => all.map(one => one.title)")
    assert sorted(names) == sorted([*before, "first.png", "second.png"])
    page.keyboard.press("Enter")
    photo_dialog(page, before[3])
    settled(page)
    # One that is on its way would be answered twice.
    page.unroute_all(behavior="wait")


def going_on(route: Any) -> None:
    answer = route.fetch()
    told = json.loads(answer.text())
    if told["state"] == "done":
        told |= {"state": "indexing", "running": True}
    route.fulfill(response=answer, json=told)
