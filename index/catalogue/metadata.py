"""Rows of the table `metadata`, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from index.catalogue.connection import Connection
from index.catalogue.marks import make_count
from index.catalogue.records import FAVOURITES, Metadata, Place, Region
from index.paths import below, path_to_text, text_to_path

NAMES = tuple(field.name for field in fields(Metadata))
COLUMNS = ", ".join(NAMES)


def put_metadata(db: sqlite3.Connection, photo_id: int, metadata: Metadata, state: str) -> None:
    """Set what is known of a photo, and the note of what it was read from.

    The photo's marks go before it. One that is said to be a favourite for the first time becomes
    one; who takes it out again is not overruled.
    """
    known = db.execute("SELECT favourite FROM metadata WHERE photo_id = ?", [photo_id]).fetchone()
    if metadata.favourite and not (known and known[0]):
        db.execute(
            "INSERT OR IGNORE INTO album_photos (album_id, digest, added_at) "
            "SELECT ?, digest, datetime('now') "
            "FROM photos JOIN contents ON contents.id = content_id "
            "WHERE photos.id = ? AND digest IS NOT NULL",
            [FAVOURITES, photo_id],
        )
    row = {name: getattr(metadata, name) for name in NAMES}
    row["keywords"], row["people"] = json.dumps(metadata.keywords), json.dumps(metadata.people)
    row["favourite"] = int(metadata.favourite)
    row["regions"] = json.dumps([asdict(region) for region in metadata.regions])
    row["place"] = metadata.place and json.dumps(asdict(metadata.place))
    marks = ", ".join("?" * (len(NAMES) + 2))
    db.execute(
        f"REPLACE INTO metadata (photo_id, {COLUMNS}, state) VALUES ({marks})",
        [photo_id, *row.values(), path_to_text(state)],
    )
    make_count(db, [photo_id])


def copy_metadata(db: sqlite3.Connection, from_photo: int, to_photo: int) -> None:
    """Give one photo what is known of another of the same bytes, until it is read itself."""
    db.execute(
        f"REPLACE INTO metadata (photo_id, {COLUMNS}, as_read) "
        f"SELECT ?, {COLUMNS}, as_read FROM metadata WHERE photo_id = ?",
        [to_photo, from_photo],
    )


def metadata_of(row: Sequence[Any]) -> Metadata:
    """From the columns `COLUMNS`."""
    values = dict(zip(NAMES, row, strict=True))
    for name in ("keywords", "people"):
        values[name] = tuple(json.loads(values[name]))
    values["favourite"] = bool(values["favourite"])
    values["regions"] = tuple(Region(**one) for one in json.loads(values["regions"]))
    if values["place"] is not None:
        values["place"] = Place(**json.loads(values["place"]))
    return Metadata(**values)


def read_metadata(connection: Connection, ids: Sequence[int]) -> dict[int, Metadata]:
    """What is known of the photos of `ids`; those of which nothing is are left out."""
    found = {}
    for start in range(0, len(ids), 500):  # SQLite limits the parameters of a statement
        part = [int(photo_id) for photo_id in ids[start : start + 500]]
        marks = ",".join("?" * len(part))
        query = f"SELECT photo_id, {COLUMNS} FROM metadata WHERE photo_id IN ({marks})"
        for photo_id, *row in connection.rows(query, part):
            found[photo_id] = metadata_of(row)
    return found


def read_states(connection: Connection, folder: str) -> dict[str, str]:
    """The notes of what metadata was read from, of the photos below `folder` that are there."""
    within, bounds = below(folder)
    rows = connection.rows(
        "SELECT path, coalesce(state, '') FROM photos "
        f"LEFT JOIN metadata ON photo_id = photos.id WHERE {within} AND NOT missing",
        bounds,
    )
    return {text_to_path(path): text_to_path(state) for path, state in rows}


def put_metadata_of_paths(
    db: sqlite3.Connection, found: Mapping[str, tuple[Metadata, str]]
) -> None:
    """Set what is known of photos by their paths; unknown paths are passed over."""
    for path, (metadata, state) in found.items():
        query = "SELECT id FROM photos WHERE path = ?"
        row = db.execute(query, [path_to_text(path)]).fetchone()
        if row is not None:
            put_metadata(db, row[0], metadata, state)
