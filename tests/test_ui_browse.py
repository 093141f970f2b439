"""Browsing, albums, selecting and handing photos out, in a real browser."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from optional import needs_chromium

pytestmark = needs_chromium


@pytest.fixture
def page(page: Any) -> Any:
    page.get_by_role("tab", name="Browse").click()
    page.locator("#browse .grid .tile").first.wait_for()
    return page


def headings(page: Any) -> list[str]:
    return list(page.locator("#browse h3").all_text_contents())


def tiles(page: Any) -> Any:
    return page.locator("#browse .grid .tile")


def test_the_timeline_goes_to_a_month(page: Any) -> None:
    assert "August 2018" in headings(page)
    assert headings(page).index("May 2023") < headings(page).index("August 2018")
    page.get_by_label("Go to month").select_option(label="August 2018 (4)")
    page.wait_for_function("document.querySelector('#browse h3').textContent == 'August 2018'")


def test_cameras_and_folders_hold_their_photos(page: Any) -> None:
    page.get_by_role("button", name="Cameras").click()
    page.get_by_role("button", name="Pixel 6").click()
    page.wait_for_function("document.querySelectorAll('#browse .grid .tile').length == 9")
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Folders").click()
    page.get_by_role("button", name="photos / 2018 4 photos").click()
    page.wait_for_function("document.querySelectorAll('#browse .grid .tile').length == 4")


def test_a_favourite_is_kept(page: Any) -> None:
    tiles(page).first.click()
    viewer = page.get_by_role("dialog", name="Photo")
    name = viewer.get_by_role("heading", level=2).text_content()
    heart = viewer.get_by_role("button", name="Favourite")
    heart.wait_for()
    page.keyboard.press("f")
    page.wait_for_selector(".heart-button[aria-pressed=true]")
    page.keyboard.press("Escape")

    page.reload()
    page.get_by_role("tab", name="Browse").click()
    page.get_by_role("button", name="Favourites").click()
    page.wait_for_function("document.querySelectorAll('#browse .grid .tile').length == 1")
    assert tiles(page).first.get_attribute("title") == name
    assert page.locator("#browse li.favourite").count() == 1


def test_selected_photos_make_an_album_a_zip_and_copies(
    page: Any, family: Path, tmp_path: Path
) -> None:
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

    (tmp_path / chosen[0]).write_text("was here before")
    for _ in range(2):
        bar.get_by_role("button", name="Copy to folder").click()
        chooser = page.get_by_role("dialog", name="Copy the photos to which folder?")
        go_to(page, chooser, tmp_path)
        chooser.get_by_role("button", name="Choose this folder").click()
        page.get_by_text("2 photos are copied").wait_for()
        bar.wait_for(state="hidden")
        assert (tmp_path / chosen[0]).read_text() == "was here before"
        assert (tmp_path / chosen[1]).stat().st_size > 0
        tiles(page).nth(1).focus()
        page.keyboard.press("x")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("x")
    assert len(list(tmp_path.iterdir())) == 5

    bar.get_by_role("button", name="Add to album").click()
    page.get_by_label("New album").fill("Best of all")
    page.keyboard.press("Enter")
    page.get_by_text("2 photos are in Best of all").wait_for()
    page.get_by_role("button", name="Albums").click()
    page.get_by_role("button", name="Best of all").click()
    page.wait_for_function("document.querySelectorAll('#browse .grid .tile').length == 2")
    page.get_by_role("button", name="Delete album").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete album").click()
    page.get_by_text("No album yet.").wait_for()


def go_to(page: Any, chooser: Any, folder: Path) -> None:
    """Walk to a folder as a person does."""
    chooser.locator(".here").get_by_text("/").wait_for()
    while chooser.locator(".here").text_content() != "/":
        before = chooser.locator(".here").text_content()
        chooser.get_by_role("button", name="Up").click()
        page.wait_for_function(
            "was => document.querySelector('.here').textContent != was", arg=before
        )
    for part in folder.parts[1:]:
        chooser.locator(".folders").get_by_role("button", name=part, exact=True).click()
        page.wait_for_function(
            "part => document.querySelector('.here').textContent.endsWith('/' + part)", arg=part
        )
