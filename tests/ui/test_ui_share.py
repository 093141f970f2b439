"""The dialog in which photos are shared, and a web album as others see it, in a real browser."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accessible import serious, switched
from in_browser import held_back, shows, watched_page
from optional import needs_chromium
from PIL import Image
from served import Served

from photosearch.indexing.decode import read_metadata

PLACE = "#place-browse"

pytestmark = needs_chromium


def select(page: Any, *numbers: int) -> list[str]:
    """Select tiles of the timeline; their names."""
    tiles = page.locator("#browse .grid .tile")
    for number in numbers:
        tiles.nth(number).focus()
        page.keyboard.press("x")
    return [tiles.nth(number).get_attribute("title") for number in numbers]


def open_dialog(page: Any) -> Any:
    """The dialog, once it knows how much there is."""
    page.get_by_role("button", name="Share…").click()
    dialog = page.get_by_role("dialog", name="Share")
    page.locator("dialog.share[data-reckoned]").wait_for()
    return dialog


def pick(dialog: Any, text: str) -> None:
    dialog.locator(".choice").get_by_text(text, exact=True).click()


@pytest.fixture
def page(page: Any) -> Any:
    page.get_by_role("tab", name="Browse").click()
    shows(page, PLACE, "month")
    return page


def go_to(page: Any, chooser: Any, folder: Path) -> None:
    """Walk to a folder as a person does."""
    listed = chooser.locator(".folders[data-shows]:not([aria-busy])")
    listed.wait_for()
    while (here := Path(chooser.locator(".here").text_content())) != Path("/"):
        chooser.get_by_role("button", name="Up", exact=True).click()
        shows(page, ".folders", str(here.parent))
    for inner in (*reversed(folder.parents), folder)[1:]:
        listed.get_by_role("button", name=inner.name, exact=True).click()
        shows(page, ".folders", str(inner))
    chooser.get_by_role("button", name="Choose this folder").click()


def test_small_jpegs_without_a_position_are_what_is_proposed(page: Any) -> None:
    chosen = select(page, 1, 2)
    dialog = open_dialog(page)
    assert dialog.get_by_label("Remove location").is_checked()
    dialog.get_by_text("2 photos, about").wait_for()
    dialog.get_by_label("Size").select_option(label="Other size…")
    dialog.get_by_label("Longest side in pixels").fill("20")
    dialog.get_by_text("a longest side of 20 pixels; give one from 64").wait_for()
    dialog.get_by_label("Longest side in pixels").fill("100")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "photos.zip"
    dialog.get_by_text("2 photos are in your download").wait_for()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == chosen
        for name in chosen:
            with archive.open(name) as file, Image.open(file) as image:
                assert max(image.size) == 100
                assert not image.getexif().get_ifd(0x8825)
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("region", name="Selected photos").get_by_text("2 selected").wait_for()


def test_originals_go_to_a_folder_where_nothing_is_overwritten(
    page: Any, family: Path, tmp_path: Path
) -> None:
    chosen = select(page, 1, 2)
    (tmp_path / chosen[0]).write_text("was here before")
    dialog = open_dialog(page)
    pick(dialog, "Originals")
    assert not dialog.get_by_label("Remove location").is_checked()
    pick(dialog, "Folder")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("Choose a folder first.").wait_for()
    chooser = page.get_by_role("dialog", name="Save to which folder?")
    dialog.get_by_role("button", name="Choose folder").click()
    go_to(page, chooser, family / "photos")
    dialog.get_by_text("This folder is part of your library").wait_for()
    dialog.get_by_role("button", name="Choose folder").click()
    go_to(page, chooser, tmp_path)
    dialog.get_by_text("This folder is part of your library").wait_for(state="detached")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text(f"to {tmp_path}").wait_for()
    assert (tmp_path / chosen[0]).read_text() == "was here before"
    first = Path(chosen[0])
    (original,) = (family / "photos").rglob(chosen[0])
    copied = tmp_path / f"{first.stem} (2){first.suffix}"
    assert copied.read_bytes() == original.read_bytes()
    assert len(list(tmp_path.iterdir())) == 3


def test_it_goes_on_while_its_dialog_is_closed(page: Any) -> None:
    select(page, 1, 2, 3)
    dialog = open_dialog(page)
    with held_back(page, "**/api/share/*") as held:
        with page.expect_download():
            dialog.get_by_role("button", name="Download").click()
        held.wait()
        dialog.get_by_role("button", name="Continue in background").click()
        dialog.wait_for(state="hidden")
        page.get_by_role("button", name="Share…").click()
        dialog.get_by_role("button", name="Stop").wait_for()
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
    page.locator(".notice").get_by_text("3 photos are in your download").wait_for()


@pytest.mark.slow
def test_one_order_at_a_time_that_can_be_stopped(server: Served) -> None:
    ids = [one["id"] for one in server.ask("/api/browse?limit=3").json["hits"]]
    begun = server.post("/api/share", {"ids": ids, "jpeg": True, "side": 64}).json
    assert (begun["state"], begun["total"], begun["folder"]) == ("waiting", 3, None)
    stopped = server.post(f"/api/share/{begun['id']}/stop", {}).json
    assert (stopped["state"], stopped["done"]) == ("stopped", 0)
    assert "begin again" in server.ask(f"/api/share/{begun['id']}/zip").json["error"]
    # One that nobody has fetched gives way to another.
    first, second = (server.post("/api/share", {"ids": ids, "position": True}) for _ in range(2))
    assert server.ask(f"/api/share/{first.json['id']}").status == 400
    answer = server.ask(f"/api/share/{second.json['id']}/zip")
    assert zipfile.is_zipfile(io.BytesIO(answer.body))
    done = server.ask(f"/api/share/{second.json['id']}").json
    assert (done["state"], done["files"], done["left_out"]) == ("done", 3, [])
    for wrong in (
        {"ids": []},
        {"ids": ids, "folder": "/no/such"},
        {"ids": ids, "side": 1, "jpeg": 1},
    ):
        assert server.post("/api/share", wrong).status == 400, wrong


@pytest.fixture(scope="module")
def web_album(browser: Any, server: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A web album, as it comes from an album of the page."""
    hits = server.ask("/api/browse?limit=6").json["hits"]
    album = server.post("/api/albums", {"name": "Six & more"}).json["id"]
    server.post(f"/api/albums/{album}/photos", {"ids": [one["id"] for one in hits]})
    with watched_page(browser, server) as page:
        page.get_by_role("tab", name="Browse").click()
        page.get_by_role("button", name="Albums").click()
        page.get_by_role("button", name="Six & more").click()
        shows(page, PLACE, f"album:{album}")
        dialog = open_dialog(page)
        dialog.get_by_role("heading", name="Share the album Six & more").wait_for()
        pick(dialog, "Web album")
        assert dialog.get_by_label("Title").input_value() == "Six & more"
        dialog.get_by_label("Show places").check()
        with page.expect_download() as download:
            dialog.get_by_role("button", name="Download").click()
        dialog.get_by_text("6 photos are in your download").wait_for()
        place = tmp_path_factory.mktemp("web album")
        with zipfile.ZipFile(download.value.path()) as archive:
            archive.extractall(place)
    server.post(f"/api/albums/{album}/drop", {})
    (folder,) = place.iterdir()
    return folder


@pytest.fixture(params=[(1440, "light", True), (390, "dark", True), (820, "light", False)])
def reader(browser: Any, web_album: Path, request: Any) -> Iterator[Any]:
    """Somebody who opens the album from a disk, without a network; the last without scripts."""
    width, theme, scripts = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=theme,
        locale="en-GB",
        java_script_enabled=scripts,
        offline=True,
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda it: it.url.startswith("file:") or asked.append(it.url))
    page.goto((web_album / "index.html").as_uri())
    yield page
    context.close()
    assert not asked


def test_a_web_album_opens_from_a_disk(reader: Any, web_album: Path) -> None:
    scripts = reader.evaluate("typeof link") == "function"
    width = reader.viewport_size["width"]
    assert reader.get_by_role("heading", level=1).text_content() == "Six & more"
    pictures = reader.locator(".grid img")
    assert pictures.count() == 6
    assert "6 photos" in reader.locator("header").text_content()

    def fits() -> bool:
        return bool(reader.evaluate("document.documentElement.scrollWidth") <= width)

    assert fits()
    if scripts:
        assert serious(reader) == []
        assert "May 2023" in reader.locator("header").text_content()
    pictures.nth(1).click()
    reader.get_by_text("2 of 6").wait_for()
    assert fits()
    large = reader.locator("main img")
    box = large.bounding_box()
    assert box["width"] <= width
    assert box["y"] + box["height"] <= 844
    assert large.evaluate("one => one.decode().then(() => one.naturalWidth)") > 100
    assert "Paris, France" in reader.locator("footer").text_content()
    if scripts:
        assert serious(reader) == []
        reader.keyboard.press("ArrowRight")
    else:
        reader.get_by_role("link", name="Next photo").click()
    reader.get_by_text("3 of 6").wait_for()
    reader.get_by_role("link", name="Previous photo").click()
    reader.get_by_text("2 of 6").wait_for()
    reader.get_by_role("link", name="All photos").click()
    reader.locator(".grid").wait_for()
    for path in (web_album / "photos").iterdir():
        assert read_metadata(str(path)).latitude is None


def test_the_dialog_is_for_everybody(page: Any) -> None:
    select(page, 1, 2)
    dialog = open_dialog(page)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for what in ("Photos", "Web album"):
            pick(dialog, what)
            assert serious(page) == []
            assert dialog.evaluate("one => one.scrollWidth <= one.clientWidth")
        # Each is reached by the keyboard.
        dialog.locator("input[name=share-what][value=web_album]").press("ArrowLeft")
        assert dialog.locator("input[name=share-what][value=photos]").is_checked()
        switched(page)
