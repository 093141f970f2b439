"""Albums and favourites. They live in the catalogue, and never touch a photo's file.

A photo is in an album by the hash of its bytes: it stays there when it is moved, forgotten and
indexed again, and its copies are in it too. When a photo is edited its new bytes take the place of
the old; a trigger sees to that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from index.catalogue.connection import Connection
from index.catalogue.functions import composed, same_name
from index.catalogue.recording import now
from index.catalogue.records import FAVOURITES as FAVOURITES


@dataclass(frozen=True)
class Album:
    """The favourites, whose name is empty, or an album that the user made."""

    id: int
    name: str


def albums(connection: Connection) -> list[Album]:
    """All albums, favourites first, the others in order of name."""
    rows = connection.rows("SELECT id, name FROM albums ORDER BY id <> ?, name", [FAVOURITES])
    return [Album(number, name) for number, name in rows]


def albums_of(connection: Connection, photo_ids: Iterable[int]) -> dict[int, list[int]]:
    """The albums that each of these photos is in; those that are in none are left out."""
    rows = connection.rows(
        "SELECT photos.id, album_id FROM photos JOIN contents ON contents.id = content_id "
        "JOIN album_photos USING (digest) "
        "WHERE photos.id IN (SELECT value FROM json_each(?)) ORDER BY 1, 2",
        [json.dumps([int(one) for one in photo_ids])],
    )
    found: dict[int, list[int]] = {}
    for photo, album in rows:
        found.setdefault(photo, []).append(album)
    return found


def make_album(connection: Connection, name: str) -> int:
    """The id of the album of this name, which is made when there is none."""
    name = composed(name)
    with connection.write() as db:
        for number, other in db.execute("SELECT id, name FROM albums"):
            if same_name(other, name):
                return int(number)
        made = db.execute("INSERT INTO albums (name, made_at) VALUES (?, ?)", [name, now()])
        return int(made.lastrowid or 0)


def rename_album(connection: Connection, album: int, name: str) -> bool:
    """Give an album another name; False when another one has it."""
    name = composed(name)
    with connection.write() as db:
        others = db.execute("SELECT name FROM albums WHERE id <> ?", [album])
        if album == FAVOURITES or any(same_name(other, name) for (other,) in others):
            return False
        return bool(db.execute("UPDATE albums SET name = ? WHERE id = ?", [name, album]).rowcount)


def drop_album(connection: Connection, album: int) -> None:
    """Drop an album; its photos stay. The favourites cannot be dropped."""
    with connection.write() as db:
        db.execute("DELETE FROM albums WHERE id = ? AND id <> ?", [album, FAVOURITES])


def put_into(connection: Connection, album: int, photo_ids: Sequence[int]) -> None:
    """Put photos into an album; those that are in it stay. No such album: nothing is done."""
    with connection.write() as db:
        db.execute(
            f"""
            INSERT OR IGNORE INTO album_photos (album_id, digest, added_at)
            SELECT ?, digest, ? FROM ({_DIGESTS}) WHERE ? IN (SELECT id FROM albums)
            """,
            [album, now(), _listed(photo_ids), album],
        )


def take_out(connection: Connection, album: int, photo_ids: Sequence[int]) -> None:
    """Take photos out of an album."""
    with connection.write() as db:
        db.execute(
            f"DELETE FROM album_photos WHERE album_id = ? AND digest IN ({_DIGESTS})",
            [album, _listed(photo_ids)],
        )


_DIGESTS = (
    "SELECT digest FROM photos JOIN contents ON contents.id = content_id "
    "WHERE digest IS NOT NULL AND photos.id IN (SELECT value FROM json_each(?))"
)


def _listed(photo_ids: Sequence[int]) -> str:
    return json.dumps([int(one) for one in photo_ids])
