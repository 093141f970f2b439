"""Finding pictures under folders: what is found, what is left out, what cannot be looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from optional import needs_user

from index import FileStamp
from photosearch.errors import UsageError
from photosearch.formats import SUFFIXES
from photosearch.indexing.scan import Found, Unreadable, resolve_roots, scan


def put(path: Path, content: bytes = b"picture") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def found(root: Path) -> list[str]:
    """Paths below `root` as the scan gives them, in its order; every one must be readable."""
    items = list(scan(str(root)))
    assert all(isinstance(item, Found) for item in items), items
    return [os.path.relpath(item.path, root) for item in items]


def test_every_suffix_in_any_case(tmp_path: Path) -> None:
    names = [f"a{suffix}" for suffix in SUFFIXES] + [f"b{s.upper()}" for s in SUFFIXES]
    for name in [*names, "c.JpG", "d.e.Png"]:
        put(tmp_path / name)
    assert sorted(found(tmp_path)) == sorted([*names, "c.JpG", "d.e.Png"])
    assert {".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"} <= SUFFIXES
    assert {".heic", ".heif", ".avif", ".jxl", ".mp4", ".mov"} <= SUFFIXES
    assert {".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2"} <= SUFFIXES


def test_other_files_are_left_out(tmp_path: Path) -> None:
    for name in ("notes.txt", "video.srt", "jpg", "photo.jpg.part", "photo.jpg~", "a.xmp"):
        put(tmp_path / name)
    assert found(tmp_path) == []


def test_hidden_and_system_files_are_left_out(tmp_path: Path) -> None:
    for name in (
        ".hidden.jpg",
        "._a.jpg",
        ".jpg",
        ".thumbnails/a.jpg",
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg",
        "trip/@eaDir/b.jpg",
        "#recycle/c.jpg",
        "$RECYCLE.BIN/d.jpg",
    ):
        put(tmp_path / name)
    put(tmp_path / "trip" / "a.jpg")
    assert found(tmp_path) == ["trip/a.jpg"]


def test_a_hidden_folder_that_is_named_is_scanned(tmp_path: Path) -> None:
    put(tmp_path / ".album" / "a.jpg")
    assert found(tmp_path / ".album") == ["a.jpg"]


def test_folders_in_order_of_name_at_any_depth(tmp_path: Path) -> None:
    for name in ("b/2.jpg", "b/1.jpg", "z.jpg", "a/x/y/z/3.jpg", "a/0.jpg"):
        put(tmp_path / name)
    (tmp_path / "empty.jpg").mkdir()
    assert found(tmp_path) == ["z.jpg", "a/0.jpg", "a/x/y/z/3.jpg", "b/1.jpg", "b/2.jpg"]


def test_stamps_are_size_and_time_of_change(tmp_path: Path) -> None:
    photo = put(tmp_path / "a.jpg", b"12345")
    os.utime(photo, ns=(1, 1_700_000_000_123_456_789))
    (item,) = scan(str(tmp_path))
    assert item == Found(str(photo), FileStamp(5, photo.stat().st_mtime_ns))


def test_links_are_followed(tmp_path: Path) -> None:
    elsewhere = put(tmp_path / "elsewhere" / "a.jpg").parent
    root = tmp_path / "root"
    root.mkdir()
    (root / "album").symlink_to(elsewhere, target_is_directory=True)
    (root / "b.jpg").symlink_to(elsewhere / "a.jpg")
    assert found(root) == ["b.jpg", "album/a.jpg"]
    by_name = {os.path.basename(item.path): item for item in scan(str(root))}
    assert by_name["b.jpg"].stamp.size == len(b"picture")


def test_links_that_go_round_end(tmp_path: Path) -> None:
    put(tmp_path / "a" / "1.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    assert found(tmp_path) == ["a/1.jpg"]


def test_broken_links_are_told(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "round.jpg").symlink_to(tmp_path / "round.jpg")
    (tmp_path / "nothing").symlink_to(tmp_path / "nowhere")
    items = list(scan(str(tmp_path)))
    told = {item.path: item.reason for item in items if isinstance(item, Unreadable)}
    assert [item.path for item in items if isinstance(item, Found)] == [str(tmp_path / "a.jpg")]
    assert set(told) == {str(tmp_path / "gone.jpg"), str(tmp_path / "round.jpg")}
    assert all(told.values())


def refuse(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make listing `folder` fail as it does for a user who may not; root always may."""
    real = os.scandir

    def scandir(path: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        if os.fspath(path) == str(folder):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


def test_a_folder_that_may_not_be_read_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/1.jpg", "b/2.jpg", "c/3.jpg"):
        put(tmp_path / name)
    refuse(monkeypatch, tmp_path / "b")
    items = list(scan(str(tmp_path)))
    assert [item.path for item in items if isinstance(item, Found)] == [
        str(tmp_path / "a/1.jpg"),
        str(tmp_path / "c/3.jpg"),
    ]
    assert [item for item in items if isinstance(item, Unreadable)] == [
        Unreadable(str(tmp_path / "b"), "Permission denied")
    ]


@needs_user
def test_a_folder_without_permissions(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    locked = put(tmp_path / "locked" / "b.jpg").parent
    locked.chmod(0)
    try:
        items = list(scan(str(tmp_path)))
    finally:
        locked.chmod(0o700)
    assert [item.path for item in items] == [str(tmp_path / "a.jpg"), str(locked)]
    assert isinstance(items[1], Unreadable)


def test_a_named_pipe_is_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    assert list(scan(str(tmp_path))) == [Unreadable(str(pipe), "is not a regular file")]
    assert list(scan(str(pipe))) == [Unreadable(str(pipe), "is not a regular file")]


def test_odd_names_come_through(tmp_path: Path) -> None:
    names = [
        b"line\nbreak.jpg",
        b"100% 'quoted' \"twice\".jpg",
        b"tab\t.jpg",
        b"caf\xe9.JPG",
        "été \U0001f431.png".encode(),
        b"-n.jpg",
        b"\xff\xfe/\x80.jpg",
    ]
    for name in names:
        path = os.path.join(os.fsencode(tmp_path), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"picture")
    got = {os.fsencode(item.path) for item in scan(str(tmp_path)) if isinstance(item, Found)}
    assert got == {os.path.join(os.fsencode(tmp_path), name) for name in names}


def test_a_single_picture_as_root(tmp_path: Path) -> None:
    photo = put(tmp_path / "A.JPG")
    put(tmp_path / "b.jpg")
    assert resolve_roots([photo]) == [str(photo)]
    assert [item.path for item in scan(str(photo))] == [str(photo)]


def test_roots_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    expected = [str(tmp_path / "photos")]
    assert resolve_roots(["photos"]) == expected
    assert resolve_roots(["./photos/../photos/"]) == expected
    assert resolve_roots(["~/photos"]) == expected
    assert resolve_roots(["."]) == [str(tmp_path)]


def test_nested_and_repeated_roots_are_merged(tmp_path: Path) -> None:
    inner = put(tmp_path / "photos" / "2024" / "a.jpg")
    (tmp_path / "photos2").mkdir()
    photos = tmp_path / "photos"
    assert resolve_roots([inner, photos / "2024", photos, photos, tmp_path / "photos2"]) == [
        str(photos),
        str(tmp_path / "photos2"),  # begins alike, and is not inside
    ]
    assert resolve_roots(["/", photos]) == ["/"]


def test_one_folder_by_two_names_is_one_root(tmp_path: Path) -> None:
    photos = put(tmp_path / "photos" / "2024" / "a.jpg").parent.parent
    link = tmp_path / "link"
    link.symlink_to(photos, target_is_directory=True)
    assert resolve_roots([photos, link]) == [str(photos)]
    assert resolve_roots([link, photos, link]) == [str(link)]
    assert resolve_roots([link / "2024", photos]) == [str(photos)]
    assert resolve_roots([link]) == [str(link)]


def test_a_hidden_folder_is_not_merged_into_the_one_that_hides_it(tmp_path: Path) -> None:
    hidden = put(tmp_path / ".album" / "trip" / "a.jpg").parent
    assert resolve_roots([tmp_path, hidden]) == [str(tmp_path), str(hidden)]
    assert resolve_roots([tmp_path / ".album", hidden]) == [str(tmp_path / ".album")]


def test_a_missing_root_is_named(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    with pytest.raises(UsageError, match=r"nowhere: there is no such folder"):
        resolve_roots([tmp_path, tmp_path / "nowhere"])


def test_an_empty_root_is_not_the_current_folder() -> None:
    with pytest.raises(UsageError, match="empty"):
        resolve_roots([""])


def test_a_root_that_is_no_picture_is_named(tmp_path: Path) -> None:
    notes = put(tmp_path / "notes.txt")
    with pytest.raises(UsageError, match=r"notes\.txt: is neither a folder nor a picture"):
        resolve_roots([notes])
