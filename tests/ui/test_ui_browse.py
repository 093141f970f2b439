"""Browsing, albums, selecting and handing photos out, in a real browser."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from in_browser import held_back, photo_dialog, reload, shows
from optional import needs_chromium
from served import Served

PLACE = "#place-browse"

pytestmark = needs_chromium


@pytest.fixture
def page(page: Any) -> Any:
    page.get_by_role("tab", name="Browse").click()
    shows(page, PLACE, "month")
    return page


def tiles(page: Any) -> Any:
    return page.locator("#browse .grid .tile")


def test_cameras_and_folders_hold_their_photos(page: Any, family: Path) -> None:
    page.get_by_role("button", name="Cameras").click()
    shows(page, PLACE, "camera")
    page.get_by_role("button", name="Pixel 6").click()
    shows(page, PLACE, "camera:Pixel 6")
    assert tiles(page).count() == 9
    page.get_by_role("button", name="Back").click()
    shows(page, PLACE, "camera")
    page.get_by_role("button", name="Folders").click()
    shows(page, PLACE, "folder")
    page.get_by_role("button", name="photos / 2018 4 photos").click()
    shows(page, PLACE, f"folder:{family / 'photos' / '2018'}")
    assert tiles(page).count() == 4


def test_an_answer_that_comes_late_is_not_shown_for_another(page: Any) -> None:
    with held_back(page, "**/api/browse?by=album*") as held:
        page.get_by_role("button", name="Favourites").click()
        held.wait()
        page.get_by_role("button", name="Cameras").click()
        shows(page, PLACE, "camera")
    shows(page, PLACE, "camera")
    assert page.locator("#browse h2").text_content() == ""
    assert page.locator("#browse .cards li").count() > 0


def test_a_favourite_is_kept(page: Any) -> None:
    tiles(page).first.click()
    viewer = photo_dialog(page)
    name = viewer.get_by_role("heading", level=2).text_content()
    page.keyboard.press("l")
    page.wait_for_selector(".heart-button[aria-pressed=true]")

    reload(page)
    viewer.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Favourites").click()
    shows(page, PLACE, "favourites")
    assert tiles(page).evaluate_all("all => all.map(one => one.title)") == [name]
    assert page.locator("#browse li.favourite").count() == 1


def test_selected_photos_make_an_album_and_a_zip(page: Any, server: Served, family: Path) -> None:
    tiles(page).nth(1).focus()
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    bar = page.get_by_role("region", name="Selected photos")
    bar.get_by_text("2 selected").wait_for()
    chosen = [tiles(page).nth(number).get_attribute("title") for number in (1, 2)]

    with page.expect_download() as download:
        bar.get_by_role("button", name="Download as zip").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(chosen)
        (original,) = (family / "photos").rglob(chosen[0])
        assert archive.read(chosen[0]) == original.read_bytes()

    bar.get_by_role("button", name="Add to album").click()
    page.get_by_label("New album").fill("Best of all")
    page.keyboard.press("Enter")
    page.get_by_text("Added 2 photos to Best of all").wait_for()
    page.get_by_role("button", name="Albums").click()
    shows(page, PLACE, "album")
    page.get_by_role("button", name="Best of all").click()
    (album,) = (one for one in server.ask("/api/albums").json if one["name"] == "Best of all")
    shows(page, PLACE, f"album:{album['id']}")
    assert tiles(page).count() == 2
    page.get_by_role("button", name="Delete album").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete album").click()
    shows(page, PLACE, "album")
    page.get_by_text("No albums yet.").wait_for()


def test_photos_are_taken_out_of_an_album(page: Any, server: Served) -> None:
    bar = page.get_by_role("region", name="Selected photos")
    chosen = [tiles(page).nth(number).get_attribute("title") for number in range(4)]
    for number in range(4):
        tiles(page).nth(number).focus()
        page.keyboard.press("x")
    assert not bar.get_by_role("button", name="Remove from").is_visible()
    bar.get_by_role("button", name="Add to album").click()
    page.get_by_label("New album").fill("Some of them")
    page.keyboard.press("Enter")
    bar.wait_for(state="hidden")
    page.get_by_role("button", name="Albums").click()
    shows(page, PLACE, "album")
    page.get_by_role("button", name="Some of them").click()
    (album,) = (one for one in server.ask("/api/albums").json if one["name"] == "Some of them")
    shows(page, PLACE, f"album:{album['id']}")

    # Two that are selected.
    for number in (0, 1):
        tiles(page).nth(number).focus()
        page.keyboard.press("x")
    bar.get_by_role("button", name="Remove from Some of them").click()
    page.get_by_text("Removed 2 photos from Some of them").wait_for()
    bar.wait_for(state="hidden")
    page.wait_for_function("() => document.querySelectorAll('#browse .grid .tile').length == 2")
    assert tiles(page).evaluate_all("all => all.map(one => one.title)") == chosen[2:]

    # One that is open; the next one is then the other.
    tiles(page).first.click()
    viewer = photo_dialog(page, chosen[2])
    albums = viewer.get_by_role("list", name="In albums")
    albums.get_by_text("Some of them").wait_for()
    albums.get_by_role("button", name="Remove from Some of them").click()
    albums.get_by_text("Some of them").wait_for(state="detached")
    page.wait_for_function("() => document.querySelectorAll('#browse .grid .tile').length == 1")
    page.keyboard.press("ArrowRight")
    photo_dialog(page, chosen[3])
    # What is put in says so at once.
    viewer.get_by_role("button", name="Remove from Some of them").click()
    viewer.get_by_role("listitem").get_by_text("Some of them").wait_for(state="detached")
    viewer.get_by_role("button", name="Add to album").click()
    page.get_by_role("dialog", name="Add to which album?").get_by_text("Some of them").click()
    viewer.get_by_role("listitem").get_by_text("Some of them").wait_for()
    page.keyboard.press("Escape")
    viewer.wait_for(state="hidden")

    assert server.post(f"/api/albums/{album['id']}/drop", {}).status == 200
    page.get_by_role("button", name="Timeline").click()
    shows(page, PLACE, "month")
    tiles(page).first.focus()
    page.keyboard.press("x")
    bar.wait_for()
    assert not bar.get_by_role("button", name="Remove from").is_visible()
