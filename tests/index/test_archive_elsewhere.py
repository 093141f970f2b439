"""The copy of an archive where a copy is seldom: on a drive of the network, and open for long."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from catalogue_data import BUNDLE, new_photos, rows_in, unit_vectors
from postgres import Postgres, database_of

from index import Catalogue
from index.catalogue import connection
from index.shared.address import folder_of
from index.shared.archive import put

# A server has to be started.
pytestmark = pytest.mark.slow


@pytest.fixture
def address(postgres: Postgres) -> Iterator[str]:
    address = postgres.archive()
    yield address
    postgres.give_back(address)


def record(catalogue: Catalogue, start: int = 0) -> None:
    catalogue.record(BUNDLE, new_photos(5, start=start), unit_vectors(5, seed=start))


def test_a_copy_on_a_network_drive_is_one_that_needs_no_shared_memory(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = folder_of(address, tmp_path / "here")
    with Catalogue.open(here) as one:
        record(one)
        monkeypatch.setattr(connection, "network_drive", lambda folder: "nfs4")
        there = folder_of(address, tmp_path / "there")
        with Catalogue.open(there, readonly=True) as reader, Catalogue.open(there) as writer:
            record(one, 10)
            assert reader.counts().photos == writer.counts().photos == 10
            record(writer, 20)
            assert reader.counts().photos == one.counts().photos == 15
            with Catalogue.open(tmp_path / "library") as library:
                record(library, 30)
            put(address, tmp_path / "library" / "catalogue.db")
            assert one.counts().photos == reader.counts().photos == writer.counts().photos == 5
        assert {path.name for path in there.iterdir()} == {"catalogue.db", "catalogue.db.lock"}
    with closing(sqlite3.connect(there / "catalogue.db")) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert rows_in(here) == rows_in(there)


def test_a_database_that_is_made_anew_is_gone_on_with(postgres: Postgres, tmp_path: Path) -> None:
    """Also by whoever may write, had it open, and had just asked."""
    address = postgres.archive()
    name = database_of(address)
    folder = folder_of(address, tmp_path / "one")
    with Catalogue.open(folder) as open_for_long:
        record(open_for_long)
        postgres.ask(f"DROP DATABASE {name} WITH (FORCE)")
        postgres.ask(f"CREATE DATABASE {name}")
        with Catalogue.open(folder_of(address, tmp_path / "two")) as other:
            record(other, 100)
        record(open_for_long, 200)
        assert open_for_long.counts().photos == 10
    Catalogue.open(folder_of(address, tmp_path / "two")).close()
    assert rows_in(folder) == rows_in(tmp_path / "two" / folder.name)
