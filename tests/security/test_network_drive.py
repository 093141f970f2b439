"""Libraries on network drives: recognised, and used without memory that processes share."""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest
from catalogue_data import BUNDLE, child, finish, new_photos, unit_vectors
from optional import needs_kill, needs_linux
from shell import Shell

from index import Catalogue, FaissIndex
from index.safety import filesystem
from index.safety.filesystem import network_drive

pytestmark = needs_linux("reads its list of mounts")

LINE = "36 35 98:0 / {place} rw,noatime master:1 - {kind} server:/export rw"


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A folder, and beside it a list of mounts in which it is on an NFS server."""
    folder = tmp_path / "on a drive"
    folder.mkdir()
    place = str(folder).replace(" ", r"\040")
    lines = [LINE.format(place="/", kind="ext4"), LINE.format(place=place, kind="nfs4")]
    (tmp_path / "mounts").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def mounted(drive: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, where this process takes the list for the system's."""
    monkeypatch.setattr(filesystem, "MOUNTS", drive.parent / "mounts")
    return drive


def journal(library: Path) -> str:
    with closing(sqlite3.connect(library / "catalogue.db")) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def test_the_deepest_mount_decides(mounted: Path, tmp_path: Path) -> None:
    assert network_drive(mounted) == "nfs4"
    assert network_drive(mounted / "not" / "there") == "nfs4"
    assert network_drive(tmp_path) is None
    # Another name that begins like it is another folder.
    assert network_drive(Path(f"{mounted}2")) is None
    (tmp_path / "link").symlink_to(mounted)
    assert network_drive(tmp_path / "link") == "nfs4"
    with (tmp_path / "mounts").open("a", encoding="utf-8") as file:
        file.write(LINE.format(place=str(mounted / "usb").replace(" ", r"\040"), kind="exfat"))
    assert network_drive(mounted / "usb" / "library") is None


@pytest.mark.parametrize(
    ("kind", "is_network"),
    [
        *((kind, True) for kind in ("nfs", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.rclone")),
        *((kind, False) for kind in ("ext4", "btrfs", "xfs", "zfs", "overlay", "tmpfs", "vfat")),
        *((kind, False) for kind in ("fuseblk", "fuse.mergerfs", "fuse.gocryptfs", "ntfs3")),
    ],
)
def test_kinds_of_drives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, is_network: bool
) -> None:
    (tmp_path / "mounts").write_text(LINE.format(place="/", kind=kind), encoding="utf-8")
    monkeypatch.setattr(filesystem, "MOUNTS", tmp_path / "mounts")
    assert network_drive(tmp_path) == (kind if is_network else None)


def test_what_the_system_does_not_tell_is_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in ("", "\n\nnonsense\n - \n1 2 3 - nfs\n"):
        (tmp_path / "mounts").write_text(content, encoding="utf-8")
        monkeypatch.setattr(filesystem, "MOUNTS", tmp_path / "mounts")
        assert network_drive(tmp_path) is None
    monkeypatch.setattr(filesystem, "MOUNTS", tmp_path / "nothing")
    assert network_drive(tmp_path) is None


def test_what_macos_tells() -> None:
    def told(flags: int, kind: bytes) -> bytes:
        return bytes(64) + struct.pack("=II", flags, 0) + kind.ljust(16, b"\0") + bytes(2048)

    assert filesystem._told_by_macos(told(0x0010, b"smbfs")) == "smbfs"
    assert filesystem._told_by_macos(told(0x1010, b"apfs")) is None


def test_no_memory_is_shared_on_a_network_drive(mounted: Path) -> None:
    with Catalogue.open(mounted) as catalogue:
        catalogue.record(BUNDLE, new_photos(3), unit_vectors(3))
        with Catalogue.open(mounted, readonly=True) as reader:
            assert reader.counts().photos == 3
        _, ids = FaissIndex.open(catalogue, BUNDLE).search(unit_vectors(3), 1)
        assert ids[:, 0].tolist() == [1, 2, 3]
        assert not list(mounted.glob("catalogue.db-*"))
    assert journal(mounted) == "delete"


def test_a_library_that_moves_to_a_network_drive_and_back(
    mounted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Catalogue.open(tmp_path / "here") as catalogue:
        catalogue.record(BUNDLE, new_photos(3), unit_vectors(3))
        # As a killed process leaves it, with the photos in the log only.
        (mounted / "library").mkdir()
        for name in ("catalogue.db", "catalogue.db-wal"):
            content = (tmp_path / "here" / name).read_bytes()
            (mounted / "library" / name).write_bytes(content)
    assert (mounted / "library" / "catalogue.db-wal").stat().st_size
    with Catalogue.open(mounted / "library") as catalogue:
        assert not list((mounted / "library").glob("catalogue.db-*"))
        assert catalogue.counts().photos == 3
    assert journal(mounted / "library") == "delete"

    monkeypatch.undo()
    Catalogue.open(mounted / "library").close()
    assert journal(mounted / "library") == "wal"


MOUNT = """
import sys
from pathlib import Path
from index.safety import filesystem
filesystem.MOUNTS = Path(sys.argv[1]).parent / "mounts"
"""
WRITE = f"""{MOUNT}
from catalogue_data import BUNDLE, new_photos, unit_vectors
from index import Catalogue
with Catalogue.open(Path(sys.argv[1])) as catalogue:
    for batch in range(int(sys.argv[2]), int(sys.argv[3])):
        catalogue.record(BUNDLE, new_photos(5, start=5 * batch), unit_vectors(5, seed=batch))
        print(batch + 1, flush=True)
"""


@needs_kill
@pytest.mark.slow
def test_killed_writers_lose_nothing_that_they_had_reported(mounted: Path) -> None:
    reported = 0
    for lines in (1, 4, 9, 2):
        writer = child(WRITE, mounted, str(reported), "100000")
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(lines)][-1]
        writer.kill()
        writer.communicate()
        with Catalogue.open(mounted) as catalogue:
            reported, rest = divmod(catalogue.counts().photos, 5)
        assert rest == 0
        assert reported >= said
        with closing(sqlite3.connect(mounted / "catalogue.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.slow
def test_writers_and_readers_take_turns(mounted: Path) -> None:
    writers = [child(WRITE, mounted, str(first), str(first + 20)) for first in (0, 20)]
    read = f"""{MOUNT}
from index import Catalogue
seen = 0
while seen < 200:
    with Catalogue.open(Path(sys.argv[1])) as catalogue:
        now = catalogue.counts().photos
        assert now >= seen and now % 5 == 0
        seen = now
"""
    finish([*writers, child(read, mounted)])
    assert not list(mounted.glob("catalogue.db-*"))


@pytest.mark.slow
def test_an_index_run_tells_of_it(shell: Shell, photos: Path, drive: Path) -> None:
    hook = drive.parent / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "from pathlib import Path\n"
        "from index.safety import filesystem\n"
        f"filesystem.MOUNTS = Path({str(drive.parent / 'mounts')!r})\n",
        encoding="utf-8",
    )
    path = os.pathsep.join((str(hook), shell.environment["PYTHONPATH"]))
    result = shell("--library", drive / "library", "index", photos, PYTHONPATH=path)
    assert result.returncode == 0, result.stderr
    assert b"is on a network drive (nfs4)" in result.stderr
    assert b"Indexed 6 photos" in result.stdout
    assert journal(drive / "library") == "delete"
    assert b"network" not in shell("index", photos).stderr
