"""What is there can be read from a disk without a byte of room, and from one that is read-only."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from optional import needs_linux
from served import served_here
from small_disk import SmallDisk, small_disk

from index import Catalogue, CatalogueError
from photosearch import Library, LibraryError
from photosearch.desktop.instance import Instance
from photosearch.serving import library_thread

pytestmark = needs_linux("mounts a disk")

FILES = ("catalogue.db", "vectors")
LOG = "catalogue.db-wal"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path) as disk:
        yield disk


def put(library: Path, disk: SmallDisk, *, killed: bool) -> None:
    """The library on the disk; as one leaves it who made an album and was `killed`."""
    shutil.copytree(library / "vectors", disk.folder / "vectors")
    if not killed:
        shutil.copyfile(library / "catalogue.db", disk.folder / "catalogue.db")
        return
    shutil.copytree(library, disk.folder.parent / "copy")
    with Library.open(disk.folder.parent / "copy") as copy:
        copy.albums.create("of the killed")
        for name in ("catalogue.db", LOG):
            shutil.copyfile(copy.folder / name, disk.folder / name)
    assert (disk.folder / LOG).stat().st_size


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
@pytest.mark.parametrize("how", ["full", "read-only"])
def test_reading(
    picture_library: Path, tiny_bundle: Path, disk: SmallDisk, how: str, killed: bool
) -> None:
    put(picture_library, disk, killed=killed)
    if how == "full":
        disk.fill()
    else:
        disk.protect()
    before = {path: path.stat().st_mtime_ns for path in disk.folder.iterdir()}
    # Two at once, as the threads of the page have them.
    with (
        Library.open_to_read(disk.folder, model=tiny_bundle) as library,
        Library.open_to_read(disk.folder, model=tiny_bundle) as other,
    ):
        assert library.readonly
        assert len(library.search("a cat", everything=True)) == 6
        assert other.status().photos == 6
        names = [album.name for album in library.albums.all() if album.name]
        assert names == (["of the killed"] if killed else [])
        exported = library.export(disk.folder.parent / "exported.zip")
        assert exported.photos == 6
        assert library.is_current
        with pytest.raises(LibraryError, match="make room or make it writable"):
            library.albums.create("of mine")
    findings = list(Library.examine(disk.folder, model=tiny_bundle))
    assert {one.state for one in findings} == {"ok"}, findings
    assert not Library.can_be_written(disk.folder)
    # The app for it starts, though it can note nothing.
    instance = Instance(disk.folder)
    assert instance.take()
    instance.tell(7)
    instance.leave()
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
def test_what_others_write_ends_the_reading(
    picture_library: Path, disk: SmallDisk, killed: bool
) -> None:
    """None of them can know of it."""
    put(picture_library, disk, killed=killed)
    disk.fill()
    with Catalogue.open(disk.folder, readonly=True) as catalogue:
        assert catalogue.counts().photos == 6
        disk.make_room()
        with closing(sqlite3.connect(disk.folder / "catalogue.db")) as writer:
            writer.execute("DELETE FROM folders")
            writer.commit()
            assert catalogue.is_outdated
            with pytest.raises(CatalogueError, match="was changed while it was read; try again"):
                catalogue.folders()
    with Catalogue.open(disk.folder, readonly=True) as catalogue:
        assert catalogue.folders() == []


@pytest.mark.slow
def test_the_page_reads_and_writes_again_when_there_is_room(
    picture_library: Path, tiny_bundle: Path, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_thread, "_AGAIN", 0.0)
    put(picture_library, disk, killed=False)
    disk.fill()
    with served_here(disk.folder, tiny_bundle) as server:
        assert server.ask("/api/search?q=a+cat").status == 200
        hits = server.ask("/api/newest").json["hits"]
        assert len(hits) == 6
        assert server.ask(f"/api/thumbnail/{hits[0]['id']}").status == 200
        refused = server.post("/api/albums", {"name": "new"})
        assert refused.status == 500
        assert "make room or make it writable" in refused.json["error"]
        disk.make_room()
        assert server.post("/api/albums", {"name": "new"}).status == 200
        assert [one["name"] for one in server.ask("/api/albums").json if one["name"]] == ["new"]
