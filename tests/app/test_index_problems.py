"""Files and folders that an index run cannot read: they are listed, and nothing else is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from index_runs import all_below, failed, found, indexed, nested, run, summary

from photosearch import Library, Started
from photosearch.indexing import pipeline
from photosearch.indexing.scan import Found, Unreadable


@pytest.fixture
def photos(tmp_path: Path, pictures: Path) -> Path:
    return nested(pictures, tmp_path / "photos")


def test_bad_files_are_listed_and_the_rest_is_indexed(library: Library, photos: Path) -> None:
    good = all_below(photos)
    whole = (photos / "rocket.jpg").read_bytes()
    bad = {
        "empty.jpg": b"",
        "notes.jpg": b"Dear diary, today I renamed a text file.",
        "below/cut.jpg": whole[: len(whole) // 2],
    }
    for name, content in bad.items():
        (photos / name).write_bytes(content)
    (photos / "dangling.jpg").symlink_to(photos / "nowhere.jpg")
    os.mkfifo(photos / "pipe.png")
    events = run(library, photos)
    assert events[0] == Started(11, 0)
    assert summary(events) == (6, 0, 5, 0)
    assert indexed(events) == good
    reasons = failed(events)
    assert reasons.keys() == {str(photos / name) for name in [*bad, "dangling.jpg", "pipe.png"]}
    assert reasons[str(photos / "empty.jpg")] == "is empty"
    assert "truncated" in reasons[str(photos / "below/cut.jpg")]
    assert dict(library.status().problems) == reasons
    # Damaged files are not read again while they stay as they are.
    again = run(library, photos)
    assert failed(again).keys() == {str(photos / "dangling.jpg"), str(photos / "pipe.png")}
    assert dict(library.status().problems) == reasons


@pytest.mark.slow
def test_a_problem_that_is_mended_leaves_the_list(library: Library, photos: Path) -> None:
    (photos / "chelsea.png").rename(photos / "away.png.part")
    (photos / "chelsea.png").write_bytes(b"half a download")
    assert summary(run(library, photos)) == (5, 0, 1, 0)
    (photos / "away.png.part").replace(photos / "chelsea.png")
    events = run(library, photos)
    assert summary(events) == (1, 5, 0, 0)
    assert indexed(events) == {str(photos / "chelsea.png")}
    assert library.status().problems == []


def test_a_problem_whose_file_is_deleted_leaves_the_list(library: Library, photos: Path) -> None:
    (photos / "empty.jpg").touch()
    run(library, photos)
    assert len(library.status().problems) == 1
    (photos / "empty.jpg").unlink()
    assert summary(run(library, photos)) == (0, 6, 0, 0)
    assert library.status().problems == []


@pytest.mark.slow
def test_a_photo_that_is_damaged_later_is_no_longer_found(library: Library, photos: Path) -> None:
    run(library, photos)
    (photos / "chelsea.png").write_bytes(b"overwritten")
    assert summary(run(library, photos)) == (0, 5, 1, 0)
    assert str(photos / "chelsea.png") not in found(library)


def refuse_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """As a folder is to one who may not list it; root always may."""
    real = pipeline.scan

    def scan(root: str, *others: Any) -> Iterator[Found | Unreadable]:
        if root == str(folder):
            yield Unreadable(root, "Permission denied")
            return
        for item in real(root, *others):
            if not item.path.startswith(f"{folder}{os.sep}"):
                yield item
        if str(folder).startswith(f"{root}{os.sep}"):
            yield Unreadable(str(folder), "Permission denied")

    monkeypatch.setattr(pipeline, "scan", scan)


@pytest.mark.parametrize("place", [".", "below"])
def test_photos_below_a_folder_that_cannot_be_read_stay(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    run(library, photos)
    locked = photos / place
    with monkeypatch.context() as patch:
        refuse_folder(patch, locked)
        events = run(library, photos)
        assert failed(events) == {str(locked): "Permission denied"}
        assert summary(events)[2:] == (1, 0)
        assert len(found(library)) == 6
        assert library.status().problems == [(str(locked), "Permission denied")]
    assert summary(run(library, photos)) == (0, 6, 0, 0)
    assert library.status().problems == []


def test_a_whole_disk_that_cannot_be_read_loses_nothing(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(library, photos)
    refuse_folder(monkeypatch, Path("/"))
    assert summary(run(library, Path("/")))[2:] == (1, 0)
    assert len(found(library)) == 6


@pytest.mark.slow
def test_reasons_outside_a_file_are_tried_again(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that vanished between scan and decoding has not changed when it is back."""
    target, away = photos / "chelsea.png", photos / "chelsea.away"
    target.rename(away)
    real = pipeline.scan
    stamp = pipeline.FileStamp(away.stat().st_size, away.stat().st_mtime_ns)

    def scan(root: str, *others: Any) -> Iterator[Found | Unreadable]:
        yield from real(root, *others)
        yield Found(str(target), stamp)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "scan", scan)
        assert failed(run(library, photos)) == {
            str(target): "disappeared while it was being indexed"
        }
    away.rename(target)
    assert indexed(run(library, photos)) == {str(target)}
    assert library.status().problems == []
