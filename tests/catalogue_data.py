"""What the tests of the catalogue and of the vectors share: records, vectors, and processes."""

from __future__ import annotations

import ctypes
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index import FileStamp, NewPhoto
from index.shared.tables import tables_of

BUNDLE = "tiny-1-0123456789ab"
OTHER_BUNDLE = "tiny-2-ba9876543210"
ROOT = str(Path(__file__).parent.parent)


def new_photo(
    path: str, *, size: int = 1000, mtime_ns: int = 1_700_000_000_123_456_789
) -> NewPhoto:
    return NewPhoto(path, FileStamp(size, mtime_ns), 640, 480, "JPEG")


def new_photos(count: int, *, start: int = 0) -> list[NewPhoto]:
    return [new_photo(f"/photos/{number:05d}.jpg") for number in range(start, start + count)]


def unit_vectors(count: int, width: int = 16, *, seed: int = 0) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def rows_in(library: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the catalogue in a folder, with their numbers."""
    with closing(sqlite3.connect(library / "catalogue.db")) as file:
        return {table.name: table.local_rows(file).fetchall() for table in tables_of(file)}


def child(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """A fresh Python running `code`, in which this module can be imported, with pipes to talk.

    File permissions hold in it even when the tests are run by root.
    """
    setup = f"import sys; sys.path[:0] = [{ROOT!r}, {str(Path(__file__).parent)!r}]\n"
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", setup + code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=give_up_override if sys.platform == "linux" else None,
    )


def give_up_override() -> None:
    drop_from_bounding_set, override_permissions = 24, 1  # of linux/prctl.h and capability.h
    ctypes.CDLL(None).prctl(drop_from_bounding_set, override_permissions, 0, 0, 0)


def finish(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    """What each process printed; fails with its traceback if it failed."""
    printed = []
    for process in processes:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        printed.append(output)
    return printed
