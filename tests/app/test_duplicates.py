"""Duplicates: what is told is there, is the same, and is never the only file."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from copies_on_disk import copied, cut_short, edited, gone, picture, told
from shell import Shell, message

from index import Catalogue, FileStamp, NewPhoto, PhotoFile
from photosearch import Library
from photosearch.search import ondisk
from photosearch.search.duplicates import Duplicates, LeftOut, copies, still_there
from photosearch.search.ondisk import Present, different_files, look_up

pytestmark = pytest.mark.slow


def indexed(library: Library, *folders: Path) -> None:
    list(library.index(folders, workers=1))


# Copies, of which one is the file that is named first


def symbolic_link(folder: Path) -> None:
    (folder / "Album").mkdir()
    (folder / "Album" / "link.jpg").symlink_to(picture(folder / "Photos" / "a.jpg"))


def hard_link(folder: Path) -> None:
    picture(folder / "a.jpg")
    os.link(folder / "a.jpg", folder / "hard.jpg")


def linked_folder(folder: Path) -> None:
    """Entered twice where both are indexed by name."""
    picture(folder / "NAS" / "a.jpg")
    (folder / "Pictures").mkdir()
    (folder / "Pictures" / "nas").symlink_to(folder / "NAS")


def link_to_elsewhere(folder: Path) -> None:
    """Of a file that is not indexed; with a copy here."""
    picture(folder.parent / "elsewhere" / "a.jpg")
    copied(folder.parent / "elsewhere" / "a.jpg", folder / "copy.jpg")
    (folder / "far.jpg").symlink_to(folder.parent / "elsewhere" / "a.jpg")


def test_one_file_is_no_duplicate_of_itself(library: Library, tmp_path: Path) -> None:
    roots: list[Path] = []
    for make in (symbolic_link, hard_link, linked_folder, link_to_elsewhere):
        folder = tmp_path / make.__name__ / "photos"
        folder.mkdir(parents=True)
        make(folder)
        roots += [folder] if make is not linked_folder else sorted(folder.iterdir())
    indexed(library, *roots)
    # The linked folder was entered where it really is, so it is named by itself.
    indexed(library, roots[3])
    assert len(library.search("type:jpeg")) == 8, "each is a photo of the library"
    for read in (True, False):
        groups, left = told(library, read=read)
        assert groups == []
        assert left.pop("far.jpg") == ondisk.LINK
        assert len(left) == 3
        assert set(left.values()) == {ondisk.SAME_FILE}


@pytest.mark.parametrize("first", ["NAS", "Pictures"])
def test_a_copy_of_a_file_that_links_lead_to(library: Library, tmp_path: Path, first: str) -> None:
    """Whichever is indexed first: deleting what is named leaves the photo, under its own path."""
    linked_folder(tmp_path)
    copied(tmp_path / "NAS" / "a.jpg", tmp_path / "Old" / "b.jpg")
    os.link(tmp_path / "NAS" / "a.jpg", tmp_path / "Old" / "hard.jpg")
    indexed(library, tmp_path / first)
    indexed(library, tmp_path / "NAS", tmp_path / "Pictures", tmp_path / "Old")
    (group,) = (each for each in library.photos.duplicates() if isinstance(each, Duplicates))
    kept, *others = (Path(photo.path) for photo in group.photos)
    assert not kept.is_symlink()
    assert kept.resolve() == kept
    assert len(others) == 1
    for other in others:
        other.unlink()
    assert kept.exists()
    assert told(library)[0] == []


def test_a_photo_with_a_raw_is_kept_rather_than_a_mere_copy(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path / "library") as catalogue:
        picture(tmp_path / "a.jpg")
        copied(tmp_path / "a.jpg", tmp_path / "b.jpg")
        stamp = FileStamp((tmp_path / "a.jpg").stat().st_size, 1)
        photos = [
            NewPhoto(str(tmp_path / name), stamp, 60, 40, "JPEG", b"1" * 32)
            for name in ("a.jpg", "b.jpg")
        ]
        catalogue.record("tiny", photos, np.eye(2))
        catalogue.record_companions({str(tmp_path / "b.jpg"): (str(tmp_path / "b.dng"),)})
        (group,) = copies(catalogue, read=True)
    assert isinstance(group, Duplicates)
    assert [Path(photo.path).name for photo in group.photos] == ["b.jpg", "a.jpg"]


# What happened since the index run


def edited_in_secret(path: Path) -> None:
    """As long as before, and with the time of before."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def now_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def now_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def now_a_link(path: Path) -> None:
    other = path.with_name({"a.jpg": "b.jpg", "b.jpg": "a.jpg"}[path.name])
    path.unlink()
    path.symlink_to(other)


def now_a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


HAPPENED = (
    gone,
    edited,
    edited_in_secret,
    cut_short,
    now_a_folder,
    now_a_pipe,
    now_a_link,
    now_a_loop,
)


def test_what_is_no_copy_any_more_is_not_told(library: Library, tmp_path: Path) -> None:
    """Of two there is none left, and of three there are two, whichever it happened to."""
    cases = [
        (happened, name, count)
        for happened in HAPPENED
        for name in ("a.jpg", "b.jpg")
        for count in (2, 3)
    ]
    for number, (_, _, count) in enumerate(cases):
        first = picture(tmp_path / str(number) / "a.jpg")
        for name in ("b.jpg", "c.jpg")[: count - 1]:
            copied(first, first.with_name(name))
    indexed(library, tmp_path)
    for number, (happened, name, _) in enumerate(cases):
        happened(tmp_path / str(number) / name)
    for read in (True, False):
        found = list(library.photos.duplicates(read=read))
        for number, (happened, name, count) in enumerate(cases):
            folder = str(tmp_path / str(number))
            groups = [
                [Path(photo.path).name for photo in each.photos]
                for each in found
                if isinstance(each, Duplicates) and each.photos[0].path.startswith(folder + "/")
            ]
            left = [each.path for each in found if isinstance(each, LeftOut)]
            if happened is edited_in_secret and not read:
                continue  # for which it has to be read
            rest = sorted({"a.jpg", "b.jpg", "c.jpg"} - {name})
            assert groups == ([rest] if count == 3 else []), (happened, name, count, read)
            assert f"{folder}/{name}" in left or happened is now_a_link


def test_copies_that_became_others_are_still_copies(library: Library, tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"):
        copied(tmp_path / "a.jpg", tmp_path / name) if name != "a.jpg" else picture(tmp_path / name)
    indexed(library, tmp_path)
    picture(tmp_path / "b.jpg")
    copied(tmp_path / "b.jpg", tmp_path / "d.jpg")
    groups, left = told(library)
    assert (groups, left) == ([["a.jpg", "c.jpg", "e.jpg"], ["b.jpg", "d.jpg"]], {})
    # Touched, and nothing else.
    os.utime(tmp_path / "c.jpg")
    assert told(library)[0][0] == ["a.jpg", "c.jpg", "e.jpg"]


def test_a_drive_that_is_away_has_nothing_to_spare(library: Library, tmp_path: Path) -> None:
    picture(tmp_path / "here" / "a.jpg")
    copied(tmp_path / "here" / "a.jpg", tmp_path / "drive" / "b.jpg")
    indexed(library, tmp_path / "here", tmp_path / "drive")
    (tmp_path / "drive").rename(tmp_path / "unplugged")
    assert told(library) == ([], {"b.jpg": ondisk.GONE})
    (tmp_path / "unplugged").rename(tmp_path / "drive")
    assert told(library)[0] == [["a.jpg", "b.jpg"]]


def test_each_group_is_looked_up_when_it_is_told(library: Library, tmp_path: Path) -> None:
    for folder in ("1", "2"):
        picture(tmp_path / folder / "a.jpg")
        copied(tmp_path / folder / "a.jpg", tmp_path / folder / "b.jpg")
    indexed(library, tmp_path)
    found = library.photos.duplicates()
    first = next(found)
    assert isinstance(first, Duplicates)
    other = {"1": "2", "2": "1"}[Path(first.photos[0].path).parent.name]
    (tmp_path / other / "a.jpg").unlink()
    assert [type(each) for each in found] == [LeftOut]
    assert still_there(first) == first
    os.utime(first.photos[1].path)
    assert still_there(first) is None


def test_a_file_that_changes_while_it_is_read(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(tmp_path / "a.jpg")
    copied(tmp_path / "a.jpg", tmp_path / "b.jpg")
    indexed(library, tmp_path)
    like = ondisk._like

    def then(kept: Present, others: list[Present]) -> object:
        found = like(kept, others)
        picture(tmp_path / "a.jpg")
        return found

    monkeypatch.setattr(ondisk, "_like", then)
    assert told(library)[0] == []


def test_many_large_copies_are_read_a_piece_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ondisk, "_PIECE", 4)
    monkeypatch.setattr(ondisk, "_OPEN", 2)
    data = bytes(range(23))
    contents = {
        "a": data,
        "b": data,
        "c": data[:-1] + b"\0",
        "d": data,
        "e": b"\1" + data[1:],
        "f": data[:-1] + b"\0",
        "g": data,
    }
    files = []
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        stamp = FileStamp(len(content), 1)
        file = look_up(PhotoFile(1, str(tmp_path / name), stamp, None, 1, 1, "JPEG", False))
        assert isinstance(file, Present)
        files.append(file)
    groups, left = ondisk.same_bytes(files)
    assert [[Path(each.path).name for each in group] for group in groups] == [
        ["a", "b", "d", "g"],
        ["c", "f"],
    ]
    assert [Path(each.path).name for each in left] == ["e"]


@pytest.mark.parametrize(
    ("change", "is_one"),
    [
        ({}, True),
        # A network drive that is mounted twice, once by a protocol that rounds times.
        ({"st_dev": 99, "st_ctime_ns": 1_700_000_000_123_456_700}, True),
        # Another drive, whose file happens to have the same number.
        ({"st_dev": 99, "st_ctime_ns": 1_600_000_000_123_456_700}, False),
        ({"st_dev": 99, "st_size": 11}, False),
        ({"st_ino": 8}, False),
        # Nothing is said, so it may be.
        ({"st_ino": 0}, True),
        ({"st_ino": 0, "st_dev": 99, "st_size": 11}, True),
    ],
)
def test_files_that_may_be_one(change: dict[str, int], is_one: bool) -> None:
    class Status:
        st_dev, st_ino, st_size = 1, 7, 10
        st_ctime_ns = 1_700_000_000_123_456_789

        def __init__(self, **changes: int) -> None:
            vars(self).update(changes)

    photo = PhotoFile(1, "/a", FileStamp(10, 1), None, 1, 1, "JPEG", False)
    one = Present(photo, Status())  # type: ignore[arg-type]
    other = Present(replace(photo, path="/b"), Status(**change))  # type: ignore[arg-type]
    for pair in ((one, other), (other, one)):
        kept, left = different_files(pair)
        assert (len(kept), len(left)) == ((1, 1) if is_one else (2, 0))


# The command line


def test_the_command_says_what_it_left_out(shell: Shell, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for name in ("1", "2", "3"):
        picture(photos / f"{name}a.jpg")
        copied(photos / f"{name}a.jpg", photos / f"{name}b.jpg")
    shell("index", photos)
    (photos / "2a.jpg").unlink()
    (photos / "3b.jpg").unlink()
    os.link(photos / "3a.jpg", photos / "3b.jpg")
    result = shell("duplicates", "-0")
    assert result.returncode == 0
    assert result.stdout == os.fsencode(photos / "1b.jpg") + b"\0"
    said = result.stderr.decode()
    assert "2 photos left out" in said
    assert "is gone (1)" in said
    assert "is the same file by another path (1)" in said
    assert "`photosearch index`" in said
    found = json.loads(shell("duplicates", "--json").stdout)
    assert [[photo["path"] for photo in each["photos"]] for each in found["duplicates"]] == [
        [str(photos / "1a.jpg"), str(photos / "1b.jpg")]
    ]
    assert {Path(each["path"]).name: each["reason"] for each in found["left_out"]} == {
        "2a.jpg": "is gone",
        "3b.jpg": "is the same file by another path",
    }
    text = message(shell("duplicates", "-0", "--similarity", "0.9"), 2)
    assert "--near" in text


@pytest.mark.parametrize(
    ("unreadable", "expected"),
    [("a.jpg", ["b.jpg", "c.jpg"]), ("b.jpg", ["a.jpg", "c.jpg"]), ("c.jpg", ["a.jpg", "b.jpg"])],
)
def test_a_file_that_cannot_be_read_is_not_told(
    library: Library,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unreadable: str,
    expected: list[str],
) -> None:
    picture(tmp_path / "a.jpg")
    copied(tmp_path / "a.jpg", tmp_path / "b.jpg")
    copied(tmp_path / "a.jpg", tmp_path / "c.jpg")
    indexed(library, tmp_path)
    opened = ondisk._opened

    # Permissions do not keep root, by whom tests may be run, from reading.
    def opening(present: Present) -> object:
        if present.path.endswith(unreadable):
            raise PermissionError(13, "Permission denied")
        return opened(present)

    monkeypatch.setattr(ondisk, "_opened", opening)
    reason = "cannot be read (Permission denied)"
    assert told(library) == ([expected], {unreadable: reason})
