"""The contract of a catalogue: the same tests for one in a folder and for one in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogue_data import rows_in

from index import Catalogue
from index.catalogue import opened
from index.shared.address import folder_of

# Files of tests of what any catalogue does. In these a test of what only files have, such as their
# damage, says so by `@pytest.mark.of_files`.
CONTRACT = frozenset(
    {
        "test_catalogue", "test_catalogue_contents", "test_catalogue_marks",
        "test_catalogue_verdicts", "test_clusters", "test_days", "test_feed", "test_selection",
        "test_shelves", "test_text_cache", "test_vectors",
    }
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "of_files(why): not about a catalogue in PostgreSQL, and why"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    of_files = metafunc.definition.get_closest_marker("of_files")
    if metafunc.module.__name__ in CONTRACT and of_files is None:
        # Together they take a minute, most of which is the server's.
        archive = pytest.param("archive", marks=pytest.mark.slow)
        metafunc.parametrize("engine", ["folder", archive], indirect=True)


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """In each folder of a test in which a library is made, one of the kind that is asked for."""
    if getattr(request, "param", "folder") == "folder":
        yield
        return
    postgres = request.getfixturevalue("postgres")
    tmp_path = request.getfixturevalue("tmp_path")
    monkeypatch = request.getfixturevalue("monkeypatch")
    addresses: dict[Path, str] = {}

    def address_of(folder: Path) -> str:
        if folder not in addresses:
            # Some are copies of one that was made for many tests.
            there = folder / opened.FILE_NAME
            addresses[folder] = postgres.archive(there if there.exists() else None)
        return addresses[folder]

    monkeypatch.setattr(opened, "address_of", address_of)
    yield
    monkeypatch.undo()
    # Whatever was done, another machine sees the same.
    for folder, address in addresses.items():
        other = folder_of(address, tmp_path / "elsewhere")
        Catalogue.open(other, readonly=True).close()
        assert rows_in(folder) == rows_in(other)
        postgres.give_back(address)
