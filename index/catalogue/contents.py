"""Contents: the bytes that files hold. Embeddings belong to them, and copies share them."""

from __future__ import annotations

import sqlite3

from index.catalogue.records import FileStamp


def content_for(db: sqlite3.Connection, text: str, stamp: FileStamp, digest: bytes | None) -> int:
    """The content of the file at path `text` in its present state; made when it is new.

    Without a digest the bytes are taken to be unchanged as long as the stamp is.
    """
    same = db.execute(
        "SELECT content_id FROM photos WHERE path = ? AND (size, mtime_ns) = (?, ?)",
        [text, stamp.size, stamp.mtime_ns],
    ).fetchone()
    if digest is None:
        return int(same[0]) if same else new_content(db, None)
    known = db.execute("SELECT id FROM contents WHERE digest = ?", [digest]).fetchone()
    if known:
        return int(known[0])
    if same:
        # Recorded before there were digests.
        named = db.execute(
            "UPDATE contents SET digest = ? WHERE id = ? AND digest IS NULL", [digest, same[0]]
        )
        if named.rowcount:
            return int(same[0])
    return new_content(db, digest)


def leave_content(db: sqlite3.Connection, text: str, stamp: FileStamp) -> int:
    """Take a photo off its content if its file has changed since; how many photos that were.

    It keeps its id, and a content of its own that has no embeddings.
    """
    row = db.execute(
        """
        SELECT id FROM photos WHERE path = ? AND (size, mtime_ns) <> (?, ?)
            AND content_id IN (SELECT content_id FROM embeddings)
        """,
        [text, stamp.size, stamp.mtime_ns],
    ).fetchone()
    if row is None:
        return 0
    content = new_content(db, None)
    db.execute("UPDATE photos SET content_id = ? WHERE id = ?", [content, row[0]])
    return 1


def drop_unused(db: sqlite3.Connection) -> None:
    """Forget contents, with their embeddings, that no photo has, not even a missing one."""
    db.execute(
        "DELETE FROM contents WHERE NOT EXISTS "
        "(SELECT 1 FROM photos WHERE content_id = contents.id)"
    )


def new_content(db: sqlite3.Connection, digest: bytes | None) -> int:
    """Make a content; its id."""
    (content,) = db.execute(
        "INSERT INTO contents (digest) VALUES (?) RETURNING id", [digest]
    ).fetchone()
    return int(content)
