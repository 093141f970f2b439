"""Companions: files that belong to a photo, and are no photos of their own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from index.catalogue.connection import Connection
from index.paths import path_to_text, text_to_path


def companions_to_text(companions: tuple[str, ...]) -> str:
    return json.dumps([path_to_text(path) for path in companions], ensure_ascii=False)


def text_to_companions(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(text_to_path(path) for path in json.loads(text))


def read_companions(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Of the photos that are there and have any, by their paths."""
    rows = connection.rows(
        "SELECT path, companions FROM photos WHERE companions <> '[]' AND NOT missing"
    )
    return {text_to_path(path): text_to_companions(text) for path, text in rows}


def put_companions(db: sqlite3.Connection, companions: Mapping[str, tuple[str, ...]]) -> int:
    """Set the companions of photos by their paths; how many ceased to be photos of their own.

    Paths of which no photo is recorded are passed over.
    """
    dropped = 0
    for path, others in companions.items():
        set_ = db.execute(
            "UPDATE photos SET companions = ? WHERE path = ?",
            [companions_to_text(others), path_to_text(path)],
        )
        for other in others if set_.rowcount else ():
            text = path_to_text(other)
            dropped += db.execute("DELETE FROM photos WHERE path = ?", [text]).rowcount
            db.execute("DELETE FROM problems WHERE path = ?", [text])
    return dropped


def read_live_ids(connection: Connection) -> dict[str, str]:
    """The ids by which the stills and videos of Live Photos that are there know each other."""
    rows = connection.rows(
        "SELECT path, live_id FROM metadata JOIN photos ON photos.id = photo_id "
        "WHERE live_id IS NOT NULL AND NOT missing"
    )
    return {text_to_path(path): live_id for path, live_id in rows}
