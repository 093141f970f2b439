"""Writing a file's row: its stamp, its content, its companions."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from index.catalogue.companions import companions_to_text
from index.catalogue.contents import content_for
from index.catalogue.feed import note
from index.catalogue.looks import put_look
from index.catalogue.marks import make_count_of
from index.catalogue.metadata import copy_metadata, put_metadata
from index.catalogue.records import KnownFile, NewPhoto
from index.paths import path_to_text


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def put_photo(db: sqlite3.Connection, photo: NewPhoto) -> int:
    """Record a photo, which keeps its id when its path is known; the id of its content."""
    text = path_to_text(photo.path)
    content = content_for(db, text, photo.stamp, photo.digest)
    (photo_id,) = db.execute(
        """
        INSERT INTO photos
            (path, size, mtime_ns, width, height, format, indexed_at, content_id, companions)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (path) DO UPDATE SET
            size = excluded.size, mtime_ns = excluded.mtime_ns,
            width = excluded.width, height = excluded.height,
            format = excluded.format, indexed_at = excluded.indexed_at,
            content_id = excluded.content_id, companions = excluded.companions, missing = 0
        RETURNING id
        """,
        [
            text,
            photo.stamp.size,
            photo.stamp.mtime_ns,
            photo.width,
            photo.height,
            photo.format,
            now(),
            content,
            companions_to_text(photo.companions),
        ],
    ).fetchone()
    note(db, photo_id)
    if photo.metadata is not None:
        put_metadata(db, photo_id, photo.metadata, photo.metadata_state)
    make_count_of(db, content)
    if photo.look is not None:
        put_look(db, content, photo.look)
    db.execute("DELETE FROM problems WHERE path = ?", [text])
    return content


def put_known(db: sqlite3.Connection, file: KnownFile, moved_from: str | None) -> None:
    """Record a file whose bytes another row has; `moved_from` is the path it had before."""
    text = path_to_text(file.path)
    if moved_from is not None:
        # Whatever was recorded at the new path before is replaced.
        db.execute("DELETE FROM photos WHERE path = ?", [text])
        db.execute("UPDATE photos SET path = ? WHERE path = ?", [text, path_to_text(moved_from)])
    twin, content, width, height, form = db.execute(
        """
        SELECT photos.id, content_id, width, height, format
        FROM photos JOIN contents ON contents.id = content_id
        WHERE digest = ? ORDER BY path = ? DESC, photos.id LIMIT 1
        """,
        [file.digest, text],
    ).fetchone()
    (photo_id,) = db.execute(
        """
        INSERT INTO photos
            (path, size, mtime_ns, width, height, format, indexed_at, content_id, companions)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (path) DO UPDATE SET
            size = excluded.size, mtime_ns = excluded.mtime_ns,
            width = excluded.width, height = excluded.height, format = excluded.format,
            content_id = excluded.content_id, companions = excluded.companions, missing = 0
        RETURNING id
        """,
        [
            text,
            file.stamp.size,
            file.stamp.mtime_ns,
            width,
            height,
            form,
            now(),
            content,
            companions_to_text(file.companions),
        ],
    ).fetchone()
    note(db, photo_id)
    if photo_id != twin:
        copy_metadata(db, twin, photo_id)
    elif file.renamed:
        db.execute("UPDATE metadata SET state = '' WHERE photo_id = ?", [photo_id])
    make_count_of(db, content)
    db.execute("DELETE FROM problems WHERE path = ?", [text])
