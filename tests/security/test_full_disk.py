"""A disk that runs full during an index run: told, nothing damaged, and the next run goes on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from optional import leave_out, needs_linux
from PIL import Image
from shell import REPOSITORY, Shell

pytestmark = [pytest.mark.slow, needs_linux("fills disks its way")]

COUNT = 150


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    how = np.random.default_rng(3)
    for number in range(COUNT):
        pixels = how.integers(0, 256, (4, 6, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}.png")
    return folder


def check(library: Path) -> int:
    """How many photos the catalogue holds, after checking that it is sound."""
    with closing(sqlite3.connect(library / "catalogue.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return int(connection.execute("SELECT count(*) FROM photos").fetchone()[0])


def equals_a_whole_run(shell: Shell, many: Path) -> None:
    whole = shell.folder / "whole"
    assert shell("--library", whole, "index", many).returncode == 0
    assert len(shell.photos(whole)) == COUNT
    assert shell.photos() == shell.photos(whole)


def told(errors: str) -> None:
    assert "Traceback" not in errors
    assert "catalogue.db: " in errors
    assert "make room on the disk" in errors
    assert "what was committed is safe" in errors


@pytest.mark.parametrize("kilobytes", [500])
def test_files_that_may_not_grow(shell: Shell, many: Path, kilobytes: int) -> None:
    """As by a quota: a write fails in the middle."""
    limited = (
        "import resource, runpy, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({kilobytes << 10}, {kilobytes << 10}))\n"
        "runpy.run_module('photosearch', run_name='__main__', alter_sys=True)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", limited, "index", "--workers", "1", many],
        capture_output=True,
        env=shell.environment,
        timeout=300,
    )
    assert result.returncode == 1
    told(result.stderr.decode())
    kept = check(shell.library)
    assert 0 < kept < COUNT
    assert len(shell.photos()) == kept

    again = shell("index", many)
    assert again.returncode == 0, again.stderr
    assert f"{kept} unchanged".encode() in again.stdout
    assert check(shell.library) == COUNT
    equals_a_whole_run(shell, many)


# On a disk of its own: an index run that fills it, what can still be done, and another with room.
ON_A_SMALL_DISK = """
mount -t tmpfs -o size="$SIZE" none "$PHOTOSEARCH_LIBRARY" || exit 77
"$PYTHON" -m photosearch index --workers 1 "$MANY"; echo "index: $?"
"$PYTHON" -m photosearch search -n 1 "a cat" >&3; echo "search: $?"
"$PYTHON" -m photosearch status >&3; echo "status: $?"
cp -r "$PHOTOSEARCH_LIBRARY" "$FULL"
mount -o remount,size=64m "$PHOTOSEARCH_LIBRARY"
"$PYTHON" -m photosearch index --workers 1 "$MANY" >&3; echo "again: $?"
cp -r "$PHOTOSEARCH_LIBRARY" "$DONE"
"""


@pytest.mark.parametrize("size", ["8k", "64k", "600k"])
def test_a_disk_without_room(shell: Shell, many: Path, tmp_path: Path, size: str) -> None:
    """Too small for the file, for its tables, and for some of the photos."""
    if shutil.which("unshare") is None:
        leave_out("unshare: apt-get install util-linux")
    shell.library.mkdir()
    full, done = tmp_path / "full", tmp_path / "done"
    result = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", f"exec 3>&1\n{ON_A_SMALL_DISK}"],
        capture_output=True,
        cwd=REPOSITORY,
        env=shell.environment
        | {
            "PYTHON": sys.executable,
            "SIZE": size,
            "MANY": str(many),
            "FULL": str(full),
            "DONE": str(done),
            "PATH": os.environ["PATH"],
        },
        timeout=300,
    )
    if result.returncode == 77 or b"unshare failed" in result.stderr:
        leave_out("to mount: be root, or allow users namespaces")
    output, errors = result.stdout.decode(), result.stderr.decode()
    assert "index: 1\n" in output, errors
    told(errors)
    assert "again: 0\n" in output, errors
    if size == "600k":
        kept = check(full)
        assert 0 < kept < COUNT
        assert "search: 0\n" in output
        assert "status: 0\n" in output
        assert f"Photos    {kept}\n" in output
        assert f"{kept} unchanged" in output
        shutil.copytree(done, shell.library, dirs_exist_ok=True)
        equals_a_whole_run(shell, many)
    assert check(done) == COUNT
