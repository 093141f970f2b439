"""Names of folders and files, captions and keywords: read in parts, kept for the next process."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import Catalogue, FileStamp, Metadata, NewPhoto
from index.catalogue import id_parts, written_names


def path_of(number: int) -> str:
    return str(Path(f"/photos/{number % 7}/IMG_{number:04}.jpg").absolute())


def record(catalogue: Catalogue, *numbers: int) -> None:
    for number in numbers:
        put(catalogue, path_of(number))


def put(catalogue: Catalogue, path: str, metadata: Metadata | None = None) -> None:
    digest = path.encode()[-32:].ljust(32)
    new = NewPhoto(path, FileStamp(1, 1), 4, 3, "JPEG", digest, metadata or Metadata())
    catalogue.record("model", [new], np.ones((1, 4), np.float32))


def parts_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first ids of the parts that are read from now on, of four ids each."""
    monkeypatch.setattr(id_parts, "AT_ONCE", 4)
    read: list[int] = []
    part = written_names.WrittenNames._part

    def noted(self: written_names.WrittenNames, first: int, end: int) -> Any:
        read.append(first)
        return part(self, first, end)

    monkeypatch.setattr(written_names.WrittenNames, "_part", noted)
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
        told = Metadata(caption="A sandy day", keywords=("Beach", "Ada"), people=("Ada",))
        put(catalogue, path_of(3), told)
        catalogue.selection.refresh()
        whole = catalogue.selection.names()
    read.clear()
    with Catalogue.open(tmp_path, readonly=True) as catalogue:
        assert catalogue.selection.names() == whole
        assert read == []
        assert len(whole.folders) == 7
        assert {"Beach", "Ada"} <= whole.keywords
        assert {"sandy", "day"} <= whole.words
        assert whole.formats == {"JPEG"}
    assert (tmp_path / written_names.FILE_NAME).stat().st_mode & 0o077 == 0
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
        lambda content: json.dumps(json.loads(content) | {"parts": {"0": [[99]] * 4}}).encode(),
        lambda content: json.dumps(json.loads(content) | {"names": [["a"]]}).encode(),
        lambda content: json.dumps(json.loads(content) | {"layout": [2, 4]}).encode(),
        lambda content: json.dumps(json.loads(content) | {"place": "9-9-9-" + "0" * 32}).encode(),
    ],
    ids=["empty", "short", "list", "no parts", "a number", "kinds", "layout", "place"],
)
def test_what_is_kept_and_damaged_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Any
) -> None:
    read = parts_read(monkeypatch)
    with Catalogue.open(tmp_path) as catalogue:
        record(catalogue, *range(1, 11))
        whole = catalogue.selection.names()
    kept = tmp_path / written_names.FILE_NAME
    kept.write_bytes(damage(kept.read_bytes()))
    read.clear()
    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.selection.names() == whole
        assert read == [0, 4, 8]


def test_names_that_no_photo_has_any_more_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts_read(monkeypatch)
    secret = str(Path("/secret/Surprise.jpg").absolute())
    with Catalogue.open(tmp_path) as catalogue:
        put(catalogue, secret)
        record(catalogue, *range(1, 11))
        catalogue.selection.refresh()
        kept = tmp_path / written_names.FILE_NAME
        assert "surprise" in kept.read_text()
        catalogue.forget(secret)
        whole = catalogue.selection.names()
        assert "secret" not in kept.read_text()
        assert "surprise" not in kept.read_text()
    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.selection.names() == whole


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
    shutil.copy(tmp_path / "one" / written_names.FILE_NAME, tmp_path / "other")
    with Catalogue.open(tmp_path / "other") as catalogue:
        folders = catalogue.selection.names().folders
    assert str(Path("/other").absolute()) in folders
    assert str(Path("/one").absolute()) not in folders


def test_a_small_catalogue_keeps_no_names(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        record(catalogue, 1, 2)
        catalogue.selection.refresh()
    assert not (tmp_path / written_names.FILE_NAME).exists()


def test_formats_are_those_of_photos_that_are_there(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.selection.names().formats == frozenset()
        for number, form in enumerate(("JPEG", "PNG", "HEIF", "JPEG")):
            new = NewPhoto(path_of(number), FileStamp(1, 1), 4, 3, form, bytes([number]) * 32)
            catalogue.record("model", [new], np.ones((1, 4), np.float32))
        catalogue.mark_missing([path_of(2), path_of(3)])
        assert catalogue.selection.names().formats == {"JPEG", "PNG"}
