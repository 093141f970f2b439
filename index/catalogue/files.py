"""Photos as files: what to look for on disk when one is to be shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from index.catalogue.companions import text_to_companions
from index.catalogue.connection import Connection
from index.catalogue.functions import composed
from index.catalogue.records import FAVOURITES, FileStamp, ListedPhoto, PhotoFile, Place
from index.paths import beyond_ascii, path_to_text, text_to_path

_COLUMNS = "photos.id, path, size, mtime_ns, digest, width, height, format, missing"
_LISTED = f"""
    SELECT {_COLUMNS}, taken_at, taken_source, place, EXISTS (
        SELECT 1 FROM album_photos
        WHERE album_id = {FAVOURITES} AND album_photos.digest = contents.digest
    ), companions
    FROM photos
    LEFT JOIN contents ON contents.id = content_id
    LEFT JOIN metadata ON photo_id = photos.id
"""


def files_of(connection: Connection, ids: Sequence[int]) -> list[PhotoFile]:
    """The files of the photos of `ids`, in that order; ids that are not there are left out."""
    rows = connection.rows(
        f"SELECT {_COLUMNS} FROM photos LEFT JOIN contents ON contents.id = content_id "
        "WHERE photos.id IN (SELECT value FROM json_each(?))",
        [json.dumps([int(one) for one in ids])],
    )
    found = {row[0]: _file(row) for row in rows}
    return [found[one] for one in ids if one in found]


def listed(connection: Connection, ids: Sequence[int]) -> list[ListedPhoto]:
    """As `files_of`, with what a list shows of them."""
    rows = connection.rows(
        f"{_LISTED} WHERE photos.id IN (SELECT value FROM json_each(?))",
        [json.dumps([int(one) for one in ids])],
    )
    found = {row[0]: _listed(row) for row in rows}
    return [found[one] for one in ids if one in found]


def file_at(connection: Connection, path: str) -> PhotoFile | None:
    """The file of the photo at `path`, or of the photo to which the file there belongs.

    When none is written just so, one whose accents are written in another way.
    """
    text = path_to_text(path)
    belongs = "companions <> '[]' AND EXISTS (SELECT 1 FROM json_each(companions) WHERE {} = ?)"
    wanted = [("path = ?", text), (belongs.format("value"), text)]
    if not text.isascii():
        alike = composed(text)
        wanted.append((f"{beyond_ascii('path')} AND composed(path) = ?", alike))
        wanted.append((belongs.format("composed(value)"), alike))
    for condition, value in wanted:
        rows = connection.rows(
            f"SELECT {_COLUMNS} FROM photos LEFT JOIN contents ON contents.id = content_id "
            f"WHERE {condition} ORDER BY photos.id LIMIT 1",
            [value],
        )
        if rows:
            return _file(rows[0])
    return None


def newest(connection: Connection, limit: int) -> list[ListedPhoto]:
    """The photos that were recorded last, newest first; missing ones left out."""
    rows = connection.rows(
        f"{_LISTED} WHERE NOT missing ORDER BY photos.id DESC LIMIT ?",
        [limit],
    )
    return [_listed(row) for row in rows]


def _file(row: Sequence[Any]) -> PhotoFile:
    return PhotoFile(*_values(row))


def _listed(row: Sequence[Any]) -> ListedPhoto:
    *file, taken_at, taken_source, place, favourite, companions = row
    where = None if place is None else Place(**json.loads(place))
    listed: tuple[Any, ...] = (
        taken_at,
        taken_source,
        where,
        bool(favourite),
        text_to_companions(companions),
    )
    return ListedPhoto(*_values(file), *listed)


def _values(row: Sequence[Any]) -> tuple[Any, ...]:
    number, text, size, mtime_ns, digest, width, height, form, missing = row
    stamp = FileStamp(size, mtime_ns)
    return number, text_to_path(text), stamp, digest, width, height, form, bool(missing)
