"""The connection to the SQLite file: transactions, snapshots, and its errors in plain words."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from index.catalogue.functions import register
from index.catalogue.migrations import applied_steps, known_steps, migrate
from index.catalogue.unshared import Unshared, may_be_unshared, open_uri
from index.errors import CatalogueError
from index.safety.before_upgrade import keep_before_upgrade
from index.safety.filesystem import network_drive
from index.safety.private import private_opener

if TYPE_CHECKING:
    from sqlite_utils import Database

_Read = TypeVar("_Read")

# Columns with an index, and many rows for each value.
_FEW_VALUES = frozenset({("metadata", "place"), ("metadata", "camera"), ("metadata", "lens")})

_ADVICE = {
    "SQLITE_BUSY": "another photosearch is writing to it; try again when that is done",
    "SQLITE_LOCKED": "another photosearch is writing to it; try again when that is done",
    "SQLITE_READONLY": "make the file and its folder writable, or use another library folder",
    "SQLITE_CANTOPEN": "make the file and its folder writable, or use another library folder",
    "SQLITE_NOTADB": (
        "it is damaged, or not a catalogue; `photosearch doctor --repair` saves what it can"
    ),
    "SQLITE_CORRUPT": "it is damaged; `photosearch doctor --repair` saves what it can",
    "SQLITE_FULL": "make room on the disk and run it again; what was committed is safe",
    "SQLITE_IOERR": "make room on the disk, or check it; what was committed is safe",
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors about the file at `path` as `CatalogueError`, with what to do about them."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a mistake in our own code, such as using a closed catalogue
    except sqlite3.DatabaseError as error:
        # The name of an extended code, such as SQLITE_BUSY_SNAPSHOT, starts with the plain one's.
        name = getattr(error, "sqlite_errorname", None) or ""
        plain = "_".join(name.split("_")[:2])
        advice = _ADVICE.get(plain, "check the disk, or use another library folder")
        damaged = plain in ("SQLITE_NOTADB", "SQLITE_CORRUPT")
        raise CatalogueError(f"{path}: {error}; {advice}", damaged=damaged) from error


class Connection:
    """One process's access to the SQLite file at `path`; its errors come as `CatalogueError`."""

    # By how many generations files of vectors may be behind that are not in this folder.
    kept_generations = 0

    def __init__(
        self,
        raw: sqlite3.Connection,
        path: Path,
        *,
        readonly: bool,
        unshared: Unshared | None = None,
    ) -> None:
        register(raw)
        self._raw = raw
        self._kept: dict[str, tuple[tuple[int, int], Any]] = {}
        self._lasting: dict[str, Any] = {}
        self.path = path
        self.readonly = readonly
        # Whether what was found out about faces is told of.
        self.shows_faces = True
        self._unshared = unshared

    @classmethod
    def open(cls, path: Path, *, readonly: bool, timeout: float) -> Self:
        """Open the file at `path`, made or brought up to the present schema unless `readonly`.

        A file that is not a catalogue, or one of a newer photosearch, is left as it is. `timeout`
        is how many seconds to wait for another process's lock.
        """
        with explained(path):
            if not readonly:
                return cls(open_writable(path, timeout), path, readonly=False)
            raw, unshared = _open_readonly(path, timeout)
        return cls(raw, path, readonly=True, unshared=unshared)

    def close(self) -> None:
        self._raw.close()
        self._unshared = None

    def interrupt(self) -> None:
        """End what another thread is reading; nothing where it is closed."""
        with suppress(sqlite3.ProgrammingError):
            self._raw.interrupt()

    @property
    def is_outdated(self) -> bool:
        """Whether nothing can be read by it any more, since what others wrote is not seen by it."""
        return self._unshared is not None and self._unshared.is_changed

    def _catch_up(self) -> None:
        """Before anything is read outside of a transaction; the file is what it is."""

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with explained(self.path):
            try:
                yield
            except sqlite3.DatabaseError:
                # Half of what was and half of what is looks like damage.
                self._check_unchanged()
                raise
            self._check_unchanged()

    def _check_unchanged(self) -> None:
        if self._unshared is not None:
            self._unshared.check()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction, committed at the end and undone by an exception."""
        if self.readonly:
            raise CatalogueError(
                f"{self.path}: was opened for reading only; where its disk is full or read-only, "
                "make room or make it writable, and try again"
            )
        with explained(self.path):
            # Takes the write lock at once: a lock first wanted after a read is not waited for.
            self._raw.execute("BEGIN IMMEDIATE")
            try:
                yield self._raw
                self._raw.execute("COMMIT")
            except BaseException:
                if self._raw.in_transaction:  # a failing disk makes SQLite end it
                    self._raw.execute("ROLLBACK")
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside is of one moment, whatever other processes write meanwhile."""
        if self._raw.in_transaction:
            yield
            return
        self._catch_up()
        with explained(self.path):
            self._raw.execute("BEGIN")
            try:
                yield
            finally:
                if self._raw.in_transaction:  # a failing disk makes SQLite end it
                    self._raw.execute("COMMIT")

    @property
    def edition(self) -> tuple[int, int]:
        """Another whenever this or another connection may have changed the file since."""
        # The first counts what others have written, the second what this one has.
        return int(self.rows("PRAGMA data_version")[0][0]), self._raw.total_changes

    def copy_to(self, path: Path, without: Sequence[str] = ()) -> None:
        """Write all of it, as it is at one moment, to a new file that has no log.

        The tables `without` are empty in it. Nothing that was deleted is left.
        """
        self._catch_up()
        with explained(path), closing(sqlite3.connect(path, isolation_level=None)) as copy:
            with self._reading():
                self._raw.backup(copy)
            for table in without:
                copy.execute(f"DELETE FROM {table}")
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute("VACUUM")

    def distinct(self, table: str, column: str) -> list[Any]:
        """The values of a column other than NULL, read again only when the file has changed."""
        query = f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"
        if (table, column) in _FEW_VALUES:
            # From one to the next in the index, which SQLite would go through as a whole.
            query = (
                f"WITH RECURSIVE one (value) AS (SELECT min({column}) FROM {table} UNION ALL "
                f"SELECT (SELECT min({column}) FROM {table} WHERE {column} > value) FROM one "
                "WHERE value IS NOT NULL) SELECT value FROM one WHERE value IS NOT NULL"
            )
        return self.once(query, lambda _: [row[0] for row in self.rows(query)])

    def once(self, name: str, read: Callable[[Connection], _Read]) -> _Read:
        """What `read` gives, under this name; read again only when the file has changed."""
        edition = self.edition
        known = self._kept.get(name)
        if known is None or known[0] != edition:
            known = self._kept[name] = edition, read(self)
        value: _Read = known[1]
        return value

    def lasting(self, name: str, make: Callable[[Connection], _Read]) -> _Read:
        """What `make` gives, under this name, made once: it sees for itself what changed."""
        if name not in self._lasting:
            self._lasting[name] = make(self)
        value: _Read = self._lasting[name]
        return value

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows that a query gives."""
        self._catch_up()
        with self._reading():
            return self._raw.execute(sql, parameters).fetchall()

    def batches(
        self, sql: str, parameters: Sequence[Any], size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows that a query gives, `size` at a time."""
        self._catch_up()
        with explained(self.path):
            cursor = self._raw.execute(sql, parameters)
        while True:
            with self._reading():
                rows = cursor.fetchmany(size)
            if not rows:
                return
            yield rows


def open_writable(path: Path, timeout: float, *, keep: bool = True) -> sqlite3.Connection:
    """Open the file at `path`, made or brought up to the present schema, as it was before being
    kept beside it unless not `keep`. Raises SQLite's errors.
    """
    # Its log and what else SQLite makes beside it are for the same eyes.
    with suppress(OSError), open(path, "xb", opener=private_opener):
        pass
    # No isolation level: transactions begin where this module says so, and nowhere else.
    raw = sqlite3.connect(path, timeout=timeout, isolation_level=None)
    try:
        if network_drive(path.parent) is None:
            pending = _pending(raw, path)
            _use_write_ahead_log(raw)
            # In WAL mode this keeps the file sound through a crash; only a power cut can lose the
            # last commits, and those photos are then indexed again.
            raw.execute("PRAGMA synchronous = NORMAL")
        else:
            pending = _use_rollback_journal(raw, path)
        raw.execute("PRAGMA foreign_keys = ON")
        if pending:
            migrate(database(raw), before=partial(keep_before_upgrade, path) if keep else None)
    except BaseException:
        raw.close()
        raise
    return raw


def database(raw: sqlite3.Connection) -> Database:
    """The connection as steps of the schema take it."""
    with _without_pandas():
        from sqlite_utils import Database
    return Database(raw, execute_plugins=False)


@contextmanager
def _without_pandas() -> Iterator[None]:
    """sqlite-utils imports pandas wherever it finds it, for types of its own that we do not store.

    That would take longer than everything else about a new library.
    """
    if "pandas" in sys.modules:
        yield
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]  # as if it were not installed
    try:
        yield
    finally:
        del sys.modules["pandas"]


def _use_write_ahead_log(raw: sqlite3.Connection) -> None:
    """Let readers go on while one process writes; the file remembers it, for all processes."""
    try:
        raw.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        # SQLite does not wait for its lock here. Whoever holds it is making the same new file.
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise


def _use_rollback_journal(raw: sqlite3.Connection, path: Path) -> set[str]:
    """Do without the write-ahead log, also in a file that was used with it; as `_pending`.

    Processes then wait for one another while one commits.
    """
    # Until it is given up, no memory is shared with other processes.
    raw.execute("PRAGMA locking_mode = EXCLUSIVE")
    pending = _pending(raw, path)
    raw.execute("PRAGMA journal_mode = DELETE")
    raw.execute("PRAGMA locking_mode = NORMAL")
    raw.execute("SELECT count(*) FROM sqlite_master").fetchall()  # lets go of the lock
    return pending


def _open_readonly(path: Path, timeout: float) -> tuple[sqlite3.Connection, Unshared | None]:
    unshared = None
    raw = open_uri(path, "mode=ro", timeout)
    try:
        try:
            pending = _pending(raw, path)
        except sqlite3.OperationalError as error:
            if not may_be_unshared(path, error):
                raise
            raw.close()
            # Looked at first, so that no change goes unnoticed.
            unshared = Unshared(path)
            raw = unshared.open(timeout)
            pending = _pending(raw, path)
        if pending:
            raise CatalogueError(
                f"{path}: was made by an older photosearch, or is empty; "
                "open it once where it can be written"
            )
    except BaseException:
        raw.close()
        raise
    return raw, unshared


def _pending(raw: sqlite3.Connection, path: Path) -> set[str]:
    """Steps of the schema still to take. Raises `CatalogueError` when the file is not for us."""
    applied = applied_steps(raw)
    if applied is None:
        raise CatalogueError(
            f"{path}: is a database of another program; use another library folder"
        )
    if applied - known_steps():
        raise CatalogueError(f"{path}: was made by a newer photosearch; upgrade photosearch")
    return known_steps() - applied
