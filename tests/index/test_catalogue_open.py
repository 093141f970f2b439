"""Opening a catalogue: what is made, brought up to date, left alone, or refused, and why."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from catalogue_data import BUNDLE, child, new_photos, unit_vectors
from optional import leave_out
from sqlite_utils import Database, Migrations

from index import Catalogue, CatalogueError, FaissIndex
from index.catalogue import migrations
from index.catalogue.opened import FILE_NAME
from index.catalogue.unshared import Unshared


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library of three photos, closed."""
    folder = tmp_path / "library"
    with Catalogue.open(folder) as catalogue:
        catalogue.record(BUNDLE, new_photos(3), unit_vectors(3))
    return folder


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


# Making one


def test_opening_makes_the_folder_and_a_catalogue_in_wal_mode(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"

    with Catalogue.open(folder) as catalogue:
        assert catalogue.folder == folder
        assert catalogue.generation == 0
        assert catalogue.counts().photos == 0

    assert pragma(folder / "catalogue.db", "journal_mode") == "wal"
    assert pragma(folder / "catalogue.db", "integrity_check") == "ok"


def test_a_closed_catalogue_is_one_file(library: Path) -> None:
    assert [path.name for path in library.iterdir()] == ["catalogue.db"]


def test_opening_again_changes_nothing(library: Path) -> None:
    before = digests(library)

    with Catalogue.open(library) as catalogue:
        assert catalogue.counts().photos == 3

    assert digests(library) == before


def test_an_empty_file_is_taken_as_a_new_catalogue(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").touch()

    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.generation == 0


# Migrations


def add_colour(db: Database) -> None:
    db.execute("ALTER TABLE photos ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'")


def fail(db: Database) -> None:
    db.execute("CREATE TABLE half_done (a TEXT)")
    db.execute("INSERT INTO nowhere VALUES (1)")


def test_an_older_catalogue_is_brought_up_to_date_once(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, add_colour))

    for _ in range(2):
        with Catalogue.open(library) as catalogue:
            assert catalogue.counts().photos == 3

    with closing(sqlite3.connect(library / "catalogue.db")) as connection:
        assert connection.execute("SELECT DISTINCT colour FROM photos").fetchall() == [("grey",)]
        taken = connection.execute("SELECT name FROM _sqlite_migrations ORDER BY id").fetchall()
    assert taken == [(step.__name__,) for step in migrations.STEPS]


def test_when_a_step_fails_the_catalogue_stays_as_it_was(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", (*migrations.STEPS, add_colour, fail))
        with pytest.raises(CatalogueError, match="no such table: nowhere"):
            Catalogue.open(library)

    with Catalogue.open(library) as catalogue:
        assert catalogue.counts().photos == 3
    with closing(sqlite3.connect(library / "catalogue.db")) as connection:
        schema = str(connection.execute("SELECT sql FROM sqlite_master").fetchall())
    assert 'CREATE TABLE "photos"' in schema
    assert "colour" not in schema
    assert "half_done" not in schema


def test_a_newer_catalogue_is_refused_and_left_alone(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", (*migrations.STEPS, add_colour))
        Catalogue.open(library).close()
    before = digests(library)

    for readonly in (False, True):
        with pytest.raises(CatalogueError, match=r"newer photosearch; upgrade photosearch"):
            Catalogue.open(library, readonly=readonly)

    # SQLite leaves an empty log beside a file that it only reads.
    assert digests(library)["catalogue.db"] == before["catalogue.db"]


def test_an_older_catalogue_is_not_read_before_it_is_brought_up_to_date(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, add_colour))

    with pytest.raises(CatalogueError, match="older photosearch, or is empty; open it once"):
        Catalogue.open(library, readonly=True)

    Catalogue.open(library).close()
    with Catalogue.open(library, readonly=True) as catalogue:
        assert catalogue.counts().photos == 3


# Files that are no catalogue


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "catalogue.db")) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    before = digests(tmp_path)

    for readonly in (False, True):
        with pytest.raises(CatalogueError, match=r"catalogue\.db: is a database of another prog"):
            Catalogue.open(tmp_path, readonly=readonly)

    assert digests(tmp_path) == before


def test_another_program_that_uses_the_same_library_does_not_pass_for_ours(tmp_path: Path) -> None:
    recipes = Migrations("recipes")

    @recipes(name="create_tables")
    def create_recipes(db: Database) -> None:
        db.execute("CREATE TABLE recipes (name TEXT)")

    with Database(tmp_path / "catalogue.db") as db:
        recipes.apply(db)

    with pytest.raises(CatalogueError, match="another program"):
        Catalogue.open(tmp_path)


@pytest.mark.parametrize("readonly", [False, True])
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, readonly: bool
) -> None:
    (tmp_path / "catalogue.db").write_bytes(b"not a database" * 1000)
    before = digests(tmp_path)

    with pytest.raises(CatalogueError, match=r"is not a database; .*photosearch doctor --repair"):
        Catalogue.open(tmp_path, readonly=readonly)

    assert digests(tmp_path) == before


def test_a_damaged_file_is_named_with_what_to_do(library: Path) -> None:
    path = library / "catalogue.db"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)

    with (
        pytest.raises(
            CatalogueError, match=r"catalogue\.db: .*damaged; `photosearch doctor --repair`"
        ),
        Catalogue.open(library) as catalogue,
    ):
        catalogue.embeddings(BUNDLE)


def test_a_library_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library").write_text("text")

    with pytest.raises(CatalogueError, match=r"library: cannot be used as a library folder"):
        Catalogue.open(tmp_path / "library")


# Reading only


def test_reading_only_never_makes_a_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="there is no catalogue here; index a folder first"):
        Catalogue.open(tmp_path / "library", readonly=True)

    assert list(tmp_path.iterdir()) == []


def test_none_is_made_where_there_has_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=f"{FILE_NAME}: there is no catalogue here"):
        Catalogue.open(tmp_path / "gone", new=False)
    assert list(tmp_path.iterdir()) == []


def test_reading_only_refuses_to_write(library: Path) -> None:
    with Catalogue.open(library, readonly=True) as catalogue:
        assert catalogue.readonly
        with pytest.raises(CatalogueError, match="was opened for reading only"):
            catalogue.add_folder("/photos")

        assert catalogue.counts().photos == 3
        assert len(FaissIndex.open(catalogue, BUNDLE)) == 3
    assert not (library / "vectors").exists()


# In a folder that cannot be written

USE = """
import os, sys
from pathlib import Path
from catalogue_data import BUNDLE, unit_vectors
from index import Catalogue, CatalogueError, FaissIndex

folder = Path(sys.argv[1])
if os.access(folder, os.W_OK):
    sys.exit("may write")
try:
    with Catalogue.open(folder, readonly=True) as catalogue:
        _, ids = FaissIndex.open(catalogue, BUNDLE).search(unit_vectors(3), 1)
        print(ids[:, 0].tolist(), catalogue.counts().photos)
except CatalogueError as error:
    print(error)
try:
    with Catalogue.open(folder) as catalogue:
        catalogue.add_folder("/photos")
        print("wrote")
except CatalogueError as error:
    print(error)
"""


@pytest.fixture
def use_unwritable(library: Path) -> Iterator[Callable[[], list[str]]]:
    """Reads and then writes `library`, from a process that may not write it; what that prints."""

    def use() -> list[str]:
        library.chmod(0o555)
        for path in library.iterdir():
            path.chmod(0o444)
        process = child(USE, library)
        output, errors = process.communicate()
        if "may write" in errors:
            leave_out("a user for whom permissions hold")
        assert process.returncode == 0, errors
        return output.splitlines()

    yield use
    library.chmod(0o755)


def left_by_a_killed_writer(library: Path) -> None:
    """Put photo 4 into the write-ahead log only, as a killed process leaves it."""
    with Catalogue.open(library) as catalogue:
        catalogue.record(BUNDLE, new_photos(1, start=3), unit_vectors(1, seed=9))
        left = {path.name: path.read_bytes() for path in library.iterdir()}
    for name, content in left.items():
        (library / name).write_bytes(content)


def test_an_unwritable_library_can_be_searched_and_writing_is_refused(
    library: Path, use_unwritable: Callable[[], list[str]]
) -> None:
    before = digests(library)

    read, written = use_unwritable()

    assert read == "[1, 2, 3] 3"
    assert "catalogue.db: " in written
    assert "make the file and its folder writable, or use another library folder" in written
    assert digests(library) == before


def test_an_unwritable_library_is_read_with_what_a_killed_writer_left(
    library: Path, use_unwritable: Callable[[], list[str]]
) -> None:
    left_by_a_killed_writer(library)
    before = digests(library)

    assert use_unwritable()[0] == "[1, 2, 3] 4"
    assert digests(library) == before


def test_an_unwritable_library_with_a_log_but_none_of_its_memory_is_read_with_it(
    library: Path, use_unwritable: Callable[[], list[str]]
) -> None:
    left_by_a_killed_writer(library)
    (library / "catalogue.db-shm").unlink()
    before = digests(library)

    assert use_unwritable()[0] == "[1, 2, 3] 4"
    assert digests(library) == before


def test_it_is_refused_where_there_is_no_room_for_that_rather_than_read_as_it_was(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_by_a_killed_writer(library)
    unshared = Unshared(library / "catalogue.db")
    monkeypatch.setattr(tempfile, "tempdir", str(library / "nowhere"))
    with pytest.raises(CatalogueError, match="holds changes that are not yet in"):
        unshared.open(1.0)
