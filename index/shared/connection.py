"""The connection to a catalogue that is shared: to this machine's copy, and to the archive."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Self

from index.catalogue.connection import Connection, explained, open_writable
from index.catalogue.migrations import applied_steps, known_steps
from index.catalogue.unshared import open_uri
from index.errors import CatalogueError
from index.shared.archive import check_may_write, check_steps, is_made, make, taken, upgrade
from index.shared.replica import Replica
from index.shared.server import RefusedError, Server
from index.shared.whole import make_copy


class SharedConnection(Connection):
    """As `Connection`; what others write on other machines is seen within a moment."""

    # Each machine has files of vectors of its own, as old as its last run.
    kept_generations = 10_000
    _replica: Replica
    _opened: ExitStack

    @classmethod
    def join(cls, path: Path, address: str, *, readonly: bool, new: bool, timeout: float) -> Self:
        """Open the archive at `address`, made or brought up to the present schema unless
        `readonly`, with its copy at `path`.

        Raises `CatalogueError` where the server cannot be reached, or says no.
        """
        with ExitStack() as opened:
            server = opened.enter_context(closing(Server(address, timeout)))
            _prepare(server, path.parent, readonly=readonly, new=new)
            with explained(path):
                _drop_damaged(path)
                if not path.exists():
                    make_copy(path, server)
                # One of an older photosearch takes its steps, and is then filled anew.
                raw = opened.enter_context(closing(open_writable(path, timeout, keep=False)))
                replica = opened.enter_context(closing(Replica(path, server, timeout)))
                replica.refresh()
                if readonly:
                    raw.close()
                    raw = opened.enter_context(closing(open_uri(path, "mode=ro", timeout)))
                else:
                    replica.note_changes(raw)
            connection = cls(raw, path, readonly=readonly)
            connection._replica = replica
            connection._opened = opened.pop_all()
        return connection

    def close(self) -> None:
        super().close()
        self._opened.close()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        if self.readonly:
            raise CatalogueError(
                f"{self.path}: was opened for reading only; who keeps the archive can allow more"
            )
        with explained(self.path), self._replica.writing() as send, super().write() as db:
            # Triggers were put back by what was fetched, so SQLite (3.40) has to read the schema
            # anew. Where it learns of that from a statement by which a table of FTS5 is used for
            # the first time, through a trigger, that table's own questions have the schema dropped
            # under the statement's hands, and it says that there is no such table.
            db.execute("SELECT 1 FROM main.sqlite_master LIMIT 1").fetchall()
            yield db
            send(db)

    def _catch_up(self) -> None:
        if not self._raw.in_transaction:
            with explained(self.path):
                self._replica.refresh()


def _prepare(server: Server, folder: Path, *, readonly: bool, new: bool) -> None:
    if not is_made(server):
        if readonly or not new:
            raise CatalogueError(
                f"{server.address}: there is no catalogue here; index a folder first"
            )
        make(server)
    if readonly:
        check_steps(server)
        return
    check_may_write(server)
    if taken(server) != known_steps():
        try:
            upgrade(server, folder)
        except RefusedError as error:
            raise CatalogueError(
                f"{server.address}: was made by an older photosearch, and this user may not change "
                "its tables; whoever keeps the archive has to open it once"
            ) from error


def _drop_damaged(path: Path) -> None:
    """Drop a copy that cannot be opened; nobody else can have it open, either."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            applied_steps(raw)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        drop_copy(path)


def drop_copy(path: Path) -> None:
    """Drop a copy, of which the archive has everything; it is made anew when it is opened."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()
