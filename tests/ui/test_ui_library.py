"""The library page in a real browser: models, health, disk, watching, taking folders out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from in_browser import photo_dialog, reload, settled, shows
from optional import needs_chromium
from PIL import Image, ImageDraw, ImageFont
from served import Served, served_here

from photosearch import Library, __version__

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    return indexed(tmp_path_factory.mktemp("kept"), pictures)


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Served]:
    with served_here(place / "library") as server:
        yield server


@pytest.fixture
def page(page: Any) -> Any:
    # No picture is on its way any more that a test could take out of the library.
    settled(page)
    page.get_by_role("tab", name="Library").click()
    shows(page, "#place-library", "library")
    return page


def indexed(place: Path, pictures: Path, model: Path | None = None) -> Path:
    """`place`, with photos and the library of them."""
    shutil.copytree(pictures, place / "photos")
    (place / "photos" / "broken.jpg").write_bytes(b"no picture")
    shutil.copyfile(place / "photos" / "coins.png", place / "photos" / "coins again.png")
    with Image.open(place / "photos" / "coffee.png") as coffee:
        coffee.resize((300, 200)).save(place / "photos" / "coffee small.png")
    return known(place, model)


def known(place: Path, model: Path | None) -> Path:
    with Library.open(place / "library", model=model) as library:
        for _ in library.index([place / "photos"], workers=1):
            pass
    return place


def test_it_tells_what_there_is(page: Any, place: Path) -> None:
    library = page.locator("#library")
    library.get_by_text("1 file could not be read").wait_for()
    library.get_by_text(str(place / "photos" / "broken.jpg")).wait_for()
    # Those on offer have licences and cards as well.
    active = library.locator(".models > li", has_text="used for searches")
    active.get_by_text("licence: Apache-2.0").wait_for()
    active.get_by_text("Model card").click()
    assert "mobileclip" in active.locator(".card-text").text_content().lower()
    library.get_by_text("Catalogue", exact=True).wait_for()


def test_the_licences_are_shown(page: Any) -> None:
    link = page.locator("#library").get_by_role("link", name="Version and licences")
    answer = page.request.get(urljoin(page.url, link.get_attribute("href")))
    assert answer.ok
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.text()
    assert text.startswith(f"photosearch {__version__}\n")
    assert "Apache License" in text


def test_what_is_there_more_than_once(page: Any, place: Path) -> None:
    page.get_by_role("tab", name="Browse").click()
    page.get_by_role("button", name="Duplicates").click()
    shows(page, "#place-browse", "duplicates")
    page.get_by_text("photosearch deletes nothing").wait_for()
    page.get_by_text("1 redundant photo").wait_for()
    groups = page.locator(".groups > li")
    assert groups.count() == 1
    groups.get_by_role("heading", name="Exact copies").wait_for()
    assert groups.locator(".path").all_text_contents() == [
        str(place / "photos" / name) for name in ("coins again.png", "coins.png")
    ]

    page.get_by_label("Include near-duplicates").check()
    shows(page, ".duplicates", "near")
    page.get_by_text("2 redundant photos").wait_for()
    alike = groups.filter(has_text="Near-duplicates (")
    photos = alike.locator("ul > li")
    assert photos.count() == 2
    # The larger one first, and it says so.
    photos.first.get_by_text("Best").wait_for()
    photos.first.get_by_text("600").wait_for()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    photos.last.get_by_role("button", name="Copy path").click()
    page.get_by_text("Path copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == str(place / "photos" / "coffee small.png")
    photos.last.get_by_role("button", name="coffee small.png").click()
    photo_dialog(page, "coffee small.png")
    page.keyboard.press("ArrowLeft")
    photo_dialog(page, "coffee.png")
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement.ariaLabel?.startsWith('coffee.png')")


def test_the_doctor_examines_and_mends(page: Any, place: Path) -> None:
    (stored,) = (place / "library" / "vectors").glob("*.faiss")
    stored.write_bytes(stored.read_bytes()[:100])
    page.get_by_role("button", name="Check now").click()
    assert shows(page, ".findings", "examined").locator(".wrong").count() > 0
    page.get_by_role("button", name="Repair").click()
    assert shows(page, ".findings", "repaired").locator(".fixed").count() > 0
    page.get_by_role("button", name="Check now").click()
    found = shows(page, ".findings", "examined")
    assert found.locator(".ok").count() > 0
    assert found.locator(".wrong").count() == 0


class TestWhatChangesTheLibrary:
    """Each has a library of its own: what it leaves is no other's beginning."""

    @pytest.fixture
    def place(self, tmp_path: Path, pictures: Path, tiny_bundle: Path) -> Path:
        return indexed(tmp_path, pictures, tiny_bundle)

    @pytest.fixture
    def server(self, place: Path, tiny_bundle: Path) -> Iterator[Served]:
        with served_here(place / "library", tiny_bundle) as server:
            yield server

    def test_while_folders_are_watched_a_new_photo_comes_by_itself(
        self, page: Any, place: Path
    ) -> None:
        page.get_by_label("Watch these folders").check()
        source = place / "photos" / "chelsea.png"
        shutil.copyfile(source, place / "photos" / "another.png")
        page.wait_for_function(
            "async () => (await (await fetch('/api/newest')).json()).hits[0].name == 'another.png'"
        )
        reload(page)
        page.get_by_role("tab", name="Library").click()
        shows(page, "#place-library", "library")
        watching = page.get_by_label("Watch these folders")
        assert watching.is_checked()
        watching.uncheck()
        page.wait_for_function(
            "async () => !(await (await fetch('/api/state')).json()).progress.watching"
        )

    def test_a_folder_is_taken_out_and_its_photos_stay(self, page: Any, place: Path) -> None:
        page.get_by_role("button", name="Remove from library").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove from library").click()
        page.get_by_text("No folders yet.").wait_for()
        assert (place / "photos" / "chelsea.png").is_file()


class TestText:
    @pytest.fixture
    def place(self, tmp_path: Path, pictures: Path, tiny_bundle: Path) -> Path:
        """A sign, and a photo without any text; to read a large one takes as long as the rest."""
        (tmp_path / "photos").mkdir()
        sign = Image.new("RGB", (640, 160), "white")
        ImageDraw.Draw(sign).text((40, 50), "Invoice 4711", "black", ImageFont.load_default(44))
        sign.save(tmp_path / "photos" / "sign.png")
        with Image.open(pictures / "coffee.png") as coffee:
            coffee.resize((300, 200)).save(tmp_path / "photos" / "coffee.png")
        return known(tmp_path, tiny_bundle)

    @pytest.fixture
    def server(self, place: Path, tiny_bundle: Path) -> Iterator[Served]:
        with served_here(place / "library", tiny_bundle) as server:
            yield server

    def test_text_in_photos_is_read_while_it_is_switched_on(
        self, page: Any, server: Served, place: Path, tiny_bundle: Path
    ) -> None:
        def reading() -> Any:
            return server.ask("/api/reading").json

        assert (reading()["on"], reading()["read"]) == (False, 0)
        # It comes to no end as long as something else changes the library.
        library = Library.open(place / "library", model=tiny_bundle)
        with library, library.writing():
            page.get_by_label("Read the text in my photos").check()
            page.get_by_role("progressbar", name="Text in photos").wait_for()
        # It is not in the way of a change of the library.
        page.get_by_role("button", name="Look for new photos").click()
        page.locator("#library").get_by_text("0 photos added").wait_for()
        # It gives way to all else that runs, here to other tests.
        page.get_by_text("2 of 2 photos read; text found in").wait_for(timeout=300_000)
        (found,) = server.ask("/api/search?q=%22invoice%22").json["hits"]
        assert found["name"] == "sign.png"
        assert server.ask(f"/api/photo/{found['id']}").json["text"] == "Invoice 4711"
        page.get_by_label("Read the text in my photos").uncheck()
        page.wait_for_function("async () => !(await (await fetch('/api/reading')).json()).on")
        assert reading()["read"] == 2
