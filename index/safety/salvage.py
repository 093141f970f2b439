"""Saving what can still be read of a damaged catalogue."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from index.catalogue.changes import count_up
from index.catalogue.connection import Connection, explained
from index.errors import CatalogueError
from index.safety.health import settle
from index.safety.lock import SALVAGING
from index.safety.replacing import put_in_place

_HIGHEST = 1 << 62
# How the names of errors begin that are none of the file.
_PASSING = (
    *("SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR_SHM", "SQLITE_LOCKED"),
    "SQLITE_NOMEM",
)
# Tables that say in which state the catalogue is, and not what is in it.
_OF_STATE = {"state", "generations", "changes", "feed", "feed_states", "_sqlite_migrations"}


def salvage(path: Path) -> tuple[Path, int]:
    """Put a new catalogue in the place of the damaged one at `path`, with all that can be read.

    Where the damaged one is kept, and how many photos were saved; none, where not even its list of
    tables can be read. When this fails, nothing has changed.

    Raises `CatalogueError` when its folder cannot be written.
    """
    workshop = path.with_name(f"{SALVAGING}{os.getpid()}")
    try:
        workshop.mkdir()
        new = Connection.open(workshop / path.name, readonly=False, timeout=30)
        with closing(new), explained(path), closing(_open(path)) as old:
            photos = _copy(old, new)
        kept = put_in_place(workshop / path.name, path, "damaged")
    except OSError as error:
        raise CatalogueError(
            f"{path}: cannot be replaced ({error.strerror}); make its folder writable"
        ) from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    assert kept is not None, "what was damaged was there"
    return kept, photos


def _open(path: Path) -> sqlite3.Connection:
    old = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    # Of a text with damaged bytes, the others are of use.
    old.text_factory = lambda data: data.decode("utf-8", "replace")
    return old


def _copy(old: sqlite3.Connection, new: Connection) -> int:
    with new.write() as db:
        # Rows may come whose photo or content cannot be read; they are settled before the end.
        db.execute("PRAGMA defer_foreign_keys = ON")
        for table in tables_in_order(db):
            columns = sorted(columns_of(old, table) & columns_of(db, table))
            if not columns:
                continue
            marks = ", ".join("?" * len(columns))
            insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
            for row in _rows(old, table, columns):
                with suppress(sqlite3.IntegrityError):  # damaged bytes that SQLite takes for a row
                    db.execute(insert, row)
        if columns_of(old, "state"):
            for key, value in _rows(old, "state", ["key", "value"]):
                if key != "revision" and (key != "generation" or str(value).isdigit()):
                    db.execute("REPLACE INTO state (key, value) VALUES (?, ?)", [key, value])
        settle(db)
        db.execute("DELETE FROM changes")
        db.execute("DELETE FROM generations")
        count_up(db)
        return int(db.execute("SELECT count(*) FROM photos").fetchone()[0])


def tables_in_order(db: sqlite3.Connection) -> list[str]:
    """The tables to copy, each after those that it refers to."""
    left = {
        row[1]: {key[2] for key in db.execute(f"PRAGMA foreign_key_list({row[1]})")}
        for row in db.execute("PRAGMA table_list")
        if row[2] == "table" and row[1] not in _OF_STATE and not row[1].startswith("sqlite_")
    }
    order: list[str] = []
    while left:
        ready = [table for table, needed in left.items() if not needed & left.keys() - {table}]
        order += ready or list(left)
        for table in ready or list(left):
            del left[table]
    return order


def columns_of(db: sqlite3.Connection, table: str) -> set[str]:
    with suppress(sqlite3.DatabaseError):
        return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
    return set()


def _rows(old: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[list[Any]]:
    """The rows that can be read, each once.

    Where reading forwards fails, it goes on further and further behind the damage; what was leapt
    over too far is then read backwards, up to the damage.
    """
    query = f"SELECT rowid, {', '.join(columns)} FROM {table}"
    read = 0  # all rows up to here have been read, or cannot be
    tried, step = 0, 1
    while tried < _HIGHEST:
        begun = False
        try:
            for number, *row in old.execute(f"{query} WHERE rowid > ? ORDER BY rowid", [tried]):
                if number <= tried:
                    raise sqlite3.DatabaseError("rows out of order")
                if not begun and tried > read:
                    yield from _backwards(old, query, read, number)
                begun = True
                read = tried = number
                step = 1
                yield row
            if not begun and tried > read:
                yield from _backwards(old, query, read, _HIGHEST)
            return
        except sqlite3.DatabaseError as error:
            _raise_unless_damage(error)
            tried, step = tried + step, step * 2


def _backwards(old: sqlite3.Connection, query: str, above: int, below: int) -> Iterator[list[Any]]:
    limits = "WHERE rowid > ? AND rowid < ? ORDER BY rowid DESC"
    try:
        for number, *row in old.execute(f"{query} {limits}", [above, below]):
            if not above < number < below:
                return
            below = number
            yield row
    except sqlite3.DatabaseError as error:
        _raise_unless_damage(error)


def _raise_unless_damage(error: sqlite3.DatabaseError) -> None:
    """What is lacking just now, such as room or files, is no reason to give up rows."""
    if (getattr(error, "sqlite_errorname", None) or "").startswith(_PASSING):
        raise error
