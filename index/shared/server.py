"""The connection to the PostgreSQL database of an archive, and its errors in plain words."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from index.errors import CatalogueError

if TYPE_CHECKING:
    import psycopg

_T = TypeVar("_T")

# All tables are in it, so that a database may hold other things, too.
SCHEMA = "photosearch"
# Seconds that a server has to answer; after which a connection is given up of which nothing is
# heard, as of a computer that was put to sleep; and for which a writer may keep others waiting.
_PATIENCE, _SILENCE, _LONGEST = 10, 60, 600


class RefusedError(CatalogueError):
    """The server does not allow this user what was to be done."""


@contextmanager
def explained(address: str) -> Iterator[None]:
    """PostgreSQL's errors as `CatalogueError`, with what to do about them."""
    psycopg = library(address)
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise RefusedError(
            f"{address}: {_first_line(error)}; whoever keeps the archive can allow it"
        ) from error
    except psycopg.errors.LockNotAvailable as error:
        raise CatalogueError(
            f"{address}: another photosearch is writing to it; try again when that is done"
        ) from error
    except psycopg.errors.UndefinedTable as error:
        raise CatalogueError(
            f"{address}: there is no catalogue here any more; index a folder first"
        ) from error
    except psycopg.OperationalError as error:
        raise CatalogueError(f"{address}: {_first_line(error)}; {_advice(error)}") from error
    except psycopg.Error as error:
        raise CatalogueError(
            f"{address}: {_first_line(error)}; look at the server's log, or ask whoever keeps it"
        ) from error


def library(address: str) -> ModuleType:
    """The module `psycopg`, which only those need who share an archive.

    Raises `CatalogueError` when it is not here.
    """
    try:
        import psycopg
    except ImportError as error:
        raise CatalogueError(
            f"{address}: needs psycopg, which is not here ({error}); "
            "install it: pip install 'photosearch[archive]'"
        ) from error
    return psycopg


class Server:
    """A connection to the database at `address`, made anew when it was lost.

    `timeout` is how many seconds a writer waits for another one. Raises `CatalogueError`.
    """

    def __init__(self, address: str, timeout: float) -> None:
        self.address = address
        self._timeout = timeout
        self._connection = self._connect()

    def close(self) -> None:
        with suppress(Exception):  # it may be lost
            self._connection.close()

    def _connect(self) -> psycopg.Connection[Any]:
        with explained(self.address):
            connection = _connected(
                self.address,
                autocommit=True,
                application_name="photosearch",
                client_encoding="utf8",
                connect_timeout=_PATIENCE,
                # Whoever is not there any more is noticed, by either side.
                keepalives_idle=_SILENCE // 2,
                keepalives_interval=_PATIENCE,
                keepalives_count=3,
                tcp_user_timeout=_SILENCE * 1000,
            )
            for name, value in (
                ("search_path", f"{SCHEMA}, pg_catalog"),
                ("lock_timeout", str(int(self._timeout * 1000))),
                ("idle_in_transaction_session_timeout", str(_LONGEST * 1000)),
                ("tcp_keepalives_idle", str(_SILENCE)),
                ("tcp_keepalives_interval", str(_PATIENCE)),
                ("tcp_keepalives_count", "3"),
            ):
                connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        return connection

    def ask(self, query: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a query; asked again over another connection when the first was lost."""
        return self._again(lambda it: it.execute(query, parameters).fetchall())

    @contextmanager
    def reading(self) -> Iterator[psycopg.Cursor[Any]]:
        """All that is read inside is of one moment."""
        with self._transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY") as cursor:
            yield cursor

    @contextmanager
    def writing(self) -> Iterator[psycopg.Cursor[Any]]:
        """A transaction, committed at the end and undone by an exception."""
        with self._transaction("") as cursor:
            yield cursor

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[psycopg.Cursor[Any]]:
        psycopg = library(self.address)
        # What begins a transaction can be tried again, and nothing after it.
        self._again(lambda it: it.execute(f"BEGIN {kind}"))
        with explained(self.address), self._connection.cursor() as cursor:
            try:
                yield cursor
                if self._connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                    self._connection.execute("COMMIT")
            except BaseException:
                with suppress(Exception):  # where it is lost the server undoes it
                    self._connection.execute("ROLLBACK")
                raise

    def _again(self, do: Callable[[psycopg.Connection[Any]], _T]) -> _T:
        psycopg = library(self.address)
        with explained(self.address):
            try:
                return do(self._connection)
            except psycopg.OperationalError:
                if not self._connection.closed:
                    raise
        self.close()
        self._connection = self._connect()
        with explained(self.address):
            return do(self._connection)


def _connected(address: str, **options: Any) -> psycopg.Connection[Any]:
    import psycopg

    return psycopg.connect(address, **options)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].removesuffix(".")


def _advice(error: Exception) -> str:
    text = str(error)
    if "password" in text or "authentication" in text:
        return "put the right password into ~/.pgpass, or into PGPASSWORD"
    if "does not exist" in text:
        return "check the address, or have it made: createdb, createuser"
    if "Ident" in text or "Peer" in text or "pg_hba" in text:
        return f"the server does not let {os.environ.get('PGUSER', 'this user')} in from here"
    return "check the address, and that the server runs and can be reached from here"
