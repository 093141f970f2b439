"""Making a catalogue from one that somebody else wrote, and that may hold anything.

Its rows are copied into a catalogue of our own schema. Its file is only read, none of its views and
triggers is met, and what takes too long or too much is given up.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from index.catalogue.changes import count_up
from index.catalogue.connection import Connection, database
from index.catalogue.migrations import STEPS, Step, applied_steps, known_steps, migrate
from index.errors import CatalogueError
from index.safety.health import Health, settle
from index.safety.salvage import columns_of, tables_in_order

# Bytes of one row; texts that were read in photos are the largest.
_LONGEST = 16 << 20
# Seconds for any catalogue, and bytes of it for each second more.
_SECONDS, _A_SECOND = 60.0, 500_000
# SQLite's steps between two looks at the clock.
_STEPS = 20_000
_ROWS = 1000
_STATE = ("active_bundle", "wanted_bundle")


def adopt(source: Path, target: Path, separator: str) -> None:
    """Make the catalogue `target`, a new file, of the rows of `source`, with paths of `separator`.

    Raises `CatalogueError`, whose message is what is wrong with `source`, and does not name it.
    """
    with _reasons(), closing(_open(source)) as old:
        steps = _steps(old)
        with closing(sqlite3.connect(target, isolation_level=None)) as new:
            # With the schema it had there, so that each step to the present one is taken here.
            migrate(database(new), steps)
            _copy(old, new)
    with closing(Connection.open(target, readonly=False, timeout=30)) as made:
        with made.write() as db:
            settle(db)
            db.execute("DELETE FROM changes")
            db.execute("DELETE FROM generations")
            count_up(db)
        health = Health(made)
        # By an address a stranger could have this machine ask whatever others are there.
        bad = health.bad_rows(separator, addresses=False)
        wrong = bad.reasons | health.bad_vectors({}).reasons
    if wrong:
        what = ", ".join(f"{reason}: {number}" for reason, number in sorted(wrong.items()))
        raise CatalogueError(f"rows in it cannot be used ({what})", damaged=True)


@contextmanager
def _reasons() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OverflowError) as error:
        slow = getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT"
        reason = "it takes too long to read" if slow else str(error)
        raise CatalogueError(reason, damaged=True) from error


def _open(path: Path) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    old = sqlite3.connect(address, uri=True, isolation_level=None)
    old.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    end = time.monotonic() + _SECONDS + path.stat().st_size / _A_SECOND
    old.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON"):
        old.execute(f"PRAGMA {pragma}")
    return old


def _steps(old: sqlite3.Connection) -> tuple[Step, ...]:
    """The steps that were taken there; the first of ours, unless it is no catalogue of ours."""
    kinds = dict(old.execute("SELECT name, type FROM sqlite_master WHERE type IN ('table','view')"))
    applied = applied_steps(old) if kinds.get("_sqlite_migrations") == "table" else None
    if applied is None:
        raise CatalogueError("it is a database of another program", damaged=True)
    if applied - known_steps():
        raise CatalogueError("it was made by a newer photosearch; upgrade photosearch")
    steps = STEPS[: len(applied)]
    if {step.__name__ for step in steps} != applied:
        raise CatalogueError("its schema is none that there has been", damaged=True)
    (fault,) = old.execute("PRAGMA quick_check(1)").fetchone()
    if fault != "ok":
        raise CatalogueError(str(fault), damaged=True)
    return steps


def _copy(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """All rows, by their columns' names; what leads nowhere is settled later."""
    kinds = dict(old.execute("SELECT name, type FROM sqlite_master WHERE type IN ('table','view')"))
    new.execute("BEGIN")
    for table in tables_in_order(new):
        names = sorted(columns_of(new, table))
        # What a view or a generated column gives is worked out by what is in the file.
        if kinds.get(table) != "table" or set(names) - columns_of(old, table):
            raise CatalogueError(f"its table {table} is none", damaged=True)
        columns, marks = ", ".join(names), ", ".join("?" * len(names))
        cursor = old.execute(f"SELECT {columns} FROM {table}")
        # The album of favourites is there from the beginning.
        insert = f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})"
        while rows := cursor.fetchmany(_ROWS):
            new.executemany(insert, rows)
    if kinds.get("state") == "table":
        marks = ", ".join("?" * len(_STATE))
        chosen = old.execute(f"SELECT key, value FROM state WHERE key IN ({marks})", _STATE)
        new.executemany("REPLACE INTO state (key, value) VALUES (?, ?)", chosen.fetchall())
    new.execute("COMMIT")
