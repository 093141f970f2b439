"""The catalogue's schema, as the steps that lead to it. Steps are added, never changed."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

_SET = "photosearch.catalogue"
# In the header of the SQLite file, by which tools can tell whose it is: "phot".
_APPLICATION_ID = 0x70686F74


def create_tables(db: Database) -> None:
    """Photos, the folders they were looked for in, their embeddings, and files that failed."""
    db.execute(
        """
        CREATE TABLE folders (
            path TEXT PRIMARY KEY NOT NULL,
            added_at TEXT NOT NULL
        ) STRICT
        """
    )
    db.execute(
        """
        CREATE TABLE photos (
            id INTEGER PRIMARY KEY,
            path TEXT NOT NULL UNIQUE,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            format TEXT NOT NULL,
            indexed_at TEXT NOT NULL,
            missing INTEGER NOT NULL DEFAULT 0 CHECK (missing IN (0, 1))
        ) STRICT
        """
    )
    # With a rowid: WITHOUT ROWID would put each vector of 512 numbers on a page of its own.
    db.execute(
        """
        CREATE TABLE embeddings (
            bundle_id TEXT NOT NULL,
            photo_id INTEGER NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
            vector BLOB NOT NULL,
            PRIMARY KEY (bundle_id, photo_id)
        ) STRICT
        """
    )
    db.execute("CREATE INDEX embeddings_photo_id ON embeddings (photo_id)")
    db.execute(
        """
        CREATE TABLE problems (
            path TEXT PRIMARY KEY NOT NULL,
            size INTEGER,
            mtime_ns INTEGER,
            reason TEXT NOT NULL,
            seen_at TEXT NOT NULL
        ) STRICT
        """
    )
    db.execute("CREATE TABLE state (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT")
    db.execute(
        """
        INSERT INTO state (key, value)
        VALUES ('generation', '0'), ('revision', lower(hex(randomblob(16))))
        """
    )


STEPS = (create_tables,)


def applied_steps(connection: sqlite3.Connection) -> set[str] | None:
    """Names of the steps already taken; None when the file holds tables, but not a catalogue's.

    Reads what sqlite-utils recorded without importing it: a search needs no more than this, and
    sqlite-utils imports pandas wherever that is installed.
    """
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    names = set()
    if "_sqlite_migrations" in tables:
        query = "SELECT name FROM _sqlite_migrations WHERE migration_set = ?"
        names = {row[0] for row in connection.execute(query, [_SET])}
    return names if names or not tables else None


def known_steps() -> set[str]:
    return {step.__name__ for step in STEPS}


def migrate(db: Database) -> None:
    """Take the steps that are pending: all, or none if one fails or the process dies."""
    from sqlite_utils import Migrations

    migrations = Migrations(_SET)
    for step in STEPS:
        migrations()(step)
    with db.atomic():
        # The first statement writes, so that of two processes the second waits for the first.
        db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        migrations.apply(db)
