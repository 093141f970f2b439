"""Exported libraries that somebody else has written: nothing in them runs, and rows are checked."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from optional import needs_pipes

from index import Catalogue
from index.safety import adopting
from photosearch import Library
from photosearch.errors import LibraryError

pytestmark = pytest.mark.slow

Change = Callable[[sqlite3.Connection], object]


@pytest.fixture(scope="module")
def exported(
    tmp_path_factory: pytest.TempPathFactory, picture_library: Path, tiny_bundle: Path
) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    shutil.copytree(picture_library, folder / "library")
    with Library.open(folder / "library", model=tiny_bundle) as library:
        library.export(folder / "out")
    return folder / "out"


def rewritten(
    exported: Path, to: Path, change: Change, about: dict[str, Any] | None = None
) -> Path:
    """The archive with a changed catalogue, and with the hashes of that."""
    database = to.with_name("changed.db")
    with zipfile.ZipFile(exported) as old:
        database.write_bytes(old.read("catalogue.db"))
        manifest = json.loads(old.read("library.json"))
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        change(db)
    content = database.read_bytes()
    manifest["files"]["catalogue.db"] = {
        "sha256": sha256(content).hexdigest(),
        "bytes": len(content),
    }
    manifest |= about or {}
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("catalogue.db", content)
        new.writestr("library.json", json.dumps(manifest))
    return to


def refused(archive: Path, library: Path) -> str:
    """Why an archive is not taken; nothing is left of it."""
    with pytest.raises(LibraryError) as raised:
        Library.import_from(archive, library)
    assert not library.exists()
    told = str(raised.value)
    assert told.startswith(f"{archive}: ")
    assert ".import-" not in told
    assert "--map" not in told
    return told


def statement(sql: str) -> Change:
    return lambda db: db.executescript(sql)


NEVER_ENDING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"


def test_what_its_triggers_would_do_is_not_done(exported: Path, tmp_path: Path) -> None:
    for number, (event, body) in enumerate(
        (
            ("UPDATE", "UPDATE photos SET path = '/etc/' || path"),
            ("INSERT", "UPDATE photos SET path = '/etc/' || path"),
            ("UPDATE", f"INSERT INTO state SELECT 'x', ({NEVER_ENDING} SELECT count(*) FROM n)"),
        )
    ):
        sql = f"CREATE TRIGGER theirs AFTER {event} ON photos BEGIN {body}; END"
        archive = rewritten(exported, tmp_path / f"{number}", statement(sql))
        library = tmp_path / f"library{number}"
        assert Library.import_from(archive, library).found == 6
        with Catalogue.open(library) as catalogue:
            assert not any(path.startswith("/etc") for path in catalogue.paths("/", missing=False))
            assert catalogue.health.faults() == []


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (
            "ALTER TABLE photos RENAME TO p; CREATE VIEW photos AS SELECT * FROM p",
            "its table photos is none",
        ),
        (
            "DROP VIEW IF EXISTS x; ALTER TABLE _sqlite_migrations RENAME TO m; "
            f"CREATE VIEW _sqlite_migrations AS {NEVER_ENDING} SELECT i AS name FROM n",
            "a database of another program",
        ),
        ("ALTER TABLE photos DROP COLUMN companions", "its table photos is none"),
        (
            "ALTER TABLE photos DROP COLUMN companions; ALTER TABLE photos ADD COLUMN "
            "companions TEXT GENERATED ALWAYS AS (hex(zeroblob(100000000))) VIRTUAL",
            "too big|its table photos is none",
        ),
        ("UPDATE photos SET path = 'relative/a.jpg' WHERE id = 1", "path in photos: 1"),
        ("UPDATE photos SET path = '/a' || char(0) || 'b' WHERE id = 1", "path in photos: 1"),
        (
            "UPDATE photos SET path = '/' || hex(zeroblob(2500000)) WHERE id = 1",
            "path in photos: 1",
        ),
        ("UPDATE photos SET companions = '[\"a\"]' WHERE id = 1", "companions in photos: 1"),
        ("UPDATE folders SET path = 'here'", "path in folders: 1"),
        ("UPDATE embeddings SET vector = zeroblob(0)", "of a wrong length: 6"),
        ("UPDATE embeddings SET vector = zeroblob(3) WHERE content_id = 1", "of a wrong length: 1"),
        ("UPDATE embeddings SET vector = zeroblob(64) WHERE content_id = 1", "not of length 1: 1"),
        ("UPDATE metadata SET taken_at = 'never' WHERE photo_id = 1", "taken_at in metadata: 1"),
        ("UPDATE metadata SET latitude = 9e999 WHERE photo_id = 1", "latitude in metadata: 1"),
        ("UPDATE metadata SET keywords = '[[' WHERE photo_id = 1", "keywords in metadata: 1"),
        ("UPDATE metadata SET regions = '[{}]' WHERE photo_id = 1", "regions in metadata: 1"),
        ("INSERT INTO people (name) VALUES ('a' || char(0))", "name in people: 1"),
        (
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = 2 "
            "WHERE name = 'photos'",
            "cannot be taken over",
        ),
    ],
)
def test_rows_and_tables_that_are_none(exported: Path, tmp_path: Path, sql: str, why: str) -> None:
    archive = rewritten(exported, tmp_path / "archive", statement(sql))
    told = refused(archive, tmp_path / "library")
    assert re.search(why, told), told


def test_what_takes_too_long_is_given_up(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopting, "_SECONDS", -1.0)
    monkeypatch.setattr(adopting, "_A_SECOND", 1e12)
    monkeypatch.setattr(adopting, "_STEPS", 1)
    assert "takes too long to read" in refused(exported, tmp_path / "library")


@pytest.mark.parametrize(
    "about",
    [
        {"format": float("inf")},
        {"format": float("nan")},
        {"format": True},
        {"files": {"catalogue.db": {"sha256": "", "bytes": float("inf")}}},
        {"files": {"catalogue.db": {"sha256": "", "bytes": 10**15}}},
        {"files": {"catalogue.db": {"sha256": "", "bytes": -1}}},
        {"photos": float("-inf")},
    ],
)
def test_numbers_that_are_none(exported: Path, tmp_path: Path, about: dict[str, Any]) -> None:
    archive = rewritten(exported, tmp_path / "archive", lambda _: None, about)
    assert "is damaged" in refused(archive, tmp_path / "library")


def test_what_would_unpack_to_far_more_is_not_unpacked(exported: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with (
        zipfile.ZipFile(exported) as old,
        zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        manifest = json.loads(old.read("library.json"))
        with new.open("catalogue.db", "w", force_zip64=True) as member:
            for _ in range(400):
                member.write(bytes(1 << 20))
        manifest["files"]["catalogue.db"] = {"sha256": "", "bytes": 400 << 20}
        new.writestr("library.json", json.dumps(manifest))
    assert "unpack to far more" in refused(archive, tmp_path / "library")


@needs_pipes
def test_a_pipe_is_no_archive(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refused(tmp_path / "pipe", tmp_path / "library")


def test_the_doctor_finds_and_drops_the_same_in_ones_own(
    tmp_path: Path, picture_library: Path, tiny_bundle: Path
) -> None:
    shutil.copytree(picture_library, tmp_path / "library")
    with closing(sqlite3.connect(tmp_path / "library" / "catalogue.db")) as db, db:
        db.execute("UPDATE photos SET path = 'relative.jpg' WHERE id = 1")
        db.execute("UPDATE metadata SET keywords = 'no list' WHERE photo_id = 2")
        db.execute("UPDATE embeddings SET vector = zeroblob(5) WHERE content_id = 3")

    def wrong(*, repair: bool = False) -> set[str]:
        found = Library.examine(tmp_path / "library", model=tiny_bundle, repair=repair)
        return {finding.text for finding in found if finding.state == "wrong"}

    told = wrong()
    assert "2 rows cannot be used: 1 by keywords in metadata, 1 by path in photos" in told
    assert any(text.startswith("1 vector cannot be right") for text in told)
    assert wrong(repair=True) == set()
    assert wrong() == set()
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        assert library.status().photos == 4
        assert len(library.search("a cat", everything=True)) == 4
