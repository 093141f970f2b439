"""Drives, permissions and names as they occur: real mounts, real denials, real files."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from optional import leave_out, needs_linux
from shell import Shell

pytestmark = pytest.mark.slow

NAMES = [
    b"line\nbreak\r\t.png",
    b"100%25 %s {0} $HOME.png",
    b'it\'s "quoted" `x` \\.png',
    b"x'); DROP TABLE photos; --.png",
    b"*?[a]_%.png",
    b"--help.png",
    b" space at both ends .png",
    "e\u0301 and é, 日本 🐕.png".encode(),
    b"caf\xe9 half \xe7\x8a.png",
    b"a" * 246 + b".png",
    b"\x01\x7f\x80\xff.PNG",
    b"C:\\photos\\con.png",
]


@pytest.fixture
def odd(tmp_path: Path, pictures: Path) -> bytes:
    """A folder of an odd name, with a photo of each odd name in a long path below it."""
    folder = os.fsencode(tmp_path) + b"/100% odd\n \xe9"
    deep = os.path.join(folder, *[b"b" * 200] * 3)
    try:
        os.makedirs(deep)
        for number, name in enumerate(NAMES):
            shutil.copyfile(pictures / "coins.png", os.path.join(deep, name))
            with open(os.path.join(deep, name), "ab") as file:
                file.write(bytes([number]))  # no copies of each other
    except OSError:
        leave_out("a file system that takes any name")
    return folder


def paths_below(folder: bytes) -> set[bytes]:
    return {os.path.join(place, name) for place, _, names in os.walk(folder) for name in names}


def test_odd_names_from_one_end_to_the_other(shell: Shell, odd: bytes, tmp_path: Path) -> None:
    result = shell("index", "--workers", "1", odd)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(b"Indexed %d photos" % len(NAMES))

    found = shell("search", "-0", "-n", "99", "coins").stdout.split(b"\0")[:-1]
    assert len(found) == len(NAMES)
    assert set(found) == paths_below(odd)
    # In lines, each of these takes one.
    assert len(shell("search", "-n", "99", "coins").stdout.splitlines()) >= len(NAMES)
    assert len(shell("status").stdout.splitlines()) == 5

    assert shell("index").stdout.startswith(b"Indexed 0 photos")
    moved = os.path.join(odd, NAMES[0])
    os.rename(next(path for path in found if path.endswith(NAMES[0])), moved)
    assert b"1 recognised, 11 unchanged, 0 skipped, 0 gone" in shell("index").stdout

    assert shell("doctor").returncode == 0, shell("doctor").stdout
    assert shell("export", "out").returncode == 0
    before = shell.photos()
    there = os.fsencode(tmp_path) + b"/there \xff"
    os.rename(odd, there)
    shell.environment["PHOTOSEARCH_LIBRARY"] = str(tmp_path / "other")
    result = shell("import", "out", "--map", odd + b"=" + there)
    assert result.stdout.startswith(b"Imported 12 photos; 12 of them are here now."), result.stderr
    assert {os.fsencode(path) for path in shell.photos(tmp_path / "other")} == paths_below(there)
    assert sorted(shell.photos(tmp_path / "other").values()) == sorted(before.values())

    assert shell("forget", there).stdout.startswith(b"Forgot 12 photos")
    assert len(paths_below(there)) == 12


def test_a_drive_that_is_unmounted_and_mounted_again(
    shell: Shell, photos: Path, tmp_path: Path
) -> None:
    """Its mount point stays, an empty folder."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rm", "true"], capture_output=True).returncode:
        leave_out("to mount: be root, or allow users namespaces")
    drive = tmp_path / "drive"
    drive.mkdir()
    script = """
        set -e
        mount --bind "$1" "$2"
        "$3" -m photosearch index --workers 1 "$2"
        umount "$2"
        "$3" -m photosearch index
        "$3" -m photosearch search -n 9 "a cat" || echo "found nothing"
        "$3" -m photosearch status
        mount --bind "$1" "$2"
        "$3" -m photosearch index
        "$3" -m photosearch search -n 9 "a cat"
    """
    result = subprocess.run(
        [unshare, "-rm", "sh", "-c", script, "sh", photos, drive, sys.executable],
        capture_output=True,
        env=shell.environment,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Indexed 6 photos")
    assert lines[1].startswith("Indexed 0 photos")
    assert lines[1].endswith("0 unchanged, 0 skipped, 6 gone. The library holds 0 photos.")
    assert lines[2] == "found nothing"
    assert "Gone      6 (hidden until their files are back)" in lines
    (again,) = (number for number, line in enumerate(lines) if "6 unchanged" in line)
    # They are back without being encoded, or read.
    assert lines[again].startswith("Indexed 0 photos")
    assert lines[again].endswith("6 unchanged, 0 skipped, 0 gone. The library holds 6 photos.")
    assert len(lines[again + 1 :]) == 6


def _like_any_user() -> None:
    drop_from_bounding_set, override, read_search = 24, 1, 2  # of linux/prctl.h and capability.h
    libc = ctypes.CDLL(None)
    for capability in (override, read_search):
        libc.prctl(drop_from_bounding_set, capability, 0, 0, 0)


@needs_linux("takes root's rights away")
def test_what_may_not_be_read_is_told_and_stays(shell: Shell, photos: Path) -> None:
    (photos / "locked").mkdir()
    for name in ("coffee.png", "coins.png"):
        (photos / name).rename(photos / "locked" / name)

    def index(*options: str | Path) -> str:
        result = subprocess.run(
            shell.command("index", "--workers", "1", *options),
            capture_output=True,
            env=shell.environment,
            preexec_fn=_like_any_user,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout + result.stderr

    (photos / "chelsea.png").chmod(0)
    (photos / "locked").chmod(0)
    try:
        first = index(photos)
        assert "Indexed 3 photos" in first
        assert f"skipped {photos / 'locked'}: Permission denied" in first
        assert f"skipped {photos / 'chelsea.png'}: " in first
        # Nobody has to ask for them to be tried again, when they can be read.
        (photos / "chelsea.png").chmod(0o600)
        (photos / "locked").chmod(0o700)
        assert "Indexed 3 photos" in index()
        # What was indexed stays findable behind a door that is shut.
        (photos / "locked").chmod(0)
        assert "1 skipped, 0 gone. The library holds 6 photos." in index()
    finally:
        (photos / "chelsea.png").chmod(0o600)
        (photos / "locked").chmod(0o700)
    assert "6 unchanged, 0 skipped" in index()
    assert b"Problems  0" in shell("status").stdout
