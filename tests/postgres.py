"""PostgreSQL as it runs elsewhere: a server of the tests' own, with databases, roles and grants."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from optional import leave_out, module

# Who keeps the archives, and can do everything.
KEEPER = "keeper"


def programs() -> Path | None:
    """The folder with PostgreSQL's programs, None where it is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((each for each in folders if (each / "postgres").exists()), None)


class Postgres:
    """A server that listens on a socket in a folder, and writes nothing for good.

    With a `port` there also, encrypted, once it has been given a certificate and started.
    """

    def __init__(self, programs: Path, folder: Path, port: int | None = None) -> None:
        self.folder, self._programs, self.port = folder, programs, port
        self._numbers = itertools.count()
        self._free: list[str] = []
        import pwd

        # It refuses to run as root.
        self.user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None
        if self.user is not None:
            os.chown(folder, self.user, -1)
        self._run("initdb", "-D", folder / "data", "-A", "trust", "-U", KEEPER, "-N", "-E", "UTF8",
                  "--locale=C")  # fmt: skip
        if port is None:
            self.start()

    def start(self) -> None:
        quick = "-c fsync=off -c full_page_writes=off -c shared_buffers=16MB -c autovacuum=off"
        listen = "-h ''" if self.port is None else f"-h 127.0.0.1 -p {self.port} -c ssl=on"
        options = f"-k {self.folder} {listen} {quick}"
        self._run("pg_ctl", "-D", self.folder / "data", "-w", "-o", options, "-l",
                  self.folder / "log", "start")  # fmt: skip

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            user=self.user,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr

    def address(self, database: str, user: str = KEEPER) -> str:
        port = "" if self.port is None else f"&port={self.port}"
        return f"postgresql://{user}@/{database}?host={self.folder}{port}"

    @property
    def socket(self) -> Path:
        """What it listens on."""
        return self.folder / ".s.PGSQL.5432"

    def archive(self, catalogue: Path | None = None) -> str:
        """The address of an archive with nothing in it, or with all of a catalogue's file."""
        from index.catalogue.connection import database
        from index.catalogue.migrations import migrate
        from index.shared.archive import fill, make
        from index.shared.server import Server

        # To make a database takes longer than most tests.
        address = self._free.pop() if self._free else self.empty()
        with closing(Server(address, 10)) as server, closing(_opened(catalogue)) as local:
            make(server)
            if catalogue is None:
                migrate(database(local))
            with server.writing() as cursor:
                fill(cursor, local)
        return address

    def give_back(self, address: str) -> None:
        """Nothing uses this archive any more."""
        self._free.append(address)

    def empty(self) -> str:
        """The address of a new database with nothing in it."""
        name = f"archive_{next(self._numbers)}"
        self.ask(f"CREATE DATABASE {name}")
        return self.address(name)

    def ask(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """What a statement gives in a database, by the keeper."""
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


def database_of(address: str) -> str:
    """The name of the database at an address that `Postgres` gave."""
    return address.partition("@/")[2].partition("?")[0]


def _opened(catalogue: Path | None) -> sqlite3.Connection:
    return sqlite3.connect(catalogue or ":memory:", isolation_level=None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    module("psycopg")
    where = programs() if hasattr(os, "getuid") else None
    if where is None:
        leave_out("PostgreSQL: apt-get install postgresql")
    # Not below pytest's own folder, which is root's alone.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = Postgres(where, folder)
        try:
            yield server
        finally:
            with suppress(AssertionError):  # a test may have stopped it
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
