"""An archive on a server far away: encrypted, with passwords, over lines that are slow or cut."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from catalogue_data import BUNDLE, new_photos, rows_in, unit_vectors
from optional import leave_out
from postgres import KEEPER, Postgres, database_of, programs
from slow_line import Line, line_to

from index import Catalogue, CatalogueError
from index.shared import server
from index.shared.address import folder_of
from index.shared.archive import is_there

# A server has to be started.
pytestmark = pytest.mark.slow


@pytest.fixture
def line(postgres: Postgres) -> Iterator[Line]:
    with line_to(postgres.socket, KEEPER) as line:
        yield line


@pytest.fixture
def far(postgres: Postgres, line: Line) -> Iterator[str]:
    """The address of an archive at the other end of the line."""
    address = postgres.archive()
    yield line.address(database_of(address))
    postgres.give_back(address)


@pytest.fixture
def opened(far: str, tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(folder_of(far, tmp_path / "one")) as catalogue:
        record(catalogue, 0)
        yield catalogue


def record(catalogue: Catalogue, start: int) -> None:
    catalogue.record(BUNDLE, new_photos(16, start=start), unit_vectors(16, seed=start))


def ask_again(catalogue: Catalogue) -> int:
    """How many photos there are, when what was asked a moment ago counts no more."""
    catalogue._connection._replica._checked = float("-inf")  # type: ignore[attr-defined]
    return catalogue.counts().photos


# Slow lines


def test_little_is_asked_for_by_itself(line: Line, far: str, tmp_path: Path) -> None:
    """However much is changed, and in however many tables."""
    folder = folder_of(far, tmp_path / "two")
    with Catalogue.open(folder_of(far, tmp_path / "one")) as one:
        record(one, 0)
        line.turns = 0
        Catalogue.open(folder, readonly=True).close()
        assert line.turns <= 25
        line.turns = 0
        with Catalogue.open(folder, readonly=True) as two:
            assert line.turns <= 6
            line.turns = 0
            record(one, 16)
            assert line.turns <= 3
            line.turns = 0
            assert ask_again(two) == 32
            assert line.turns <= 8
            line.turns = 0
            assert ask_again(two) == 32
            assert line.turns == 1
    assert rows_in(folder) == rows_in(tmp_path / "one" / folder.name)


def test_far_away_is_no_failure(line: Line, opened: Catalogue) -> None:
    line.delay = 0.1
    record(opened, 16)
    assert ask_again(opened) == 32


# Lines that are down


def test_a_line_that_swallows_everything_is_given_up_in_time(
    line: Line, opened: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_AT_ONCE", 0.5)
    line.swallow()
    with pytest.raises(CatalogueError, match=r"nothing was heard .* network and the server"):
        ask_again(opened)
    # Another connection is not made, either.
    monkeypatch.setattr(server, "_PATIENCE", 2)
    for use in (ask_again, lambda catalogue: record(catalogue, 16)):
        with pytest.raises(CatalogueError, match="timeout expired"):
            use(opened)
    line.mend()
    assert ask_again(opened) == 16
    record(opened, 16)
    assert ask_again(opened) == 32


def test_a_line_that_dies_while_much_comes_is_given_up_in_time(
    line: Line, far: str, opened: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_SILENCE", 2)
    monkeypatch.setattr(server, "_PATIENCE", 2)
    folder = folder_of(far, tmp_path / "two")
    for start in range(16, 400, 16):
        record(opened, start)
    line.room = 20_000
    with pytest.raises(CatalogueError, match=r"timeout expired|nothing was heard"):
        Catalogue.open(folder, readonly=True)
    assert not (folder / "catalogue.db").exists()
    line.mend()
    with Catalogue.open(folder, readonly=True) as two:
        assert two.counts().photos == 400


def test_a_line_that_is_cut_is_told_and_gone_on_with(line: Line, opened: Catalogue) -> None:
    line.cut()
    for use in (ask_again, lambda catalogue: record(catalogue, 16)):
        with pytest.raises(CatalogueError, match="can be reached from here"):
            use(opened)
    line.mend()
    record(opened, 16)
    assert ask_again(opened) == 32


# Encrypted, and with a password


@dataclass(frozen=True)
class Guarded:
    """A server that lets in who has the password, by an encrypted connection."""

    port: int
    folder: Path

    def address(self, host: str = "localhost", user: str = "ada", **options: str) -> str:
        given = {"sslmode": "verify-full", "sslrootcert": str(self.folder / "ca.crt")} | options
        query = "&".join(f"{name}={value}" for name, value in given.items())
        return f"postgresql://{user}@{host}:{self.port}/photos?{query}"


@pytest.fixture(scope="module")
def guarded(postgres: Postgres) -> Iterator[Guarded]:
    where = programs()
    assert where is not None
    if shutil.which("openssl") is None:
        leave_out("openssl: apt-get install openssl")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="pg-tls-"))
    try:
        own = Postgres(where, folder, port)
        for name in ("ca", "other"):
            _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                     "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                     "-out", f"{name}.crt")  # fmt: skip
        _openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
                 "-keyout", "data/server.key", "-out", "server.csr")  # fmt: skip
        _openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                 "-CAcreateserial", "-out", "data/server.crt")  # fmt: skip
        (folder / "data" / "server.key").chmod(0o600)
        (folder / "data" / "pg_hba.conf").write_text(
            "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
        )
        if own.user is not None:
            for path in (folder / "data").glob("server.*"):
                os.chown(path, own.user, -1)
        own.start()
        own.ask("CREATE ROLE ada LOGIN PASSWORD 'a secret'")
        own.ask("CREATE DATABASE photos OWNER ada")
        yield Guarded(port, folder)
        own.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def home(guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where libpq looks for passwords and services, with the right password."""
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"localhost:{guarded.port}:photos:ada:a secret\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    return tmp_path


def test_a_server_that_is_the_right_one_is_used(guarded: Guarded, home: Path) -> None:
    address = guarded.address()
    with Catalogue.open(folder_of(address, home)) as catalogue:
        record(catalogue, 0)
        ((encrypted,),) = catalogue._connection._replica._server.ask(  # type: ignore[attr-defined]
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        )
        assert encrypted
    (home / "services").write_text(
        f"[home]\nhost=localhost\nport={guarded.port}\nuser=ada\nsslmode=verify-full\n"
        f"sslrootcert={guarded.folder}/ca.crt\n"
    )
    assert is_there("postgresql:///photos?service=home")


@pytest.mark.parametrize(
    ("host", "options", "said"),
    [
        ("localhost", {"sslrootcert": "{}/other.crt"}, "verify failed; the server is not the one"),
        ("localhost", {"sslrootcert": "{}/none.crt"}, "does not exist; sslrootcert in the address"),
        (
            "localhost",
            {"sslmode": "disable"},
            "not encrypted, if anybody: put sslmode=",
        ),
        ("127.0.0.1", {}, "does not match host name .*; put the name into the address"),
        ("localhost", {"user": "eve"}, "put the right password into ~/.pgpass"),
        ("localhost", {"service": "away"}, "look at the service file"),
    ],
)
def test_what_is_wrong_is_said(
    guarded: Guarded, home: Path, host: str, options: dict[str, str], said: str
) -> None:
    (home / "services").write_text("[home]\nhost=localhost\n")
    given = {name: value.format(guarded.folder) for name, value in options.items()}
    address = guarded.address(host, **given)
    with pytest.raises(CatalogueError, match=said) as error:
        is_there(address)
    assert "secret" not in str(error.value)
