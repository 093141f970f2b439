"""The catalogue as it was before its schema was brought up to date, kept beside it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from index.errors import CatalogueError

_ENDING = ".before-upgrade"
_PART = ".part"


def kept_before_upgrade(path: Path) -> Path:
    """Where the catalogue at `path` is kept as it was before its last upgrade."""
    return path.with_name(path.name + _ENDING)


def clear_before_upgrade(folder: Path) -> None:
    """Remove what SQLite had beside the draft of a copy, and could not delete then.

    While there is a draft somebody may be writing it, and they stay.
    """
    for left in folder.glob(f".*{_ENDING}{_PART}-*"):
        if not left.with_name(left.name.rpartition("-")[0]).exists():
            with suppress(OSError):
                left.unlink()


def keep_before_upgrade(path: Path) -> None:
    """Copy what is committed of the catalogue at `path`; the copy takes the last one's place.

    Only for whoever keeps others from writing to it: the name of the draft is always the same, so
    that what a killed process left is used up.

    Raises `CatalogueError` when it cannot be written.
    """
    kept = kept_before_upgrade(path)
    draft = kept.with_name(f".{kept.name}{_PART}")
    try:
        with suppress(FileNotFoundError):
            draft.unlink()
        clear_before_upgrade(path.parent)
        # SQLite fills a file that is empty, and would make one that others may read.
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        address = f"{path.absolute().as_uri()}?mode=ro"
        with (
            closing(sqlite3.connect(address, uri=True)) as old,
            closing(sqlite3.connect(draft, isolation_level=None)) as copy,
        ):
            old.backup(copy)
            # One file, and on the disk when it is closed.
            copy.execute("PRAGMA journal_mode = DELETE")
        draft.replace(kept)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            draft.unlink()
        reason = getattr(error, "strerror", None) or error
        raise CatalogueError(
            f"{kept}: the catalogue cannot be kept as it was before the upgrade ({reason}); make "
            "room on the disk, or make the library folder writable"
        ) from error
