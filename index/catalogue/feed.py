"""What other programs follow: which photos changed, in the order in which that was committed.

It is a list of its own beside `changes`, which is emptied whenever the file of vectors is made
anew, while a program may come back after years. Each photo stands in it once, at its last change;
that of one that was dropped stays. So whoever begins at the beginning is told of all photos, and
whoever comes back of those that changed since, however long that was.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import Literal

from index.catalogue.connection import Connection
from index.paths import text_to_path

_PLACE = re.compile(r"(\d{1,18})-(\d{1,18})-(\d{1,18})-([0-9a-f]{32})", re.ASCII)


class UnknownPlaceError(Exception):
    """A place in the list that this catalogue does not know: it has to be read from its beginning.

    So it is after another catalogue, or an older copy, was put in its place, after a repair, and
    after 100,000 later states, whose names the schema keeps.
    """


@dataclass(frozen=True)
class Change:
    """What a photo is now, after something about it changed.

    It is "here", "missing" while its file is gone, or "dropped" from the library, and has no path
    then; its id may be given to another photo.
    """

    photo_id: int
    state: Literal["here", "missing", "dropped"]
    path: str | None


@dataclass(frozen=True)
class Changes:
    """Some changes, in order; `next` is the place after them, and `more` whether others follow."""

    changes: tuple[Change, ...]
    next: str
    more: bool


def note(db: sqlite3.Connection, photo_id: int) -> None:
    """A photo's file is another than it was, though what the triggers watch may be the same."""
    db.execute("DELETE FROM feed WHERE photo_id = ?", [photo_id])
    db.execute("INSERT INTO feed (photo_id) VALUES (?)", [photo_id])


def last_place(connection: Connection) -> str:
    """The place after all changes so far."""
    newest = "SELECT sequence, photo_id FROM feed ORDER BY sequence DESC LIMIT 1"
    return _place(connection, *next(iter(connection.rows(newest)), (0, 0)))


def changed_after(connection: Connection, place: str | None, most: int) -> list[int] | None:
    """Ids of the photos that changed after a place; None where all have to be looked at: there is
    no place, it is of another catalogue that was here before, or they are more than `most`.
    """
    if place is None:
        return None
    try:
        sequence, _ = _known(connection, place)
    except UnknownPlaceError:
        return None
    rows = connection.rows(
        "SELECT photo_id FROM feed WHERE sequence > ? LIMIT ?", [sequence, most + 1]
    )
    return [row[0] for row in rows] if len(rows) <= most else None


class Feed:
    """The list of one catalogue."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, place: str | None = None, limit: int = 1000) -> Changes:
        """At most `limit` changes after `place`, or from the beginning.

        Raises `UnknownPlaceError`.
        """
        with self._connection.snapshot():
            sequence, photo = (0, 0) if place is None else _known(self._connection, place)
            rows = self._connection.rows(
                """
                SELECT sequence, feed.photo_id, path, missing
                FROM feed LEFT JOIN photos ON photos.id = feed.photo_id
                WHERE sequence > ? ORDER BY sequence LIMIT ?
                """,
                [sequence, limit + 1],
            )
            told = rows[:limit]
            if told:
                sequence, photo = told[-1][:2]
            # By the name of the present state: who asks often enough never loses the place.
            after = _place(self._connection, sequence, photo)
        changes = tuple(_change(photo, path, missing) for _, photo, path, missing in told)
        return Changes(changes, after, len(rows) > limit)

    def end(self) -> str:
        """The place after all changes so far."""
        with self._connection.snapshot():
            return last_place(self._connection)


def _change(photo_id: int, path: str | None, missing: int | None) -> Change:
    if path is None:
        return Change(photo_id, "dropped", None)
    return Change(photo_id, "missing" if missing else "here", text_to_path(path))


def _place(connection: Connection, sequence: int, photo: int) -> str:
    state = dict(
        connection.rows("SELECT key, value FROM state WHERE key IN ('generation', 'revision')")
    )
    return f"{sequence}-{photo}-{state['generation']}-{state['revision']}"


def _known(connection: Connection, place: str) -> tuple[int, int]:
    """Number and photo of the last change before `place`. Raises `UnknownPlaceError`."""
    match = _PLACE.fullmatch(place)
    if match is None:
        raise UnknownPlaceError
    sequence, photo, generation = (int(match[group]) for group in (1, 2, 3))
    names = connection.rows("SELECT revision FROM feed_states WHERE generation = ?", [generation])
    if names != [(match[4],)]:
        raise UnknownPlaceError
    # A change may be told of again later, but never undone; unless the file is an older copy.
    if sequence and not connection.rows(
        "SELECT 1 FROM feed WHERE photo_id = ? AND sequence >= ?", [photo, sequence]
    ):
        raise UnknownPlaceError
    return sequence, photo
