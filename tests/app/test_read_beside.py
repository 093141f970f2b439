"""The names of a large library are read again while one types, and nobody waits for that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from index import Catalogue, FileStamp, Metadata, NewPhoto
from photosearch import read_beside
from photosearch.read_beside import ReadBeside
from photosearch.search.tally import Tally


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path / "library") as catalogue:
        record(catalogue, 1, "X100")
        yield catalogue


@pytest.fixture(autouse=True)
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_beside, "_SHORT", -1.0)
    monkeypatch.setattr(read_beside, "_REST", 0)


def record(catalogue: Catalogue, number: int, camera: str) -> None:
    path = str(Path(f"/photos/{number}.jpg").absolute())
    metadata = Metadata(camera=camera)
    new = NewPhoto(path, FileStamp(1, 1), 4, 3, "JPEG", number.to_bytes(32, "big"), metadata)
    catalogue.record("model", [new], np.ones((1, 4), np.float32))


def cameras(tally: Tally) -> set[str]:
    return {one.label for one in tally.names if one.kind == "camera"}


def wait(names: ReadBeside[Tally]) -> None:
    assert names._reading is not None
    names._reading.join(60)
    assert not names._reading.is_alive()


def test_who_types_gets_the_names_of_before_and_then_those_of_now(catalogue: Catalogue) -> None:
    names = ReadBeside(catalogue, Tally.of)
    before = names.now()
    assert names.now() is before
    record(catalogue, 2, "Pixel 7")
    assert names.now() is before
    wait(names)
    assert cameras(names.now()) == {"X100", "Pixel 7"}
    # As it is now, nothing is read.
    assert names._reading is not None
    assert not names._reading.is_alive()


def test_what_is_being_read_ends_when_the_library_is_closed(
    catalogue: Catalogue,
) -> None:
    closed = Catalogue.open(catalogue.folder)

    def read(beside: Catalogue) -> Tally:
        if beside is closed:
            return Tally.of(beside)
        numbers = "WITH RECURSIVE one (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM one)"
        beside._connection.rows(f"{numbers} SELECT max(n) FROM one")
        raise AssertionError

    names = ReadBeside(closed, read)
    before = names.now()
    record(catalogue, 2, "Pixel 7")
    assert names.now() is before
    closed.close()
    assert names._reading is not None
    assert not names._reading.is_alive()


def test_names_that_cannot_be_read_stay_those_of_before(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ReadBeside(catalogue, Tally.of)
    before = names.now()
    file = catalogue.folder / "catalogue.db"
    record(catalogue, 2, "Pixel 7")
    with monkeypatch.context() as patch:
        # Another one is put in its place, which is none of ours.
        patch.setattr(catalogue, "folder", catalogue.folder / "gone")
        assert names.now() is before
        wait(names)
    assert names.now() is before
    wait(names)
    assert cameras(names.now()) == {"X100", "Pixel 7"}
    assert file.is_file()
