"""Folders that systems and programs keep for themselves, and files of other kinds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from shell import Shell

from photosearch.indexing.ignore import NAME
from photosearch.indexing.scan import Found, Others, comes_by, resolve_roots, scan

pytestmark = pytest.mark.slow

LEFT_OUT = [
    "@Recycle",
    "#recycle",
    "@Recently-Snapshot/GMT+02_2024-01-01_0100",
    "#snapshot/GMT-2024.01.01",
    "~snapshot/hourly.0",
    ".snapshots/1",
    ".zfs/snapshot/daily",
    "Network Trash Folder",
    "Temporary Items",
    ".Trash-1000/files",
    ".Trashes/501",
    "$RECYCLE.BIN/S-1-5",
    "RECYCLER/S-1-5",
    "System Volume Information",
    "lost+found",
    "__MACOSX",
    "@eaDir/a.jpg",
    "@tmp",
    ".@__thumb",
    ".dtrash",
    ".thumbnails/large",
    "Catalog Previews.lrdata/0",
    "Catalog Smart Previews.lrdata/0",
    "Photos Library.photoslibrary",
    "Photos Library.photoslibrary/resources/derivatives/A",
    "Photos Library.photoslibrary/resources/originals",
    "Photos Library.photoslibrary/Thumbnails",
    "iPhoto Library.photolibrary/Thumbnails/2012",
    "iPhoto Library.photolibrary/Previews/2012",
    "Old.migratedphotolibrary/Thumbnails",
    "Aperture Library.aplibrary/Previews",
    "Aperture Library.aplibrary/Thumbnails",
    "Old.migratedaplibrary/Previews",
]
LOOKED_AT = [
    "Photos Library.photoslibrary/originals/A",
    "Photos Library.photoslibrary/Masters/2014/01",
    "iPhoto Library.photolibrary/Originals/2008",
    "iPhoto Library.photolibrary/Masters/2012",
    "Aperture Library.aplibrary/Masters/2011",
    "Old.migratedphotolibrary/Masters",
    # Names that are people's own.
    "resources/derivatives",
    "Thumbnails",
    "Recycle",
    "snapshot",
    "My photoslibrary",
    "Library",
    "Trash",
]


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"picture")


def found(root: Path) -> set[str]:
    """The folders below `root` with a picture that the scan comes by."""
    return {
        os.path.relpath(os.path.dirname(item.path), root)
        for item in scan(str(root))
        if isinstance(item, Found)
    }


@pytest.mark.parametrize("change", [str, str.upper, str.lower, str.swapcase])
def test_what_systems_and_programs_keep_is_left_out(tmp_path: Path, change: type[str]) -> None:
    for name in {*LEFT_OUT, *LOOKED_AT}:
        put(tmp_path / change(name) / "x.jpg")
    assert found(tmp_path) == {change(name) for name in LOOKED_AT}
    for name in LEFT_OUT:
        assert not comes_by(str(tmp_path), str(tmp_path / change(name) / "x.jpg"))
    for name in LOOKED_AT:
        assert comes_by(str(tmp_path), str(tmp_path / change(name) / "x.jpg"))


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_folder_that_is_named_is_read(tmp_path: Path, name: str) -> None:
    put(tmp_path / name / "x.jpg")
    if name.endswith(".photoslibrary"):
        # Of such a library the originals, as ever.
        assert found(tmp_path / name) == set()
        put(tmp_path / name / "originals" / "x.jpg")
        assert found(tmp_path / name) == {"originals"}
    else:
        assert found(tmp_path / name) == {"."}
        # Also where the folder around it is named with it.
        roots = [tmp_path, tmp_path / name]
        assert resolve_roots(roots) == [str(root) for root in roots]


def test_an_ignore_file_takes_one_back(tmp_path: Path) -> None:
    for name in ("@Recycle", "a/@Recycle", "a/.hidden", ".thumbnails", "Photos.photoslibrary/x"):
        put(tmp_path / name / "x.jpg")
    rules = tmp_path / NAME
    rules.write_text("!@Recycle/\n!/Photos.photoslibrary/x\n")
    assert found(tmp_path) == {"@Recycle", "a/@Recycle", "Photos.photoslibrary/x"}
    assert comes_by(str(tmp_path), str(tmp_path / "a/@Recycle/x.jpg"))
    rules.write_text("!/a/@Recycle\n!a/.hid*\n")
    assert found(tmp_path) == {"a/@Recycle", "a/.hidden"}
    # The nearest file decides, and in it the last line.
    (tmp_path / "a" / NAME).write_text("!.hidden\n@Recycle\n")
    assert found(tmp_path) == {"a/.hidden"}


def test_lines_of_stars_take_nothing_back(tmp_path: Path) -> None:
    """As in files that leave out all but some kinds of pictures."""
    for name in ("@Recycle/x.jpg", ".hidden/x.jpg", "a/x.jpg", "a/x.png"):
        put(tmp_path / name)
    (tmp_path / NAME).write_text("*\n!*/\n!*.jpg\n")
    assert found(tmp_path) == {"a"}


def test_files_of_other_kinds_are_counted(tmp_path: Path) -> None:
    for name in (
        "a.jpg", "a.xmp", "a.pdf", "b.PDF", "c.svg", "README", "notes.2 (copy)", "b/d.txt",
        "Thumbs.db", "b/desktop.ini", ".DS_Store", "._a.pdf", "@eaDir/e.pdf", "out/f.pdf",
        "g.psd.part", "h.none",
    ):  # fmt: skip
        put(tmp_path / name)
    (tmp_path / NAME).write_text("out/\n*.none\n")
    (tmp_path / "link.lnk").symlink_to(tmp_path / "nowhere")
    others: Others = {}
    assert len(list(scan(str(tmp_path), others))) == 1
    assert others == {
        str(tmp_path): {".pdf": 2, ".svg": 1, "": 2, ".part": 1},
        str(tmp_path / "b"): {".txt": 1},
    }


def test_what_is_left_out_is_named(shell: Shell, tmp_path: Path, pictures: Path) -> None:
    """By `index` in its last line and by `status`; each folder by itself, and as it is now."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes((pictures / "chelsea.png").read_bytes())
    for number in range(3):
        put(tmp_path / "one" / f"{number}.pdf")
    put(tmp_path / "one" / "deep" / "a.svg")
    put(tmp_path / "two" / "a.pdf")

    def last() -> str:
        return shell("index", "--workers", "1").stdout.decode().splitlines()[-1]

    def others() -> dict[str, int]:
        told: dict[str, int] = json.loads(shell("status", "--json").stdout)["others"]
        return told

    result = shell("index", "--workers", "1", tmp_path / "one", tmp_path / "two")
    assert result.stdout.decode().splitlines()[-1] == "5 files of other kinds: .pdf 4, .svg 1."
    assert list(others().items()) == [(".pdf", 4), (".svg", 1)]
    assert b"\nLeft out  5 files of other kinds: .pdf 4, .svg 1\n" in shell("status").stdout
    (tmp_path / "one" / "0.pdf").unlink()
    (tmp_path / "one" / "deep" / "a.svg").unlink()
    assert last() == "3 files of other kinds: .pdf 3."
    # A run over one folder tells of that one.
    result = shell("index", "--workers", "1", tmp_path / "two")
    assert result.stdout.decode().splitlines()[-1] == "1 file of other kinds: .pdf 1."
    assert others() == {".pdf": 3}
    shell("forget", tmp_path / "one")
    assert others() == {".pdf": 1}
    (tmp_path / "two" / "a.pdf").unlink()
    assert "other kinds" not in last()
    assert b"Left out" not in shell("status").stdout


def test_photos_in_folders_that_are_left_out_now_are_hidden_and_not_lost(
    shell: Shell, tmp_path: Path, pictures: Path
) -> None:
    """As of a library that was indexed when they were not left out yet."""
    folder = tmp_path / "photos" / "__MACOSX"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes((pictures / "chelsea.png").read_bytes())
    (tmp_path / "photos" / NAME).write_text("!__MACOSX\n")
    shell("index", "--workers", "1", tmp_path / "photos")
    assert len(shell.photos()) == 1
    (tmp_path / "photos" / NAME).unlink()
    assert b"1 gone" in shell("index").stdout
    assert json.loads(shell("status", "--json").stdout)["missing"] == 1
    # Named by itself it is read, and nothing is encoded again.
    result = shell("index", "--workers", "1", folder)
    assert b"Indexed 0 photos" in result.stdout
    assert len(shell.photos()) == 1
