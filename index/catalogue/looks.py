"""How pictures look, as bytes that only who made them can read. They belong to contents."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from index.catalogue.connection import Connection
from index.paths import below, path_to_text, text_to_path


def put_look(db: sqlite3.Connection, content_id: int, look: bytes) -> None:
    db.execute("REPLACE INTO looks (content_id, look) VALUES (?, ?)", [content_id, look])


def put_looks_of_paths(db: sqlite3.Connection, looks: Mapping[str, bytes]) -> None:
    """Set those of photos by their paths; paths of which no photo is recorded are passed over."""
    for path, look in looks.items():
        db.execute(
            "REPLACE INTO looks (content_id, look) SELECT content_id, ? FROM photos WHERE path = ?",
            [look, path_to_text(path)],
        )


def looks_of(connection: Connection, ids: Sequence[int]) -> dict[int, bytes]:
    """Of those photos of `ids` of which it is known, and that have any."""
    return dict(
        connection.rows(
            "SELECT photos.id, look FROM photos JOIN looks USING (content_id) "
            "WHERE look <> x'' AND photos.id IN (SELECT value FROM json_each(?))",
            [json.dumps([int(photo_id) for photo_id in ids])],
        )
    )


def without_looks(connection: Connection, folder: str) -> list[str]:
    """One path each of the contents below `folder`, or itself, of which it is not known."""
    within, bounds = below(folder)
    rows = connection.rows(
        f"SELECT min(path) FROM photos WHERE {within} AND NOT missing "
        "AND content_id IN (SELECT content_id FROM embeddings) "
        "AND content_id NOT IN (SELECT content_id FROM looks) GROUP BY content_id",
        bounds,
    )
    return [text_to_path(row[0]) for row in rows]
