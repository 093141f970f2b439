"""Drives that do not answer, and pipes in the place of photos: they cost what was asked of them."""

from __future__ import annotations

import http.client
import io
import os
import shutil
import signal
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from in_browser import ask, watched_page
from optional import needs_chromium, needs_linux
from served import Served, served, served_here
from sleeping_drive import SleepingDrive, sleeping_drive

from photosearch import Library, silent_drive
from photosearch.indexing.events import Finished, Indexed
from photosearch.indexing.scan import Found, scan
from photosearch.regular_file import NotRegularError, open_regular
from photosearch.search.ondisk import LeftOut, look_up

pytestmark = [pytest.mark.slow, needs_linux("mounts a drive, and makes pipes")]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    place = tmp_path_factory.mktemp("silent")
    for name, of in (("here", ("coffee.png", "rocket.jpg")), ("away", ("chelsea.png",))):
        (place / name).mkdir()
        for one in of:
            shutil.copyfile(pictures / one, place / name / one)
    return place


@pytest.fixture(scope="module")
def drive(place: Path, tiny_bundle: Path) -> Iterator[SleepingDrive]:
    """A drive that has been indexed, and fell asleep."""
    with sleeping_drive(place / "away", place) as drive:
        with Library.open(place / "library", model=tiny_bundle) as library:
            for _ in library.index([place / "here", drive.folder], workers=1):
                pass
            assert library.status().photos == 3
        settings = place / "library" / "config.toml"
        settings.write_text("decode_seconds = 1\n", encoding="utf-8")
        drive.sleep()
        yield drive


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silent_drive, "SECONDS", 0.5)


def ids(server: Served) -> dict[str, int]:
    return {hit["name"]: hit["id"] for hit in server.ask("/api/newest").json["hits"]}


@pytest.mark.usefixtures("impatient")
def test_a_silent_drive_costs_only_what_was_asked_of_it(
    drive: SleepingDrive, place: Path, tiny_bundle: Path
) -> None:
    with served_here(place / "library", tiny_bundle) as server:
        known = ids(server)
        silent, here = known["chelsea.png"], known["coffee.png"]
        # More than there are threads of any kind, were each to keep one.
        for _ in range(3):
            answer = server.ask(f"/api/original/{silent}")
            assert answer.status == 503
            assert answer.json["error"] == silent_drive.NoAnswerError.told
        assert server.ask(f"/api/original/{silent}/ready").status == 503
        about = server.ask(f"/api/photo/{silent}").json
        assert (about["silent"], about["missing"]) == (True, False)
        assert server.ask(f"/api/screen/{silent}").status == 503
        assert server.ask(f"/api/folders?path={drive.folder}").status == 503

        assert server.ask(f"/api/original/{here}").body == (place / "here/coffee.png").read_bytes()
        assert server.ask(f"/api/original/{here}/ready").status == 200
        assert server.ask(f"/api/screen/{here}").status == 200
        assert server.ask("/api/search?q=a+cat").status == 200
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        sent = server.ask("/api/zip", form, body=f"ids={silent},{here}".encode())
        with zipfile.ZipFile(io.BytesIO(sent.body)) as archive:
            assert archive.namelist() == ["coffee.png", "left out.txt"]
            assert b"its drive does not answer" in archive.read("left out.txt")


@needs_chromium
@pytest.mark.usefixtures("impatient")
def test_the_viewer_says_so(
    drive: SleepingDrive, place: Path, tiny_bundle: Path, browser: Any, tmp_path: Path
) -> None:
    silent = "Failed to load resource: the server responded with a status of 503"
    with (
        served_here(place / "library", tiny_bundle) as server,
        watched_page(browser, server, expected=(silent,)) as page,
    ):
        ask(page, "a cat")
        page.locator("#results .tile[title='chelsea.png']").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("The drive with this file").wait_for()
        dialog.get_by_text("Download").click()
        page.get_by_text(silent_drive.NoAnswerError.told).wait_for()
        page.screenshot(path=tmp_path / "viewer.png")
        page.keyboard.press("Escape")
        page.locator("#results .tile[title='coffee.png']").click()
        with page.expect_download() as download:
            dialog.get_by_text("Download").click()
        saved = Path(download.value.path())
        assert saved.read_bytes() == (place / "here" / "coffee.png").read_bytes()


def test_term_ends_the_server_while_somebody_waits(
    drive: SleepingDrive, place: Path, tiny_bundle: Path
) -> None:
    """Whoever waits is cut off: had the server waited for the drive, it would have answered."""
    got: list[object] = []

    def ask(server: Served, target: str) -> None:
        try:
            got.append(server.ask(target).status)
        except (OSError, http.client.HTTPException):
            got.append("cut off")

    with served(
        place / "library", tiny_bundle, end=signal.SIGTERM, PHOTOSEARCH_DECODE_SECONDS="60"
    ) as server:
        silent = ids(server)["chelsea.png"]
        waiting = [
            threading.Thread(target=ask, args=(server, f"/api/{kind}/{silent}"))
            for kind in ("original", "photo", "screen", "thumbnail")
        ]
        for thread in waiting:
            thread.start()
        assert server.ask("/api/search?q=a+cat").status == 200
    for thread in waiting:
        thread.join()
    assert set(got) <= {500, "cut off"}


@pytest.mark.usefixtures("impatient")
def test_index_and_doctor_go_on_without_it(
    drive: SleepingDrive, place: Path, tiny_bundle: Path
) -> None:
    (told,) = scan(str(drive.folder))
    assert not isinstance(told, Found)
    assert told.reason.startswith("its drive does not answer")
    with Library.open(place / "library", model=tiny_bundle) as library:
        for _ in library.index(workers=1):
            pass
        assert library.status().photos == 2  # the others are hidden, and none is lost
        (gone,) = [
            file for file in library.photos.files(range(1, 4)) if file.path.endswith("chelsea.png")
        ]
        assert gone.missing
        found = look_up(gone)
        assert isinstance(found, LeftOut)
        assert "its drive does not answer" in found.reason
    told = [each.text for each in Library.examine(place / "library", model=tiny_bundle)]
    assert any("its drive does not answer" in text for text in told)


@pytest.mark.usefixtures("impatient")
def test_watch_goes_on_where_drives_answer(
    place: Path, pictures: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    stop = threading.Event()
    with (
        sleeping_drive(place / "away", tmp_path) as drive,
        Library.open(tmp_path / "library", model=tiny_bundle) as library,
        closing(
            library.watch([here, drive.folder], workers=1, quiet=0.1, interval=0.1, stop=stop)
        ) as events,
    ):
        found = {event.paths for event in _until_finished(events) if isinstance(event, Indexed)}
        assert found == {(str(drive.folder / "chelsea.png"),)}
        # What is asked for first, with each look at the folders, is no longer answered.
        drive.sleep()
        shutil.copyfile(pictures / "coffee.png", here / "coffee.png")
        indexed = next(event for event in events if isinstance(event, Indexed))
        assert indexed.paths == (str(here / "coffee.png"),)
        stop.set()
        for _ in events:
            pass
        assert library.status().not_connected == {str(drive.folder): 1}


def _until_finished(events: Iterator[object]) -> Iterator[object]:
    for event in events:
        yield event
        if isinstance(event, Finished):
            return


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotRegularError, match="is not a regular file"):
        open_regular(tmp_path / "pipe")
    with pytest.raises(NotRegularError):
        open_regular("/dev/zero")
    with pytest.raises(NotRegularError):
        open_regular(tmp_path)
