"""Passes in the background: ended by who switches them off, and not held up by damaged files."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from served import served_here

from index import Catalogue, FileStamp, NewPhoto
from photosearch import Library, LibraryError
from photosearch.serving import passes as serving_passes
from photosearch.serving.shrinking import Still
from photosearch.ui import faces, passes
from photosearch.ui.passes import End, Step, in_slices


@pytest.fixture
def slices_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each slice ends behind one photo, and the tests go on at their own priority."""
    monkeypatch.setattr(passes, "_SLICE", -1)
    monkeypatch.setattr(passes, "_GAP", 0)
    monkeypatch.delattr(passes.os, "nice", raising=False)


def of_photos(folder: Path, *photos: Path | str) -> Path:
    """A library of files that nobody has looked at."""
    with Catalogue.open(folder) as catalogue:
        catalogue.record(
            "tiny",
            [
                NewPhoto(str(path), FileStamp(1, 1), 90, 90, "JPEG", bytes([at]) * 32)
                for at, path in enumerate(photos)
            ],
            np.ones((len(photos), 2), np.float32),
        )
    return folder


def test_what_is_switched_off_elsewhere_stays_off(tmp_path: Path) -> None:
    folder = of_photos(tmp_path / "library")
    with Library.open_to_read(folder) as terminal:
        terminal.faces.switch(True)
        looking = faces.finding_faces(folder)
        try:
            assert looking.now.on
            terminal.faces.forget()
            of_photos(folder, tmp_path / "new.jpg")
            assert not looking._wanted()
            assert not looking.now.on
            # And what is switched on there begins.
            terminal.faces.switch(True)
            assert looking.now.on
            assert looking._wanted() or looking.now.running
        finally:
            looking.close()


def test_a_pass_that_breaks_off_as_its_library_is_moved_away_goes_on_later(tmp_path: Path) -> None:
    folder = of_photos(tmp_path / "library")
    looking = faces.finding_faces(folder)
    try:
        folder.rename(tmp_path / "elsewhere")
        # What the thread does that has waited for the process.
        looking._note(None)
        (tmp_path / "elsewhere").rename(folder)
        of_photos(folder, tmp_path / "new.jpg")
        with Library.open_to_read(folder) as terminal:
            terminal.faces.switch(True)
        assert looking._wanted() or looking.now.running
    finally:
        looking.close()


def test_a_pass_that_ends_with_an_error_waits_longer_and_longer(tmp_path: Path) -> None:
    looking = faces.finding_faces(of_photos(tmp_path / "library", tmp_path / "new.jpg"))
    try:
        # No process begins, and this stands in for what is heard of one.
        with looking.paused():
            looking.switch(True)
            pauses = []
            for _ in range(9):
                looking._note(LibraryError("the model is damaged"))
                assert not looking._wanted()
                assert looking.now.error == "the model is damaged"
                pauses.append(round(looking._rest - time.monotonic()))
            assert pauses[:3] == [60, 120, 240]
            assert pauses[-1] == 3600
            # It may begin again, and what was wrong stands there until a photo was looked at.
            looking._rest = 0.0
            assert looking._wanted()
            looking._note(Step(begun=1))
            assert looking.now.error is not None
            looking._note(Step(done=1))
            looking._note(End())
            assert looking.now.error is None
            looking._note(LibraryError("the model is damaged"))
            assert round(looking._rest - time.monotonic()) == 60
            # Who switches it on need not wait.
            looking.switch(True)
            assert looking._wanted()
    finally:
        looking.close()


def test_a_pass_ends_between_slices_when_it_is_switched_off(
    tmp_path: Path, slices_of_one: None
) -> None:
    folder = of_photos(tmp_path / "library")
    begun = []

    def begin() -> Generator[Step, None, None]:
        begun.append(1)
        assert len(begun) < 3
        yield Step(done=1)

    with Library.open(folder) as library, Library.open_to_read(folder) as terminal:
        terminal.faces.switch(True)
        wanted = faces._Switch(folder).get
        assert not in_slices(library, begin, wanted, lambda: terminal.faces.switch(False))
    assert begun == [1]


@pytest.mark.slow
def test_what_cannot_be_read_is_tried_once(
    tmp_path: Path, slices_of_one: None, pictures: Path
) -> None:
    damaged = tmp_path / "a.jpg"
    damaged.write_bytes(b"\xff\xd8\xff nothing")
    whole = tmp_path / "b.png"
    whole.write_bytes((pictures / "astronaut.png").read_bytes())
    folder = of_photos(tmp_path / "library", damaged, whole)
    told: list[Step | End] = []

    def tell(step: Step | End) -> None:
        told.append(step)
        assert sum(isinstance(one, Step) and one.failed for one in told) <= 1

    with Library.open_to_read(folder) as library:
        library.faces.switch(True)
        faces._find(tell, folder)
        assert told[-1] == End(library.faces.unseen())
        assert (len(library.faces.unseen()), library.faces.counts()[:2]) == (1, (1, 1))


@pytest.mark.slow
def test_what_was_recorded_is_not_recorded_again_at_the_end(
    monkeypatch: pytest.MonkeyPatch, pictures: Path
) -> None:
    monkeypatch.setattr(serving_passes, "_COMMIT_SECONDS", 0)
    recorded: list[int] = []
    events = serving_passes.pass_over(
        enumerate(map(str, sorted(pictures.iterdir()))),
        Still(64),
        len,
        record=lambda seen: recorded.extend(seen),
        failed=pytest.fail,
    )
    next(events)
    events.close()
    assert recorded == [0]


@pytest.mark.slow
def test_the_page_forgets_faces_though_the_environment_wants_them(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOSEARCH_FACES", "true")
    # No photo elsewhere is looked at: none waits for it.
    folder = of_photos(tmp_path / "library", "s3://bucket/photo.jpg")
    with served_here(folder, tiny_bundle) as server:
        assert [server.ask(f"/api/{each}").json["photos"] for each in ("faces", "reading")] == [
            0,
            0,
        ]
        told = server.post("/api/faces/forget", {}).json
        assert (told["forgotten"], told["ordered"]) == (0, "PHOTOSEARCH_FACES")
        assert (told["on"], told["held"]) == (True, True)
        monkeypatch.setenv("PHOTOSEARCH_FACES", "")
        told = server.post("/api/faces/forget", {}).json
        assert (told["ordered"], told["on"]) == (None, False)
