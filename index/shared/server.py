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

    from index.shared.impatient import Impatient

_T = TypeVar("_T")

# All tables are in it, so that a database may hold other things, too.
SCHEMA = "photosearch"
# Seconds that a server has to let somebody in; after which a connection is given up of which
# nothing is heard, as of a computer that was put to sleep; and for which a writer may keep others
# waiting.
_PATIENCE, _SILENCE, _LONGEST = 10, 60, 600
# And that it has to answer what it knows at once, for which somebody waits.
_AT_ONCE = 15.0


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

    def _connect(self) -> Impatient:
        library(self.address)
        from index.shared.impatient import connect

        with explained(self.address):
            connection = connect(
                self.address,
                _SILENCE,
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
            settings = {
                "search_path": f"{SCHEMA}, pg_catalog",
                "lock_timeout": int(self._timeout * 1000),
                "idle_in_transaction_session_timeout": _LONGEST * 1000,
                "tcp_keepalives_idle": _SILENCE,
                "tcp_keepalives_interval": _PATIENCE,
                "tcp_keepalives_count": 3,
                "tcp_user_timeout": _SILENCE * 1000,
            }
            # At once: each question takes as long as the way there and back.
            ask = ", ".join(
                f"set_config('{name}', '{value}', false)" for name, value in settings.items()
            )
            try:
                _within(_AT_ONCE, connection, f"SELECT {ask}")
            except BaseException:
                connection.close()
                raise
        return connection

    def ask(self, query: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a query that takes no time; asked again over another connection when the
        first was lost.
        """
        return self._again(lambda it: _within(_AT_ONCE, it, query, parameters).fetchall())

    @contextmanager
    def asking(self) -> Iterator[psycopg.Cursor[Any]]:
        """For questions each of which is of a moment of its own."""
        if self._connection.closed:
            self._connection = self._connect()
        with explained(self.address), self._connection.cursor() as cursor:
            yield cursor

    @contextmanager
    def reading(self) -> Iterator[psycopg.Cursor[Any]]:
        """All that is read inside is of one moment."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        with self._transaction(begin, _AT_ONCE) as cursor:
            yield cursor

    @contextmanager
    def writing(
        self, first: str = "", *, silence: float = _LONGEST
    ) -> Iterator[psycopg.Cursor[Any]]:
        """A transaction, committed at the end and undone by an exception. The cursor has what a
        `first` query gives.

        `silence` is how many seconds the server may need for anything that is asked inside.
        """
        # Others may be writing.
        with self._transaction(f"BEGIN; {first}", self._timeout + _AT_ONCE) as cursor:
            connection = self._connection
            usual, connection.seconds = connection.seconds, silence
            try:
                yield cursor
            finally:
                connection.seconds = usual

    @contextmanager
    def _transaction(self, begin: str, seconds: float) -> Iterator[psycopg.Cursor[Any]]:
        idle = library(self.address).pq.TransactionStatus.IDLE
        try:
            # What begins a transaction can be tried again, and nothing after it.
            cursor = self._again(lambda it: _within(seconds, it, begin))
            with explained(self.address), cursor:
                while cursor.nextset():
                    pass
                yield cursor
                if self._connection.info.transaction_status != idle:
                    self._connection.execute("COMMIT")
        except BaseException:
            with suppress(Exception):  # where it is lost the server undoes it
                if self._connection.info.transaction_status != idle:
                    self._connection.execute("ROLLBACK")
            raise

    def _again(self, do: Callable[[Impatient], _T]) -> _T:
        psycopg = library(self.address)
        from index.shared.impatient import is_silence

        with explained(self.address):
            try:
                return do(self._connection)
            except psycopg.OperationalError as error:
                # Of a line on which nothing is heard another connection would hear nothing, either.
                if not self._connection.closed or is_silence(error):
                    raise
        self.close()
        self._connection = self._connect()
        with explained(self.address):
            return do(self._connection)


def _within(
    seconds: float, connection: Impatient, query: str, parameters: list[Any] | None = None
) -> psycopg.Cursor[Any]:
    with connection.within(seconds):
        return connection.execute(query, parameters)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].removesuffix(".")


def _advice(error: Exception) -> str:
    text = str(error)
    for words, advice in _ADVICE.items():
        if any(word in text for word in words):
            return advice.format(user=os.environ.get("PGUSER", "this user"))
    return "check the address, and that the server runs and can be reached from here"


# By what libpq and the server say; the first that fits.
_ADVICE = {
    (", SSL encryption",): "the server does not let {user} in from here; whoever keeps it can",
    ("no encryption", "SSL off"): (
        "the server lets nobody in from here whose connection is not encrypted, if anybody: put "
        "sslmode=verify-full into the address"
    ),
    ("root certificate file",): (
        "sslrootcert in the address has to name the file with the certificate of who signed the "
        "server's, or be system"
    ),
    ("certificate verify failed", "self-signed certificate"): (
        "the server is not the one that sslrootcert vouches for; ask whoever keeps the archive for "
        "the right file, and let nothing through until it fits"
    ),
    ("does not match host name",): (
        "put the name into the address that the server's certificate has"
    ),
    ("does not support SSL",): (
        "the server has no certificate; whoever keeps the archive can give it one"
    ),
    ("SSL error",): "look at sslmode and sslrootcert in the address, and the server's certificate",
    ("definition of service", "service file"): (
        "look at the service file: ~/.pg_service.conf, or the one that PGSERVICEFILE names"
    ),
    ("password", "authentication", "Ident", "Peer"): (
        "put the right password into ~/.pgpass, or into PGPASSWORD"
    ),
    ("pg_hba",): "the server does not let {user} in from here; whoever keeps it can",
    ("does not exist",): "check the address, or have it made: createdb, createuser",
    ("nothing was heard",): (
        "look whether this machine's network and the server are well, and try again"
    ),
}
