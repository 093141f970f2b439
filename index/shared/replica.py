"""A machine's copy of an archive: a catalogue as in any library's folder, kept as the archive is.

All that is read is read from it. Who writes locks the archive, brings the copy to its state, writes
to the copy, and sends the rows that changed; only when they are safe there is it committed here.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from index.shared.archive import (
    LOCK,
    Changes,
    State,
    advance,
    changes_since,
    checked_state,
    is_known,
    locked_state,
    remove,
    touch,
    without_triggers,
)
from index.shared.fetch_lock import fetching_alone, is_fetching
from index.shared.progress import Progress
from index.shared.server import Server
from index.shared.tables import count_changed, outdated_keys, tables_of
from index.shared.whole import keep_state, note_state, renew_copy, restless, state_in

if TYPE_CHECKING:
    import psycopg

# Seconds for which what was read is taken to be current, so that a search need not ask the server
# again and again. What this machine writes is seen at once.
_CURRENT = 0.05
# Versions by which a copy is behind that is brought up to date in no time.
_NEAR = 100
# Rows that are sent or fetched at once, without being counted.
_FEW = 2000
# How often it is begun anew where all of the archive is replaced under our hands.
_TRIES = 3
# How often this process has written to archives.
_process = SimpleNamespace(writes=0)


class Replica:
    """The copy at `path`, which is there, of the archive of a `server`; from one thread.

    Raises `CatalogueError` for what the server says, and SQLite's errors.
    """

    def __init__(self, path: Path, server: Server, timeout: float) -> None:
        self._path, self._server = path, server
        # Of its own: who reads the copy while it changes sees what was, as beside any writer.
        self._local = sqlite3.connect(path, timeout=timeout, isolation_level=None)
        # Keys hold in the archive; whatever they would drop is dropped there.
        self._local.execute("PRAGMA foreign_keys = OFF")
        self._local.execute("PRAGMA synchronous = NORMAL")
        keep_state(self._local)
        self._tables = {table.name: table for table in tables_of(self._local)}
        self._checked, self._seen = float("-inf"), _process.writes

    def close(self) -> None:
        self._local.close()

    def refresh(self) -> None:
        """Bring the copy to the state of the archive, unless that was just looked at."""
        written, now = _process.writes, time.monotonic()
        if written == self._seen and now - self._checked < _CURRENT:
            return
        state = checked_state(self._server, state_in(self._local))
        if state != state_in(self._local):
            self._bring_up(state)
        self._seen, self._checked = written, time.monotonic()

    @contextmanager
    def writing(self) -> Iterator[Callable[[sqlite3.Connection], None]]:
        """Keep others from writing meanwhile. What it gives sends what a connection has changed in
        a transaction that is still open, of which `note_changes` was told before.
        """
        for _ in range(_TRIES):
            # Not while nobody else can write.
            self._wait()
            with self._server.writing(LOCK) as cursor:
                here = state_in(self._local)
                before = locked_state(cursor, self._server, here)
                # What takes longer is fetched while others may write.
                if before == here or (self._is_near(before) and self._take(cursor, alone=True)):
                    yield partial(self._send, cursor, before.version + 1)
                    return
            self._bring_up(before)
        raise restless(self._server)

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

    def _is_near(self, state: State) -> bool:
        """Whether it takes no time to bring the copy there from where it is."""
        here = state_in(self._local)
        return here is not None and 0 <= state.version - here.version <= _NEAR

    def _bring_up(self, state: State) -> None:
        """Bring the copy to a state of the archive, or one beyond."""
        folder = self._path.parent
        for _ in range(_TRIES):
            if self._is_near(state):
                with self._server.reading() as cursor:
                    if self._take(cursor):
                        return
            if not is_known(self._server, state_in(self._local)):
                renew_copy(self._path, self._server, self._local)
            with fetching_alone(folder), self._server.reading() as cursor:
                if self._take(cursor, alone=True):
                    return
        raise restless(self._server)

    def _take(self, cursor: psycopg.Cursor[Any], *, alone: bool = False) -> bool:
        """Bring the copy to the state that the cursor sees, which has seen nothing so far but what
        it locked: so the copy, which nobody else can bring further meanwhile, is not beyond that.

        False where it is not known what changed since the copy was made. `alone` where nobody who
        fetches much is to be waited for, since this does, or others wait for this.
        """
        self._begin(alone=alone)
        try:
            # Another process may have done it while this one waited.
            here = state_in(self._local)
            changes = here and changes_since(cursor, here)
            if here is not None and changes is not None and changes.state != here:
                self._take_after(cursor, here.version, changes)
                note_state(self._local, changes.state)
            self._local.execute("COMMIT")
        except BaseException:
            if self._local.in_transaction:
                self._local.execute("ROLLBACK")
            raise
        return changes is not None

    def _begin(self, *, alone: bool) -> None:
        """Begin to write. Who fetches much is waited for as long as it takes."""
        while True:
            try:
                self._local.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if alone or not busy or not is_fetching(self._path.parent):
                    raise
            self._wait()

    def _wait(self) -> None:
        """Wait for who fetches much for this copy, if anybody does."""
        if is_fetching(self._path.parent):
            with fetching_alone(self._path.parent):
                pass

    def _take_after(self, cursor: psycopg.Cursor[Any], version: int, changes: Changes) -> None:
        # Those of others were put there by hand.
        tables = [self._tables[name] for name in changes.tables if name in self._tables]
        total = None
        if changes.state.version - version > _NEAR:
            total = count_changed(cursor, tables, version)
        with (
            Progress(self._path.parent, "changes", total) as progress,
            without_triggers(self._local),
        ):
            # All before any is put back: two may have changed places.
            count = 0
            with outdated_keys(cursor, tables, version) as outdated:
                for table, keys in outdated:
                    table.drop_local(self._local, keys)
                    count += len(keys)
            if count <= _FEW:
                # All is asked for at once: each answer takes as long as the way there and back.
                with cursor.connection.pipeline():
                    asked = [(table, table.few_rows(cursor, version)) for table in tables]
                    for table, answer in asked:
                        table.put_local(self._local, answer())
                return
            for table in tables:
                with table.shared_rows(cursor, version) as rows:
                    table.put_local(self._local, progress.rows(rows))

    def _send(self, cursor: psycopg.Cursor[Any], version: int, local: sqlite3.Connection) -> None:
        """Send what was changed, if anything was, by which the archive gets to a version."""
        names = local.execute("SELECT DISTINCT name FROM archive_changed").fetchall()
        changed = [self._tables[name] for (name,) in names]
        if not changed:
            return
        ((count,),) = local.execute("SELECT count(*) FROM archive_changed").fetchall()
        # As above, nothing of this is waited for by itself.
        with cursor.connection.pipeline() if count <= _FEW else nullcontext():
            for table in changed:
                rows = "SELECT row FROM archive_changed WHERE name = ?"
                keys = {row for (row,) in local.execute(rows, [table.name])}
                there = table.local_keys(local, f"IN ({rows})", [table.name])
                table.drop_shared(cursor, list(keys))
                found = table.local_rows(local, f"IN ({rows})", [table.name])
                put = table.put_few if count <= _FEW else table.put_shared
                put(cursor, found, version)
                if gone := keys - there:
                    remove(cursor, table, list(gone), version)
            touch(cursor, [table.name for table in changed], version)
            state = advance(cursor, version)
            # Before it is here: what is not safe there is not there.
            cursor.execute("COMMIT")
        local.execute("DELETE FROM archive_changed")
        note_state(local, state)
        _process.writes += 1
