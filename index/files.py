"""Photos as files: what to look for on disk when one is to be shown."""

from __future__ import annotations

from index.connection import Connection
from index.paths import text_to_path
from index.records import FileStamp, PhotoFile

_COLUMNS = "photos.id, path, size, mtime_ns, digest, width, height, format, missing"


def file_of(connection: Connection, photo_id: int) -> PhotoFile | None:
    """The file of the photo of this id, or None when there is none."""
    rows = connection.rows(
        f"SELECT {_COLUMNS} FROM photos LEFT JOIN contents ON contents.id = content_id "
        "WHERE photos.id = ?",
        [photo_id],
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
