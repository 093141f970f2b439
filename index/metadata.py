"""Rows of the table `metadata`, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from index.paths import path_to_text
from index.records import Metadata, Place

if TYPE_CHECKING:
    from sqlite_utils import Database

NAMES = tuple(field.name for field in fields(Metadata))
COLUMNS = ", ".join(NAMES)


def put_metadata(db: Database, photo_id: int, metadata: Metadata, state: str) -> None:
    """Set what is known of a photo, and the note of what it was read from."""
    row = {name: getattr(metadata, name) for name in NAMES}
    row["keywords"] = json.dumps(metadata.keywords)
    row["place"] = metadata.place and json.dumps(asdict(metadata.place))
    marks = ", ".join("?" * (len(NAMES) + 2))
    db.execute(
        f"REPLACE INTO metadata (photo_id, {COLUMNS}, state) VALUES ({marks})",
        [photo_id, *row.values(), path_to_text(state)],
    )


def copy_metadata(db: Database, from_photo: int, to_photo: int) -> None:
    """Give one photo what is known of another of the same bytes, until it is read itself."""
    db.execute(
        f"REPLACE INTO metadata (photo_id, {COLUMNS}) "
        f"SELECT ?, {COLUMNS} FROM metadata WHERE photo_id = ?",
        [to_photo, from_photo],
    )


def metadata_of(row: Sequence[Any]) -> Metadata:
    """From the columns `COLUMNS`."""
    values = dict(zip(NAMES, row, strict=True))
    values["keywords"] = tuple(json.loads(values["keywords"]))
    if values["place"] is not None:
        values["place"] = Place(**json.loads(values["place"]))
    return Metadata(**values)
