"""All of an archive, fetched into a file beside the copy in whose place it is put when it is whole.

It is fetched in parts, each committed, all of rows as they were at one version. So who was killed,
or lost the server, goes on where it was, and what changed meanwhile is fetched like any change.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from index.catalogue.connection import open_writable
from index.catalogue.migrations import applied_steps, known_steps
from index.errors import CatalogueError
from index.shared.archive import State, is_known, size_of, state_of, without_triggers
from index.shared.fetch_lock import fetching_alone
from index.shared.progress import Progress
from index.shared.server import Server
from index.shared.tables import Row, Table, counted, tables_of

# What was fetched so far is no catalogue that anybody opens.
_ENDING = ".fetched"
# Rows of a part: a second or so of fetching, of which a kill loses one.
_PART = 20_000
# The copy takes from this to that share of what the tables take in PostgreSQL, which may have holes
# in them.
_LEAST, _MOST = 0.5, 1.2
# How often it is begun anew where all of the archive is replaced under our hands.
_TRIES = 3
# No row has a number below.
_BEGINNING = -(2**63) + 1
# After these the file is no good, or in the way.
_HOPELESS = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
)


def make_copy(path: Path, server: Server) -> None:
    """Fetch the archive to `path`, where no copy is, unless another process has meanwhile.

    Raises `CatalogueError`, and SQLite's errors.
    """
    with fetching_alone(path.parent):
        if path.exists():
            return
        with _fetched(path, server) as whole:
            for ending in ("-wal", "-shm"):  # those of another file would damage it
                path.with_name(path.name + ending).unlink(missing_ok=True)
            whole.replace(path)


def renew_copy(path: Path, server: Server, local: sqlite3.Connection) -> None:
    """Put all of the archive in the place of what the copy holds, which is open as `local`.

    Who else has it open sees what was until all is there. Raises as `make_copy`.
    """
    with fetching_alone(path.parent):
        if is_known(server, state_in(local)):
            return  # another has done it
        with _fetched(path, server) as whole:
            local.execute("ATTACH ? AS whole", [str(whole)])
            try:
                _put(path.parent, local)
            finally:
                local.execute("DETACH whole")
                # It would stay as large as the copy for as long as anybody has that open.
                local.execute("PRAGMA main.wal_checkpoint(TRUNCATE)").fetchall()


def _put(folder: Path, local: sqlite3.Connection) -> None:
    tables = tables_of(local)
    with (
        Progress(folder, "putting") as progress,
        transaction(local),
        without_triggers(local),
    ):
        for table in tables:
            progress.still()
            local.execute(f'DELETE FROM main."{table.name}"')
            names = ", ".join([table.sqlite_key, *(f'"{name}"' for name, _ in table.columns)])
            local.execute(
                f'INSERT INTO main."{table.name}" ({names}) '
                f'SELECT {names} FROM whole."{table.name}" ORDER BY {table.sqlite_key}'
            )
        local.execute("REPLACE INTO main.archive_state SELECT * FROM whole.archive_state")


@contextmanager
def _fetched(path: Path, server: Server) -> Iterator[Path]:
    """All of the archive in a file that is closed, and gone afterwards."""
    whole = path.with_name(path.name + _ENDING)
    try:
        with Progress(path.parent, "copy") as progress:
            _check_room(path.parent, server)
            for _ in range(_TRIES):
                if _fetch(whole, server, progress):
                    break
                _drop(whole)
            else:
                raise restless(server)
        yield whole
    except sqlite3.DatabaseError as error:
        code = error.sqlite_errorcode & 0xFF
        if code in _HOPELESS:
            _drop(whole)
        if code == sqlite3.SQLITE_FULL:
            raise _full(path.parent, server) from error
        raise
    _drop(whole)


def _check_room(folder: Path, server: Server) -> None:
    """Raises `CatalogueError` where there is surely no room: a full disk harms other programs."""
    with suppress(OSError):  # it is not told how much there is
        fetched = sum(each.stat().st_size for each in folder.glob(f"*{_ENDING}"))
        if shutil.disk_usage(folder).free + fetched < _LEAST * size_of(server):
            raise _full(folder, server)


def _full(folder: Path, server: Server) -> CatalogueError:
    size = f"{max(1, round(_MOST * size_of(server) / 1e6)):,} MB"
    return CatalogueError(
        f"{folder}: there is no room for a copy of {server.address}, which takes up to {size}; "
        "make room on that disk and run it again"
    )


def restless(server: Server) -> CatalogueError:
    return CatalogueError(
        f"{server.address}: all of it is replaced again and again; try again when that is done"
    )


def _drop(whole: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        whole.with_name(whole.name + ending).unlink(missing_ok=True)


def _fetch(whole: Path, server: Server, progress: Progress) -> bool:
    """Fetch what is left; False where the archive has been replaced by another meanwhile."""
    with closing(_opened(whole, server)) as local:
        base = state_in(local)
        assert base is not None
        tables = tables_of(local)
        ((done,),) = local.execute("SELECT coalesce(sum(rows), 0) FROM archive_parts").fetchall()
        with server.asking() as cursor:
            counts = counted(cursor, tables)
        progress.expect(max(sum(counts), done), done)
        for table, count in zip(tables, counts, strict=True):
            if count:
                _fetch_table(table, local, server, base.version, progress)
        if not is_known(server, base):
            return False
        with transaction(local):
            for (statement,) in local.execute("SELECT sql FROM archive_aside").fetchall():
                progress.still()
                local.execute(statement)
            local.execute("DROP TABLE archive_aside")
            local.execute("DROP TABLE archive_parts")
    return True


def _fetch_table(
    table: Table, local: sqlite3.Connection, server: Server, version: int, progress: Progress
) -> None:
    known = "SELECT last, rows FROM archive_parts WHERE name = ?"
    lost = False
    while True:
        last, rows = local.execute(known, [table.name]).fetchone() or (_BEGINNING, 0)
        if last is None:
            return
        part = _Part()
        try:
            with (
                transaction(local),
                server.asking() as cursor,
                table.next_rows(cursor, last, version, _PART) as found,
            ):
                table.put_local(local, progress.rows(part.noted(found)))
                local.execute(
                    "REPLACE INTO archive_parts VALUES (?, ?, ?)",
                    [table.name, part.last if part.rows == _PART else None, rows + part.rows],
                )
            lost = False
        except CatalogueError:
            # It goes on by another connection, but not without end.
            progress.add(-part.rows)
            if lost:
                raise
            lost = True


class _Part:
    """Counts rows as they pass, and knows the number of the last."""

    def __init__(self) -> None:
        self.rows, self.last = 0, _BEGINNING

    def noted(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            self.rows, self.last = self.rows + 1, row[0]
            yield row


def _opened(whole: Path, server: Server) -> sqlite3.Connection:
    """What was fetched so far, or an empty one."""
    if whole.exists():
        with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(whole)) as local:
            fit = applied_steps(local) == known_steps() and is_known(server, state_in(local))
            if fit and local.execute("SELECT 1 FROM archive_aside").fetchall():
                return _unchecked(whole)
        _drop(whole)
    local = _unchecked(whole)
    try:
        with transaction(local):
            keep_state(local)
            local.execute("CREATE TABLE archive_parts (name TEXT PRIMARY KEY, last, rows)")
            local.execute("CREATE TABLE archive_aside (sql TEXT NOT NULL)")
            # Nothing must happen by itself, and an index is quicker made of all at once.
            aside = local.execute(
                "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL "
                "AND type IN ('index', 'trigger') AND tbl_name <> 'readings' ORDER BY type"
            ).fetchall()
            for kind, name, statement in aside:
                local.execute("INSERT INTO archive_aside VALUES (?)", [statement])
                local.execute(f'DROP {kind} "{name}"')
            for table in tables_of(local):
                local.execute(f'DELETE FROM "{table.name}"')
            note_state(local, state_of(server))
    except BaseException:
        local.close()
        raise
    return local


def _unchecked(whole: Path) -> sqlite3.Connection:
    local = open_writable(whole, 0, keep=False)
    # Keys hold in the archive.
    local.execute("PRAGMA foreign_keys = OFF")
    # Nobody reads it meanwhile, and so all is written once.
    local.execute("PRAGMA journal_mode = TRUNCATE").fetchall()
    return local


# The state of a copy


def keep_state(local: sqlite3.Connection) -> None:
    """Have a place in a copy for the state of the archive that it has."""
    local.execute(
        "CREATE TABLE IF NOT EXISTS archive_state "
        "(one INTEGER PRIMARY KEY CHECK (one), version INTEGER NOT NULL, name TEXT NOT NULL)"
    )


def note_state(local: sqlite3.Connection, state: State) -> None:
    """Note, in the transaction that brings it there, which state of the archive it has."""
    local.execute("REPLACE INTO archive_state VALUES (1, ?, ?)", state)


def state_in(local: sqlite3.Connection) -> State | None:
    """The state that it has; None of one that has none yet."""
    row = local.execute("SELECT version, name FROM archive_state").fetchone()
    return row and State(*row)


@contextmanager
def transaction(local: sqlite3.Connection) -> Iterator[None]:
    """Committed at the end, and undone by an exception."""
    local.execute("BEGIN IMMEDIATE")
    try:
        yield
        local.execute("COMMIT")
    except BaseException:
        if local.in_transaction:  # a failing disk makes SQLite end it
            local.execute("ROLLBACK")
        raise
