"""Photos as files: what to look for on disk when one is to be shown."""

from __future__ import annotations

import json
from collections.abc import Sequence

from index.connection import Connection
from index.paths import path_to_text, text_to_path
from index.records import FileStamp, PhotoFile

_COLUMNS = "photos.id, path, size, mtime_ns, digest, width, height, format, missing"


def files_of(connection: Connection, ids: Sequence[int]) -> list[PhotoFile]:
    """The files of the photos of `ids`, in that order; ids that are not there are left out."""
    rows = connection.rows(
        f"SELECT {_COLUMNS} FROM photos LEFT JOIN contents ON contents.id = content_id "
        "WHERE photos.id IN (SELECT value FROM json_each(?))",
        [json.dumps([int(one) for one in ids])],
    )
    found = {row[0]: _file(row) for row in rows}
    return [found[one] for one in ids if one in found]


def file_at(connection: Connection, path: str) -> PhotoFile | None:
    """The file of the photo at `path`, or of the photo to which the file there belongs."""
    text = path_to_text(path)
    rows = connection.rows(
        f"SELECT {_COLUMNS} FROM photos LEFT JOIN contents ON contents.id = content_id "
        "WHERE path = ?",
        [text],
    ) or connection.rows(
        f"SELECT {_COLUMNS} FROM photos LEFT JOIN contents ON contents.id = content_id "
        "WHERE companions <> '[]' "
        "AND EXISTS (SELECT 1 FROM json_each(companions) WHERE value = ?)",
        [text],
    )
    return _file(rows[0]) if rows else None


def newest(connection: Connection, limit: int) -> list[PhotoFile]:
    """The files of the photos that were recorded last, newest first; missing ones left out."""
    rows = connection.rows(
        f"SELECT {_COLUMNS} FROM photos LEFT JOIN contents ON contents.id = content_id "
        "WHERE NOT missing ORDER BY photos.id DESC LIMIT ?",
        [limit],
    )
    return [_file(row) for row in rows]


def _file(row: tuple[int, str, int, int, bytes | None, int, int, str, int]) -> PhotoFile:
    number, text, size, mtime_ns, digest, width, height, form, missing = row
    return PhotoFile(
        number,
        text_to_path(text),
        FileStamp(size, mtime_ns),
        digest,
        width,
        height,
        form,
        bool(missing),
    )
