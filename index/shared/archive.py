"""An archive in PostgreSQL: made in a database, brought to the present schema, and its state."""

from __future__ import annotations

import math
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from index.catalogue.connection import database
from index.catalogue.migrations import STEPS, known_steps, migrate
from index.errors import CatalogueError
from index.shared.progress import Progress
from index.shared.server import SCHEMA, Server
from index.shared.tables import Row, Table, counted, tables_of

if TYPE_CHECKING:
    import psycopg

# Versions whose names, and the rows that were removed since, are kept. A copy that is further
# behind is made anew.
KEPT = 20_000
# Whoever writes begins by this.
LOCK = "SELECT version, name, steps FROM archive_head FOR UPDATE"
# How often those before are forgotten.
_EVERY = 1000
# Seconds to wait for whoever is writing.
_PATIENCE = 30.0
# The prefix of folders in which tables are changed.
_UPGRADING = ".upgrade-"
# Any number, under which two that make or change the tables exclude each other.
_MAKING = 0x70686F74

_TABLES = (
    # The one row that says in which state the archive is. Whoever writes locks it first.
    """
    CREATE TABLE archive_head (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        version bigint NOT NULL,
        name text NOT NULL,
        steps text[] NOT NULL
    )
    """,
    # By the names of the last states it is known whether a copy was made of this archive: another
    # may have been put in its place, or an older one.
    "CREATE TABLE archive_names (version bigint PRIMARY KEY, name text NOT NULL)",
    """
    CREATE TABLE archive_removed (
        "table" text, "row" bigint, version bigint NOT NULL, PRIMARY KEY ("table", "row")
    )
    """,
    "CREATE INDEX ON archive_removed (version)",
    # When each table last changed.
    'CREATE TABLE archive_touched ("table" text PRIMARY KEY, version bigint NOT NULL)',
    # Who is changing which folders for longer; see claims.py.
    """
    CREATE TABLE archive_writers (
        id bigint PRIMARY KEY, folders text[] NOT NULL, host text NOT NULL, pid bigint NOT NULL,
        command text NOT NULL, since text NOT NULL
    )
    """,
)


class State(NamedTuple):
    """The number of the last change, and a random name drawn for it."""

    version: int
    name: str


def is_there(address: str) -> bool:
    """Whether there is an archive at an address. Raises `CatalogueError`."""
    with closing(Server(address, 0)) as server:
        return is_made(server)


def is_made(server: Server) -> bool:
    """Whether the database holds an archive. Raises `CatalogueError`."""
    ((found,),) = server.ask("SELECT to_regclass(%s) IS NOT NULL", [f"{SCHEMA}.archive_head"])
    return bool(found)


def check_may_write(server: Server) -> None:
    """Raises `CatalogueError` when its server does not let this user write."""
    query = "SELECT has_table_privilege(%s, 'UPDATE')"
    if not server.ask(query, [f"{SCHEMA}.archive_head"])[0][0]:
        raise CatalogueError(
            f"{server.address}: may only be read by this user; whoever keeps the archive can "
            "allow more"
        )


class Changes(NamedTuple):
    """The state of an archive, and which tables changed since an earlier one."""

    state: State
    tables: list[str]


def state_of(server: Server) -> State:
    return State(*server.ask("SELECT version, name FROM archive_head")[0])


def checked_state(server: Server, here: State | None) -> State:
    """Its state, which may be that of a copy; its tables are looked at only where it is not.

    Raises `CatalogueError` as `check_steps` does.
    """
    query = (
        "SELECT version, name, CASE WHEN version = %s AND name = %s THEN NULL ELSE steps END "
        "FROM archive_head"
    )
    ((version, name, steps),) = server.ask(query, list(here or (-1, "")))
    _check(server, steps)
    return State(version, name)


def locked_state(cursor: psycopg.Cursor[Any], server: Server, here: State | None) -> State:
    """The same for who writes, from the answer to `LOCK`: nobody else does until the end of the
    transaction.
    """
    version, name, steps = cursor.fetchone() or (0, "", [])
    state = State(version, name)
    _check(server, None if state == here else steps)
    return state


def changes_since(cursor: psycopg.Cursor[Any], state: State) -> Changes | None:
    """What changed since a state; None where the archive never was in it, or not lately."""
    query = (
        "SELECT version, name, "
        "EXISTS (SELECT 1 FROM archive_names WHERE version = %s AND name = %s), "
        'ARRAY (SELECT "table" FROM archive_touched WHERE version > %s) FROM archive_head'
    )
    found = cursor.execute(query, [*state, state.version]).fetchone()
    if found is None or not found[2]:
        return None
    version, name, _, tables = found
    return Changes(State(version, name), tables)


def is_known(server: Server, state: State | None) -> bool:
    """Whether the archive was in this state lately, and knows what changed since."""
    if state is None:
        return False
    query = "SELECT 1 FROM archive_names WHERE version = %s AND name = %s"
    return bool(server.ask(query, list(state)))


def size_of(server: Server) -> int:
    """Bytes that the archive's tables take there, without their indexes."""
    query = (
        "SELECT coalesce(sum(pg_table_size(oid)), 0)::bigint FROM pg_class "
        "WHERE relnamespace = %s::regnamespace AND relkind = 'r'"
    )
    return int(server.ask(query, [SCHEMA])[0][0])


def taken(server: Server) -> set[str]:
    """The steps of the schema that the archive has taken.

    Raises `CatalogueError` when it is of a newer photosearch.
    """
    ((steps,),) = server.ask("SELECT steps FROM archive_head")
    _check_known(server, steps)
    return set(steps)


def check_steps(server: Server) -> None:
    """Raises `CatalogueError` when the archive's tables are not those of this photosearch."""
    _check(server, list(taken(server)))


def _check(server: Server, steps: list[str] | None) -> None:
    if steps is None or set(steps) == known_steps():
        return
    _check_known(server, steps)
    raise CatalogueError(
        f"{server.address}: was made by an older photosearch; whoever keeps the archive has to "
        "open it once with this one"
    )


def _check_known(server: Server, steps: list[str]) -> None:
    if set(steps) - known_steps():
        raise CatalogueError(
            f"{server.address}: was made by a newer photosearch; upgrade photosearch"
        )


def make(server: Server) -> None:
    """Make an empty archive in a database that has none; all of it, or nothing."""
    with server.writing() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MAKING])
        cursor.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.archive_head"])
        if cursor.fetchone() != (None,):
            return  # another was quicker
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        for statement in _TABLES:
            cursor.execute(statement)
        cursor.execute("INSERT INTO archive_head (version, name, steps) VALUES (0, '', '{}')")
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
            migrate(database(new))
            fill(cursor, new)


def put(address: str, file: Path) -> None:
    """Put the catalogue in a file, of the present schema, in the place of what an archive holds.

    The archive is made where there is none. Raises `CatalogueError`.
    """
    with (
        closing(Server(address, _PATIENCE)) as server,
        closing(sqlite3.connect(file, isolation_level=None)) as local,
    ):
        if not is_made(server):
            make(server)
        with server.writing(silence=math.inf) as cursor:
            fill(cursor, local)


def upgrade(server: Server, folder: Path) -> None:
    """Take the steps of the schema that an older photosearch did not know; all of them, or none.

    It is done on a copy in `folder`. Only who made the tables may change them.
    """
    # To drop all rows takes the server long.
    with server.writing(silence=math.inf) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MAKING])
        cursor.execute("SELECT steps FROM archive_head FOR UPDATE")
        steps = set((cursor.fetchone() or ([],))[0])
        if steps == known_steps():
            return
        # However long the copy takes.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        for left in folder.glob(f"{_UPGRADING}*"):  # by who was killed
            shutil.rmtree(left, ignore_errors=True)
        with (
            tempfile.TemporaryDirectory(dir=folder, prefix=_UPGRADING) as name,
            closing(sqlite3.connect(Path(name) / "copy.db", isolation_level=None)) as local,
        ):
            migrate(database(local), [step for step in STEPS if step.__name__ in steps])
            tables = tables_of(local)
            rows = sum(counted(cursor, tables))
            with Progress(folder, "upgrade", 2 * rows) as progress:
                local.execute("BEGIN")
                _fill_local(cursor, local, tables, progress)
                local.execute("COMMIT")
                migrate(database(local))
                fill(cursor, local, progress.rows)


def fill(
    cursor: psycopg.Cursor[Any],
    local: sqlite3.Connection,
    passing: Callable[[Iterable[Row]], Iterable[Row]] = lambda rows: rows,
) -> None:
    """Put all rows of a catalogue, and its tables, in the place of those of the archive.

    Every copy is made anew then. All rows go through `passing`.
    """
    cursor.execute("SELECT version FROM archive_head FOR UPDATE")
    version = (cursor.fetchone() or (0,))[0] + 1
    tables = tables_of(local)
    for table in tables:
        table.make(cursor)
    for (name,) in cursor.execute('SELECT "table" FROM archive_touched').fetchall():
        if name not in {table.name for table in tables}:
            cursor.execute(f'DROP TABLE "{name}"')
    cursor.execute("DELETE FROM archive_touched")
    cursor.execute("DELETE FROM archive_removed")
    cursor.execute("DELETE FROM archive_names")
    for table in tables:
        cursor.execute(f'DELETE FROM "{table.name}"')
        table.put_shared(cursor, passing(table.local_rows(local)), version)
    touch(cursor, [table.name for table in tables], version)
    cursor.execute("UPDATE archive_head SET steps = %s", [sorted(known_steps())])
    advance(cursor, version)


def _fill_local(
    cursor: psycopg.Cursor[Any],
    local: sqlite3.Connection,
    tables: Iterable[Table],
    progress: Progress,
) -> None:
    """Put all rows of the archive into an empty copy.

    Nothing must happen there by itself: triggers have done here what they do, and keys hold.
    """
    with without_triggers(local):
        for table in tables:
            # What the steps of the schema put there.
            local.execute(f'DELETE FROM "{table.name}"')
            with table.shared_rows(cursor) as rows:
                table.put_local(local, progress.rows(rows))


@contextmanager
def without_triggers(local: sqlite3.Connection) -> Iterator[None]:
    """Meanwhile none of SQLite's triggers is there, but those that keep the index of texts.

    Within a transaction, so that nobody else sees the copy without them.
    """
    triggers = local.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name <> 'readings'"
    ).fetchall()
    for name, _ in triggers:
        local.execute(f'DROP TRIGGER "{name}"')
    yield
    for _, statement in triggers:
        local.execute(statement)


def remove(cursor: psycopg.Cursor[Any], table: Table, keys: list[int], version: int) -> None:
    """Note that rows are gone, which were dropped."""
    cursor.execute(
        'INSERT INTO archive_removed ("table", "row", version) SELECT %s, unnest(%s::bigint[]), %s '
        'ON CONFLICT ("table", "row") DO UPDATE SET version = excluded.version',
        [table.name, keys, version],
    )


def advance(cursor: psycopg.Cursor[Any], version: int) -> State:
    """Give the archive its next state, in the transaction that brings it there."""
    state = State(version, secrets.token_hex(16))
    cursor.execute("UPDATE archive_head SET version = %s, name = %s", state)
    cursor.execute("INSERT INTO archive_names (version, name) VALUES (%s, %s)", state)
    if version % _EVERY == 0:
        for table in ("archive_names", "archive_removed"):
            cursor.execute(f"DELETE FROM {table} WHERE version < %s", [version - KEPT])
    return state


def touch(cursor: psycopg.Cursor[Any], names: list[str], version: int) -> None:
    """Note which tables changed."""
    cursor.execute(
        'INSERT INTO archive_touched ("table", version) SELECT unnest(%s::text[]), %s '
        'ON CONFLICT ("table") DO UPDATE SET version = excluded.version',
        [names, version],
    )
