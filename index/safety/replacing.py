"""Putting a catalogue in the place of another, which is kept beside it."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

# Besides the file of the catalogue: SQLite's log and what maps it.
_LOG, _MAP = "-wal", "-shm"


def put_in_place(new: Path, path: Path, why: Literal["damaged", "replaced"]) -> Path | None:
    """Move the closed catalogue `new` to `path`; where the one that was there is kept, if any was.

    Its name tells `why` and when. At each moment there is a catalogue at `path`, if there was one:
    the old one until the new one takes its place. Raises `OSError`, and nothing has changed then.
    """
    _take_in_log(new)
    if not path.exists():
        new.replace(path)
        return None
    start = f"{path.name}.{why}-{datetime.now():%Y%m%d-%H%M%S}"
    kept, number = path.with_name(start), 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{start}-{number}")
    if why == "replaced":  # one that is damaged is kept as it is
        with suppress(OSError):
            _take_in_log(path)
    try:
        for ending in ("", _LOG, _MAP):
            with suppress(FileNotFoundError):
                _keep(_named(path, ending), _named(kept, ending))
        # The log belongs to the old file: beside the new one it would damage that.
        for ending in (_LOG, _MAP):
            _named(path, ending).unlink(missing_ok=True)
        new.replace(path)
    except OSError:
        _put_back(kept, path)
        raise
    return kept


def _named(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _put_back(kept: Path, path: Path) -> None:
    """The catalogue has not been replaced; it gets its log back, and is not kept."""
    for ending in (_LOG, _MAP):
        with suppress(OSError):
            if not _named(path, ending).exists():
                _named(kept, ending).rename(_named(path, ending))
    for ending in ("", _LOG, _MAP):
        with suppress(OSError):
            _named(kept, ending).unlink(missing_ok=True)


def _take_in_log(path: Path) -> None:
    """Bring into a catalogue that nobody has open what is only in its log, as after a full disk.

    Closing it has tried to, and tells nothing where there was no room. Raises `OSError`.
    """
    log = _named(path, _LOG)
    if not log.exists() or not log.stat().st_size:
        return
    try:
        with closing(sqlite3.connect(path)) as db:
            (busy, _, _) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise OSError(errno.EIO, str(error)) from error
    if busy:
        raise OSError(errno.EBUSY, "it is in use")


def _keep(path: Path, kept: Path) -> None:
    """Give the file a second name, or make a copy where the drive knows no links."""
    try:
        os.link(path, kept)
    except FileNotFoundError:
        raise
    except (OSError, NotImplementedError):
        shutil.copyfile(path, kept)
