"""Libraries that every earlier schema left: brought up to date, killed meanwhile, and kept."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from catalogue_data import child
from old_libraries import BUNDLE, NAMES, READ, names, query, unpack
from optional import needs_kill

from index import Catalogue, CatalogueError, FaissIndex
from index.catalogue import migrations
from index.catalogue.readings import plain
from index.safety.before_upgrade import kept_before_upgrade

LIBRARIES = names()
# What `old_libraries` puts into a library, and the step since which there is room for it.
SINCE = {
    "SELECT caption FROM metadata WHERE photo_id = 1": ("add_contents", "By the sea"),
    "SELECT keywords FROM metadata WHERE photo_id = 1": ("add_contents", '["Rome"]'),
    "SELECT taken_at FROM metadata WHERE photo_id = 1": ("add_contents", "2019-06-01T14:30:05"),
    "SELECT count(*) FROM metadata WHERE taken_source = 'mtime' AND taken_at NOT NULL": ("", 0),
    "SELECT name FROM albums WHERE id = 2": ("add_albums", "Best"),
    "SELECT count(*) FROM album_photos WHERE album_id = 2": ("add_albums", 1),
    "SELECT text FROM saved_searches": ("add_readings", "red"),
    "SELECT folded FROM readings": ("add_readings", plain(READ)),
    "SELECT stars FROM own_ratings": ("add_marks", 5),
    "SELECT keyword FROM own_keywords": ("add_marks", "town"),
    "SELECT people.name FROM people JOIN people_names ON person_id = id": (
        "add_people",
        "Anna Berger",
    ),
    "SELECT name FROM faces JOIN face_groups ON group_id = face_groups.id": ("add_faces", "Anna"),
    "SELECT answer FROM face_answers": ("add_face_answers", "no"),
    "SELECT reason FROM problems": ("", "is damaged"),
}


def steps(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        query = "SELECT name FROM _sqlite_migrations ORDER BY id"
        return [name for (name,) in db.execute(query)]


def check(folder: Path, found: dict[str, list[float]]) -> None:
    """It is of the present schema, and a search gives the same as it did."""
    with Catalogue.open(folder) as catalogue:
        scores, ids = FaissIndex.open(catalogue, BUNDLE).search(query(), 10)
        assert ids[0].tolist() == found["ids"]
        assert scores[0].tolist() == pytest.approx(found["scores"], abs=1e-4)
        assert catalogue.counts().photos == len(NAMES) - 1
        assert catalogue.counts().missing == 1
        assert catalogue.folders() == ["/photos"]
    assert steps(folder / "catalogue.db") == [step.__name__ for step in migrations.STEPS]
    with closing(sqlite3.connect(folder / "catalogue.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_there_is_one_of_the_present_schema() -> None:
    """`python tests/old_libraries.py` adds one when the schema has changed."""
    assert LIBRARIES[-1] == migrations.STEPS[-1].__name__


@pytest.mark.parametrize("name", LIBRARIES)
def test_it_is_brought_up_to_date_and_finds_the_same(name: str, tmp_path: Path) -> None:
    found = unpack(name, tmp_path)
    before = (tmp_path / "catalogue.db").read_bytes()
    taken = steps(tmp_path / "catalogue.db")
    check(tmp_path, found)

    kept = kept_before_upgrade(tmp_path / "catalogue.db")
    if name == LIBRARIES[-1]:
        assert not kept.exists()
    else:
        assert steps(kept) == taken
        # All but the numbers in the header that count its changes.
        assert kept.read_bytes()[100:] == before[100:]
    with closing(sqlite3.connect(tmp_path / "catalogue.db")) as db:
        for statement, (since, value) in SINCE.items():
            if not since or since in taken:
                assert db.execute(statement).fetchall() == [(value,)]

    check(tmp_path, found)


KILLED = """
import os, signal
from pathlib import Path
from index import Catalogue
from index.catalogue import migrations

def kill(db):
    os.kill(os.getpid(), signal.SIGKILL)

migrations.STEPS = (*migrations.STEPS[:-1], kill, migrations.STEPS[-1])
Catalogue.open(Path(sys.argv[1]))
"""


@pytest.mark.slow
@needs_kill
def test_one_that_is_killed_meanwhile_begins_again(tmp_path: Path) -> None:
    name = LIBRARIES[1]
    found = unpack(name, tmp_path)
    taken = steps(tmp_path / "catalogue.db")
    process = child(KILLED, tmp_path)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert steps(tmp_path / "catalogue.db") == taken

    check(tmp_path, found)

    assert steps(kept_before_upgrade(tmp_path / "catalogue.db")) == taken


def test_of_two_upgrades_the_last_is_kept(tmp_path: Path) -> None:
    unpack(LIBRARIES[0], tmp_path)
    kept = kept_before_upgrade(tmp_path / "catalogue.db")
    kept.write_bytes(b"of the upgrade before")
    kept.with_name(f".{kept.name}.part").write_bytes(b"of a process that was killed")

    Catalogue.open(tmp_path).close()

    assert steps(kept) == ["create_tables"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("catalogue.db", kept.name, "vectors")
    ]


def test_where_it_cannot_be_kept_nothing_is_changed(tmp_path: Path) -> None:
    unpack(LIBRARIES[0], tmp_path)
    kept_before_upgrade(tmp_path / "catalogue.db").mkdir()

    with pytest.raises(CatalogueError, match="cannot be kept as it was before the upgrade"):
        Catalogue.open(tmp_path)

    assert steps(tmp_path / "catalogue.db") == ["create_tables"]
