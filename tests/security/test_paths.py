"""Paths as SQLite text: every one that a file system allows comes back as it was."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from catalogue_data import BUNDLE, new_photo, unit_vectors
from optional import leave_out

from index import Catalogue, FileStamp, Problem
from index.paths import path_to_text, text_to_path

ALL_BYTES = b"/photos/" + bytes(range(1, 256)) + b".jpg"

PATHS = [
    "/photos/plain.jpg",
    "/photos/été 日本 🐕.jpg",
    "/photos/line\nbreak.jpg",
    "",
    ALL_BYTES.decode("utf-8", "surrogateescape"),
    b"/photos/caf\xe9.jpg".decode("utf-8", "surrogateescape"),
    "C:\\photos\\\ud83d alone \udc36.jpg",  # unpaired units, which Windows allows
    "/photos/\U0010f080.jpg",  # real private-use characters of the block that is used here
    "/photos/\U0010f000\U0010f7ff\U0010f800\U0010f800.jpg",
    "/photos/\U0010f800\udc80\U0010f480.jpg",
    "/photos/\U0010ffff.jpg",
]


@pytest.mark.parametrize("path", PATHS, ids=ascii)
def test_a_path_comes_back_through_sqlite(path: str) -> None:
    text = path_to_text(path)

    with closing(sqlite3.connect(":memory:")) as database:
        (stored,) = database.execute("SELECT ?", [text]).fetchone()

    assert text_to_path(stored) == path


def test_every_code_point_that_could_be_confused_comes_back_and_stands_apart() -> None:
    codes = [*range(0xD7FE, 0xE002), *range(0x10EFFE, 0x10F803)]
    paths = [f"a{chr(code)}b" for code in codes]

    texts = [path_to_text(path) for path in paths]

    assert len(set(texts)) == len(paths)
    assert [text_to_path(text) for text in texts] == paths
    "".join(texts).encode("utf-8")  # no surrogate is left


@pytest.mark.parametrize("path", PATHS[:4], ids=ascii)
def test_a_path_that_is_text_stands_for_itself(path: str) -> None:
    assert path_to_text(path) == path


def test_a_file_whose_name_is_not_text_can_be_opened_by_what_the_catalogue_gives(
    tmp_path: Path,
) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9 \xff\xfe.jpg"
    try:
        with open(raw, "wb") as file:
            file.write(b"content")
    except OSError:
        leave_out("a file system that takes any name")
    with Catalogue.open(tmp_path / "library") as catalogue:
        catalogue.record(BUNDLE, [new_photo(os.fsdecode(raw))], unit_vectors(1))

    with Catalogue.open(tmp_path / "library") as catalogue:
        (found,) = catalogue.photos([1])
        known = catalogue.stamps(str(tmp_path), BUNDLE)

    assert Path(found.path).read_bytes() == b"content"
    assert os.fsencode(found.path) == raw
    assert list(known) == [os.fsdecode(raw)]


def test_a_library_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/50% ?#\xe9 library"))
    try:
        folder.mkdir()
    except OSError:
        leave_out("a file system that takes any name")
    with Catalogue.open(folder) as catalogue:
        catalogue.record(BUNDLE, [new_photo("/a.jpg")], unit_vectors(1))

    with Catalogue.open(folder, readonly=True) as catalogue:
        assert catalogue.counts().photos == 1


def test_real_files_of_odd_names_go_through_every_call(tmp_path: Path) -> None:
    names = [
        b"line\nbreak\r\t.jpg",
        b"100%25 %s {0}.jpg",
        b'it\'s "quoted" `x` \\.jpg',
        b"x'); DROP TABLE photos; --.jpg",
        b"*?[a]_%.jpg",
        b"-n.jpg",
        b"e\xcc\x81 not \xc3\xa9.jpg",
        b"half \xe7\x8a.jpg",
        b"a" * 246 + b".jpg",
        b"\x01\x7f\x80.jpg",
    ]
    folder = os.fsencode(tmp_path) + b"/odd \xe9"
    paths = [os.fsdecode(folder + b"/" + name) for name in names]
    try:
        os.mkdir(folder)
        for path in paths:
            Path(path).write_bytes(b"x")
    except OSError:
        leave_out("a file system that takes any name")
    root = os.fsdecode(folder)
    with Catalogue.open(tmp_path / "library") as catalogue:
        catalogue.add_folder(root)
        catalogue.record(BUNDLE, [new_photo(path) for path in paths], unit_vectors(len(paths)))

    with Catalogue.open(tmp_path / "library") as catalogue:
        assert catalogue.folders() == [root]
        ids, _ = catalogue.embeddings(BUNDLE)
        found = [photo.path for photo in catalogue.photos(ids.tolist())]
        assert found == paths
        assert all(os.path.isfile(path) for path in found)
        assert set(catalogue.stamps(root, BUNDLE)) == set(paths)
        catalogue.mark_missing(paths[::2])
        assert set(catalogue.paths(root, missing=True)) == set(paths[::2])
        assert set(catalogue.paths(root, missing=False)) == set(paths[1::2])
        catalogue.record_problems([Problem(path, FileStamp(9, 9), path) for path in paths])
        assert {(item.path, item.reason) for item in catalogue.problems()} == {
            (path, path) for path in paths
        }
        catalogue.forget_problems(paths)
        assert catalogue.problems() == []


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("C:\\", ["C:\\Photos 2\\d.jpg", "C:\\Photos\\b.jpg", "C:\\a.jpg"]),
        ("C:\\Photos", ["C:\\Photos\\b.jpg"]),
        ("C:\\Photos\\", ["C:\\Photos\\b.jpg"]),
        ("D:\\", ["D:\\c.jpg"]),
        ("\\\\nas\\photos", ["\\\\nas\\photos\\e.jpg"]),
        ("E:\\", []),
    ],
)
def test_what_lies_below_a_drive_of_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, expected: list[str]
) -> None:
    paths = [
        "C:\\a.jpg",
        "C:\\Photos\\b.jpg",
        "C:\\Photos 2\\d.jpg",
        "D:\\c.jpg",
        "\\\\nas\\photos\\e.jpg",
        "\\\\nas\\photos2\\f.jpg",
    ]
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, [new_photo(path) for path in paths], unit_vectors(len(paths)))
        monkeypatch.setattr(os, "sep", "\\")
        assert catalogue.paths(folder, missing=False) == expected
        assert sorted(catalogue.stamps(folder, BUNDLE)) == expected
        assert catalogue.forget(folder) == len(expected)
        assert set(catalogue.stamps("C:\\", BUNDLE)).isdisjoint(expected)


def test_what_lies_below_the_root(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, [new_photo("/a.jpg"), new_photo("/b/c.jpg")], unit_vectors(2))
        assert catalogue.paths("/", missing=False) == ["/a.jpg", "/b/c.jpg"]
