"""Photos to look through without a query: by month, place, folder, camera or album."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from index.catalogue.connection import Connection
from index.paths import folder_sql, path_to_text, separator_of, start_below, text_to_path

BrowseBy: TypeAlias = Literal["month", "place", "folder", "camera", "album"]
KINDS: tuple[BrowseBy, ...] = ("month", "place", "folder", "camera", "album")

_FROM = "photos LEFT JOIN metadata ON metadata.photo_id = photos.id"
# In this order: there are fewer photos in albums than others.
_IN_ALBUMS = (
    "album_photos CROSS JOIN contents USING (digest) "
    "CROSS JOIN photos ON content_id = contents.id "
    "LEFT JOIN metadata ON metadata.photo_id = photos.id"
)
# Newest first, as everywhere; photos without a date come last, by the date of their file. One known
# only by its year or month stands at the beginning of that.
NEWEST_FIRST = (
    "taken_at IS NULL, taken_at DESC, CASE WHEN taken_at IS NULL THEN mtime_ns END DESC, "
    "photos.id DESC"
)


@dataclass(frozen=True)
class PhotoGroup:
    """Photos that have something in common: `key` names it, and is empty where that is unknown.

    A key is a month "2021-05", or a year "1985" of which the month is not known, a folder's path, a
    camera, the id of an album, or a place as JSON.
    `cover` is the id of its newest photo.
    """

    key: str
    count: int
    cover: int


def groups(connection: Connection, by: BrowseBy) -> list[PhotoGroup]:
    """The groups that photos fall into; months newest first, others the largest first."""
    column, source = _column(by)
    order = "1 DESC" if by == "month" else "2 DESC, 1"
    rows = connection.rows(
        f"""
        SELECT coalesce({column}, ''), count(*), max(coalesce(taken_at, '') || ' ' || photos.id)
        FROM {source} WHERE NOT missing GROUP BY 1 ORDER BY {order}
        """
    )
    return [
        PhotoGroup(key_of(by, key), count, int(last.rpartition(" ")[2]))
        for key, count, last in rows
    ]


def keyword_groups(connection: Connection) -> list[PhotoGroup]:
    """Photos by each of their keywords, the largest group first."""
    rows = connection.rows(
        """
        SELECT value, count(*), max(coalesce(taken_at, '') || ' ' || photos.id)
        FROM metadata JOIN photos ON photos.id = photo_id, json_each(keywords)
        WHERE NOT missing AND (caption IS NOT NULL OR keywords <> '[]') AND keywords <> '[]'
        GROUP BY 1 ORDER BY 2 DESC, 1
        """
    )
    return [PhotoGroup(str(key), count, int(last.rpartition(" ")[2])) for key, count, last in rows]


def members(
    connection: Connection, by: BrowseBy | None, key: str, *, offset: int, limit: int
) -> list[int]:
    """Ids of a part of a group's photos, or of all photos, newest first."""
    values: Sequence[Any] = ()
    if by is None:
        source, condition = _FROM, "1"
    else:
        column, source = _column(by)
        condition, values = _is(by, column, key)
    rows = connection.rows(
        f"SELECT photos.id FROM {source} WHERE NOT missing AND {condition} "
        f"ORDER BY {NEWEST_FIRST} LIMIT ? OFFSET ?",
        [*values, limit, offset],
    )
    return [row[0] for row in rows]


def place_key(city: str, region: str, country: str) -> str:
    """The key of a place's group."""
    return json.dumps({"city": city, "region": region, "country": country})


def _column(by: BrowseBy) -> tuple[str, str]:
    """What photos are grouped by, in SQL, and the tables that have it."""
    match by:
        case "month":
            return "substr(taken_at, 1, 7)", _FROM
        case "folder":
            return folder_sql(), _FROM
        case "album":
            return "album_id", _IN_ALBUMS
        case "place" | "camera":
            return by, _FROM


def _is(by: BrowseBy, column: str, key: str) -> tuple[str, Sequence[Any]]:
    if not key:
        return f"coalesce({column}, '') = ''", []
    if by == "folder":
        return f"{column} = ?", [path_to_text(start_below(key))]
    if by == "album":
        return f"{column} = ?", [album_of(key)]
    return f"{column} = ?", [key]


def album_of(key: str) -> int:
    """The id of an album by the key of its group, or one that none has."""
    # Longer ones are no ids that SQLite has.
    return int(key) if key.isascii() and key.isdecimal() and len(key) < 19 else -1


def key_of(by: BrowseBy, value: object) -> str:
    """The key of a group by what its photos have in common, as the catalogue has it."""
    if by == "folder":
        path = text_to_path(str(value))
        return path.rstrip(separator_of(path)) or path
    return str(value)
