"""The words and folders of file names, read in parts, and kept for the next process."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import Catalogue, FileStamp, Metadata, NewPhoto
from index.catalogue import file_names


def path_of(number: int) -> str:
    return str(Path(f"/photos/{number % 7}/IMG_{number:04}.jpg").absolute())


def record(catalogue: Catalogue, *numbers: int) -> None:
    for number in numbers:
        put(catalogue, path_of(number))


def put(catalogue: Catalogue, path: str) -> None:
    new = NewPhoto(path, FileStamp(1, 1), 4, 3, "JPEG", path.encode()[-32:].ljust(32), Metadata())
    catalogue.record("model", [new], np.ones((1, 4), np.float32))


def parts_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first ids of the parts that are read from now on, of four ids each."""
    monkeypatch.setattr(file_names, "_AT_ONCE", 4)
    read: list[int] = []
    part = file_names.FileNames._part

    def noted(self: file_names.FileNames, first: int) -> Any:
        read.append(first)
        return part(self, first)

    monkeypatch.setattr(file_names.FileNames, "_part", noted)
    return read


def test_names_of_files_are_read_again_where_photos_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = parts_read(monkeypatch)
    with Catalogue.open(tmp_path) as catalogue:
        for number in range(1, 11):
            record(catalogue, number)
        names = catalogue.selection.names()
        assert len(names.folders) == 7
        assert read == [0, 4, 8]
        read.clear()
        catalogue.forget(path_of(3))
        beside = str(Path("/other/Sunset_4711.jpg").absolute())
        new = NewPhoto(beside, FileStamp(1, 1), 4, 3, "JPEG", b"d" * 32, Metadata())
        catalogue.record("model", [new], np.ones((1, 4), np.float32))
        names = catalogue.selection.names()
        assert sorted(read) == [0, 8]
        assert "sunset" in names.words
        assert str(Path("/other").absolute()) in names.folders
        # 10 is in the folder of 3.
        catalogue.mark_missing([path_of(10), beside])
        names = catalogue.selection.names()
        assert "sunset" not in names.words
        assert len(names.folders) == 6
        # What is filtered is of the same photos.
        assert catalogue.selection.ids([]).tolist() == catalogue.shelves.members()[::-1]


def test_names_are_kept_for_the_next_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = parts_read(monkeypatch)
    with Catalogue.open(tmp_path) as catalogue:
        record(catalogue, *range(1, 11))
        catalogue.selection.refresh()
    read.clear()
    with Catalogue.open(tmp_path, readonly=True) as catalogue:
        names = catalogue.selection.names()
        assert read == []
        assert len(names.folders) == 7
        assert names.formats == {"JPEG"}
    assert (tmp_path / file_names.FILE_NAME).stat().st_mode & 0o077 == 0
    # Nobody saw what others have changed since.
    with Catalogue.open(tmp_path) as catalogue:
        put(catalogue, str(Path("/other/Sunset_4711.jpg").absolute()))
    with Catalogue.open(tmp_path) as catalogue:
        assert "sunset" in catalogue.selection.names().words
        assert read == [8]
    read.clear()
    with Catalogue.open(tmp_path) as catalogue:
        assert "sunset" in catalogue.selection.names().words
        assert read == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:40],
        lambda content: b"[]",
        lambda content: json.dumps(json.loads(content) | {"parts": {"0": 5}}).encode(),
        lambda content: json.dumps(json.loads(content) | {"layout": [2, 4]}).encode(),
        lambda content: json.dumps(json.loads(content) | {"place": "9-9-9-" + "0" * 32}).encode(),
    ],
    ids=["empty", "short", "list", "no parts", "layout", "place"],
)
def test_what_is_kept_and_damaged_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Any
) -> None:
    read = parts_read(monkeypatch)
    with Catalogue.open(tmp_path) as catalogue:
        record(catalogue, *range(1, 11))
        whole = catalogue.selection.names()
    kept = tmp_path / file_names.FILE_NAME
    kept.write_bytes(damage(kept.read_bytes()))
    read.clear()
    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.selection.names() == whole
        assert read == [0, 4, 8]


def test_names_of_another_catalogue_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where another library was put in the place of this one."""
    parts_read(monkeypatch)
    for name, first in (("one", 1), ("other", 100)):
        with Catalogue.open(tmp_path / name) as catalogue:
            record(catalogue, *range(first, first + 10))
            put(catalogue, str(Path(f"/{name}/Sunset.jpg").absolute()))
            catalogue.selection.refresh()
    shutil.copy(tmp_path / "one" / file_names.FILE_NAME, tmp_path / "other")
    with Catalogue.open(tmp_path / "other") as catalogue:
        folders = catalogue.selection.names().folders
    assert str(Path("/other").absolute()) in folders
    assert str(Path("/one").absolute()) not in folders


def test_a_small_catalogue_keeps_no_names(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        record(catalogue, 1, 2)
        catalogue.selection.refresh()
    assert not (tmp_path / file_names.FILE_NAME).exists()


def test_formats_are_those_of_photos_that_are_there(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.selection.names().formats == frozenset()
        for number, form in enumerate(("JPEG", "PNG", "HEIF", "JPEG")):
            new = NewPhoto(path_of(number), FileStamp(1, 1), 4, 3, form, bytes([number]) * 32)
            catalogue.record("model", [new], np.ones((1, 4), np.float32))
        catalogue.mark_missing([path_of(2), path_of(3)])
        assert catalogue.selection.names().formats == {"JPEG", "PNG"}
