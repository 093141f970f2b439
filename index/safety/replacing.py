"""Putting a catalogue in the place of another, which is kept beside it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

# Besides the file of the catalogue: SQLite's log and what maps it.
_ENDINGS = ("", "-wal", "-shm")


def put_in_place(new: Path, path: Path, why: str) -> Path | None:
    """Move the closed catalogue `new` to `path`; where the one that was there is kept, if any was.

    Its name tells `why` and when. Raises `OSError`.
    """
    start = f"{path.name}.{why}-{datetime.now():%Y%m%d-%H%M%S}"
    kept, number = path.with_name(start), 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{start}-{number}")
    for ending in _ENDINGS:
        # The log belongs to the old file: beside the new one it would damage that.
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(kept.with_name(kept.name + ending))
    new.rename(path)
    return kept if kept.exists() else None
