"""A machine's copy of an archive: a catalogue as in any library's folder, kept as the archive is.

All that is read is read from it. Who writes locks the archive, brings the copy to its state, writes
to the copy, and sends the rows that changed; only when they are safe there is it committed here.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from index.shared.archive import (
    State,
    advance,
    check_steps,
    fill_local,
    remove,
    state_of,
    touch,
    without_triggers,
)
from index.shared.server import Server
from index.shared.tables import tables_of

if TYPE_CHECKING:
    import psycopg

_log = logging.getLogger(__name__)
# Seconds for which what was read is taken to be current, so that a search need not ask the server
# again and again. What this machine writes is seen at once.
_CURRENT = 0.05
# How often this process has written to archives.
_process = SimpleNamespace(writes=0)


class Replica:
    """The copy at `path`, which is there, of the archive of a `server`; from one thread.

    Raises `CatalogueError` for what the server says, and SQLite's errors.
    """

    def __init__(self, path: Path, server: Server, timeout: float) -> None:
        self._server = server
        # Of its own: who reads the copy while it changes sees what was, as beside any writer.
        self._local = sqlite3.connect(path, timeout=timeout, isolation_level=None)
        # Keys hold in the archive; whatever they would drop is dropped there.
        self._local.execute("PRAGMA foreign_keys = OFF")
        self._local.execute("PRAGMA synchronous = NORMAL")
        self._local.execute(
            "CREATE TABLE IF NOT EXISTS archive_state "
            "(one INTEGER PRIMARY KEY CHECK (one), version INTEGER NOT NULL, name TEXT NOT NULL)"
        )
        self._tables = {table.name: table for table in tables_of(self._local)}
        self._checked, self._seen = float("-inf"), _process.writes

    def close(self) -> None:
        self._local.close()

    def refresh(self) -> None:
        """Bring the copy to the state of the archive, unless that was just looked at."""
        written, now = _process.writes, time.monotonic()
        if written == self._seen and now - self._checked < _CURRENT:
            return
        if state_of(self._server) != self._state():
            check_steps(self._server)
            with self._server.reading() as cursor:
                self._take(cursor)
        self._seen, self._checked = written, time.monotonic()

    @contextmanager
    def writing(self) -> Iterator[Callable[[sqlite3.Connection], None]]:
        """Keep others from writing meanwhile. What it gives sends what a connection has changed in
        a transaction that is still open, of which `note_changes` was told before.
        """
        with self._server.writing() as cursor:
            cursor.execute("SELECT version, name FROM archive_head FOR UPDATE")
            before = State(*(cursor.fetchone() or (0, "")))
            if before != self._state():
                check_steps(self._server)
                self._take(cursor)

            def send(local: sqlite3.Connection) -> None:
                if self._send(local, cursor, before.version + 1):
                    # Now, and not after the copy's: what is not safe there is not there.
                    cursor.execute("COMMIT")
                    _process.writes += 1

            yield send

    def note_changes(self, local: sqlite3.Connection) -> None:
        """Have a connection note which rows it changes."""
        # What REPLACE drops is noted, too.
        local.execute("PRAGMA recursive_triggers = ON")
        # No key: where there is one, the clause of the statement that fires a trigger decides.
        local.execute("CREATE TEMP TABLE archive_changed (name TEXT, row INTEGER)")
        for table in self._tables.values():
            for event, rows in (
                ("INSERT", ["NEW"]),
                ("DELETE", ["OLD"]),
                ("UPDATE", ["OLD", "NEW"]),
            ):
                notes = "".join(
                    f"INSERT INTO archive_changed VALUES ('{table.name}', {row}.rowid); "
                    for row in rows
                )
                local.execute(
                    f'CREATE TEMP TRIGGER "archive_{table.name}_{event}" AFTER {event} '
                    f'ON main."{table.name}" BEGIN {notes} END'
                )

    def _state(self) -> State | None:
        row = self._local.execute("SELECT version, name FROM archive_state").fetchone()
        return row and State(*row)

    def _take(self, cursor: psycopg.Cursor[Any]) -> None:
        """Bring the copy to the state that the cursor sees, which has seen nothing so far but what
        it locked: so the copy, which nobody else can bring further meanwhile, is not beyond that.
        """
        self._local.execute("BEGIN IMMEDIATE")
        try:
            cursor.execute("SELECT version, name FROM archive_head")
            state = State(*(cursor.fetchone() or (0, "")))
            # Another process may have done it while this one waited.
            here = self._state()
            if here != state:
                self._take_after(cursor, here)
                self._local.execute("REPLACE INTO archive_state VALUES (1, ?, ?)", state)
            self._local.execute("COMMIT")
        except BaseException:
            if self._local.in_transaction:
                self._local.execute("ROLLBACK")
            raise

    def _take_after(self, cursor: psycopg.Cursor[Any], here: State | None) -> None:
        if here is not None:
            query = "SELECT 1 FROM archive_names WHERE version = %s AND name = %s"
            if not cursor.execute(query, here).fetchall():
                here = None  # of another archive, or too old
        if here is None:
            _log.info("making a copy of %s", self._server.address)
            fill_local(cursor, self._local, self._tables.values())
            return
        version = here.version
        query = 'SELECT "table" FROM archive_touched WHERE version > %s'
        with without_triggers(self._local):
            for (name,) in cursor.execute(query, [version]).fetchall():
                table = self._tables.get(name)
                if table is None:
                    continue  # of somebody who put it there by hand
                gone = cursor.execute(
                    'SELECT "row" FROM archive_removed WHERE "table" = %s AND version > %s',
                    [name, version],
                ).fetchall()
                table.drop_local(self._local, (row for (row,) in gone))
                # All before any is put back: two may have changed places.
                table.drop_local(self._local, table.shared_keys(cursor, version))
                table.put_local(self._local, table.shared_rows(cursor, version))

    def _send(self, local: sqlite3.Connection, cursor: psycopg.Cursor[Any], version: int) -> bool:
        """Send what was changed; whether anything was."""
        names = local.execute("SELECT DISTINCT name FROM archive_changed").fetchall()
        changed = [self._tables[name] for (name,) in names]
        if not changed:
            return False
        for table in changed:
            rows = "SELECT row FROM archive_changed WHERE name = ?"
            keys = {row for (row,) in local.execute(rows, [table.name])}
            there = table.local_keys(local, f"IN ({rows})", [table.name])
            table.drop_shared(cursor, list(keys))
            found = table.local_rows(local, f"IN ({rows})", [table.name])
            table.put_shared(cursor, found, version)
            if gone := keys - there:
                remove(cursor, table, list(gone), version)
        touch(cursor, [table.name for table in changed], version)
        state = advance(cursor, version)
        local.execute("DELETE FROM archive_changed")
        local.execute("REPLACE INTO archive_state VALUES (1, ?, ?)", state)
        return True
