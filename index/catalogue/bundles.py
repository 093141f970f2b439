"""Which bundle searches use, which one is to be used next, and what that one has not embedded."""

from __future__ import annotations

import sqlite3

from index.catalogue.connection import Connection
from index.catalogue.records import FileStamp, Waiting
from index.paths import text_to_path

# Contents of photos that are there, embedded by another bundle but not by this one. A photo that
# no bundle has embedded is one whose file could not be read.
_WAITING = """
    photos JOIN contents ON contents.id = content_id
    WHERE NOT missing
        AND EXISTS (SELECT 1 FROM embeddings WHERE content_id = contents.id)
        AND NOT EXISTS (
            SELECT 1 FROM embeddings WHERE bundle_id = ? AND content_id = contents.id
        )
"""


def read_choice(connection: Connection, key: str) -> str | None:
    """The bundle kept under `key` of the state, None when there is none."""
    rows = connection.rows("SELECT value FROM state WHERE key = ?", [key])
    return str(rows[0][0]) if rows else None


def write_choice(db: sqlite3.Connection, key: str, bundle_id: str | None) -> None:
    if bundle_id is None:
        db.execute("DELETE FROM state WHERE key = ?", [key])
    else:
        db.execute("REPLACE INTO state VALUES (?, ?)", [key, bundle_id])


def waiting_for(connection: Connection, bundle_id: str, after: int, limit: int) -> list[Waiting]:
    """The first `limit` contents above id `after` that wait for the bundle, in order of id."""
    # Of the columns that are not grouped by, SQLite gives those of the row with the least path.
    rows = connection.rows(
        f"SELECT contents.id, digest, min(path), size, mtime_ns FROM {_WAITING} "
        "AND contents.id > ? GROUP BY contents.id ORDER BY contents.id LIMIT ?",
        [bundle_id, after, limit],
    )
    return [
        Waiting(content, digest, text_to_path(path), FileStamp(size, mtime_ns))
        for content, digest, path, size, mtime_ns in rows
    ]


def count_waiting(connection: Connection, bundle_id: str) -> int:
    query = f"SELECT count(DISTINCT contents.id) FROM {_WAITING}"
    return int(connection.rows(query, [bundle_id])[0][0])


def put_vector(db: sqlite3.Connection, bundle_id: str, content_id: int, vector: bytes) -> None:
    """Keep a content's vector, unless the content is no longer there."""
    db.execute(
        """
        INSERT INTO embeddings (bundle_id, content_id, vector)
        SELECT ?, id, ? FROM contents WHERE id = ?
        ON CONFLICT DO UPDATE SET vector = excluded.vector
        """,
        [bundle_id, vector, content_id],
    )


def drop_vectors(db: sqlite3.Connection, bundle_id: str) -> int:
    """Drop all vectors of a bundle; how many.

    What other bundles find stays the same, so no photo is noted as changed, and no generation
    begins: the files of their vectors stay as good as they were.
    """
    trigger = "vector_removed"
    (statement,) = db.execute("SELECT sql FROM sqlite_master WHERE name = ?", [trigger]).fetchone()
    # In one transaction, so that nobody ever sees the catalogue without it.
    db.execute(f"DROP TRIGGER {trigger}")
    dropped = db.execute("DELETE FROM embeddings WHERE bundle_id = ?", [bundle_id]).rowcount
    db.execute(str(statement))
    db.execute("DELETE FROM frames WHERE bundle_id = ?", [bundle_id])
    return int(dropped)
