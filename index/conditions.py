"""Conditions on photos, and the queries that give the photos for which they hold.

    query_of(connection, InPlace("rome"))

Where a photo does not say what a condition asks about, the condition does not hold, and its `Not`
does.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

from index.connection import Connection
from index.functions import folded, place_key, place_keys
from index.paths import below_in_any_form, beyond_ascii, path_to_text
from index.readings import reading
from index.records import Place


@dataclass(frozen=True)
class Taken:
    """Taken from `start` on and before `end`: ISO 8601 dates or times; None is without bound.

    A date that is known less exactly has to lie between them as a whole: one of 1985 is not of
    July 1985. With `of_file` it is about the file's time of change, as this machine's clock had it,
    and only about photos that do not say when they were taken.
    """

    start: str | None
    end: str | None
    of_file: bool = False


@dataclass(frozen=True)
class TakenInMonth:
    """Taken in this month, 1 to 12, of any year; `of_file` as in `Taken`."""

    month: int
    of_file: bool = False


@dataclass(frozen=True)
class FileDated:
    """That do not say when they were taken, and so have no date but that of their file."""


@dataclass(frozen=True)
class TakenOnDays:
    """Taken from one day to another of any year, as in "12-24" to "12-26".

    Where the last comes before the first, it is that of the year after. `of_file` as in `Taken`.
    """

    first: str
    last: str
    of_file: bool = False


@dataclass(frozen=True)
class InPlace:
    """Taken in the city, region or country of this name, whatever its case, accents and hyphens.

    Or in one of the places `known` by it, as the catalogue names them; an empty part of a place
    may be anything.
    """

    name: str
    known: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Near:
    """Taken within so many kilometres of a point, in degrees north and east."""

    latitude: float
    longitude: float
    kilometres: float


@dataclass(frozen=True)
class Made:
    """Whose `camera` or `lens` has this text in its name, whatever its case."""

    by: str
    text: str


@dataclass(frozen=True)
class InFolder:
    """In this folder or below: an absolute path, or the name of one or more folders in a path."""

    folder: str


@dataclass(frozen=True)
class OfFormat:
    """Of one of these formats, as the catalogue names them: "JPEG"."""

    formats: tuple[str, ...]


@dataclass(frozen=True)
class Rated:
    """Rated from `least` to `most` stars; a photo without a rating has none, 0."""

    least: int
    most: int


@dataclass(frozen=True)
class Shaped:
    """As seen: "portrait", "landscape", "square", or "panorama".

    A panorama is twice as long as wide or more, and nothing else that is: screenshots of phones
    are, the ones that scroll even more, and films for the cinema. So an upright one has to say
    which camera took it, and one across has to be longer than a screen or say so too.
    """

    shape: str


@dataclass(frozen=True)
class Located:
    """That says where it was taken, in degrees."""


@dataclass(frozen=True)
class Saying:
    """With this text in its file name, caption or keywords, whatever its case and accents.

    Or with these words in the text that was read in it, of which letters may be misread.
    """

    text: str


@dataclass(frozen=True)
class Tagged:
    """With this keyword, whatever its case and accents; or with one below it, as "Places|Rome"."""

    keyword: str


@dataclass(frozen=True)
class Not:
    condition: Condition


@dataclass(frozen=True)
class Either:
    """For which one or more of these hold."""

    conditions: tuple[Condition, ...]


# Those that do not consist of others.
Simple: TypeAlias = (
    Taken
    | TakenInMonth
    | FileDated
    | TakenOnDays
    | InPlace
    | Near
    | Made
    | InFolder
    | OfFormat
    | Rated
    | Shaped
    | Located
    | Saying
    | Tagged
)
Condition: TypeAlias = Simple | Not | Either


# Letters of a text with which paths are compared at first; SQLite limits them to 50,000.
_LIKE = 200
_SHAPES = {
    "portrait": "height > width",
    "landscape": "width > height",
    "square": "width = height",
    # Few are so long, and an index tells which. No phone's screen is 2.4 times as long as wide, and
    # no film 2.8 times.
    "panorama": (
        "id IN (SELECT id FROM photos WHERE max(width, height) >= 2 * min(width, height)) AND "
        "CASE format WHEN 'VIDEO' THEN width >= 2.8 * height ELSE width >= 2.4 * height OR EXISTS "
        "(SELECT 1 FROM metadata WHERE photo_id = photos.id AND camera IS NOT NULL) END"
    ),
}


def query_of(connection: Connection, condition: Simple) -> tuple[str, list[Any]]:
    """A query, and its parameters, for the ids of the photos for which a condition holds.

    In no order; an id may come more than once, and that of a photo that is missing too. Indexes of
    the catalogue answer nearly all of them, without a look at the rows of photos and metadata.
    """
    metadata = "SELECT photo_id FROM metadata WHERE"
    match condition:
        case (
            Taken(of_file=True)
            | TakenInMonth(of_file=True)
            | TakenOnDays(of_file=True)
            | FileDated()
        ):
            return _of_file(condition)
        case Taken():
            sql, values = _between("taken_at", condition)
            return f"{metadata} {sql}", values
        case TakenInMonth(month):
            return f"{metadata} substr(taken_at, 6, 2) = ?", [f"{month:02d}"]
        case TakenOnDays():
            sql, values = _on_days("taken_at", condition)
            return f"{metadata} {sql}", values
        case InPlace():
            return _one_of(connection, "place", _in_place(condition))
        case Near():
            return _near(condition)
        case Made(by, text):
            if by not in ("camera", "lens"):
                raise ValueError(f"photos are made by a camera or a lens, not by {by!r}")
            wanted = folded(text)
            return _one_of(connection, by, lambda name: wanted in folded(name))
        case InFolder(folder):
            return _in_folder(folder)
        case OfFormat(formats):
            return f"SELECT id FROM photos WHERE format IN ({_marks(formats)})", list(formats)
        case Rated(least, most):
            if least <= 0 <= most:  # which a photo is of which nothing is known
                others = f"{metadata} rating < ? OR rating > ?"
                return f"SELECT id FROM photos WHERE id NOT IN ({others})", [least, most]
            return f"{metadata} rating BETWEEN ? AND ?", [least, most]
        case Shaped(shape):
            return f"SELECT id FROM photos WHERE {_SHAPES[shape]}", []
        case Located():
            return f"{metadata} latitude IS NOT NULL AND longitude IS NOT NULL", []
        case Saying(text):
            return _saying(connection, text)
        case Tagged(keyword):
            return _tagged(keyword)


def _between(moment: str, taken: Taken) -> tuple[str, list[Any]]:
    """That the date in the column `moment` lies in this time, as a whole."""
    sql = [f"{moment} IS NOT NULL"]
    values: list[Any] = []
    if taken.start is not None:
        # The first day of a year is also where a date begins that is no more than that year.
        start = taken.start.removesuffix("T00:00:00")
        for length in (10, 7):
            start = start.removesuffix("-01") if len(start) == length else start
        sql.append(f"{moment} >= ?")
        values.append(start)
    if taken.end is not None:
        # The year, month or day in which the time ends goes beyond it.
        sql.append(f"{moment} < ? AND {moment} NOT IN (?, ?, ?)")
        values += [taken.end, taken.end[:4], taken.end[:7], taken.end[:10]]
    return " AND ".join(sql), values


def _on_days(moment: str, taken: TakenOnDays) -> tuple[str, list[Any]]:
    """That the day of the date in the column `moment` is one of these."""
    day = f"substr({moment}, 6, 5)"
    joint = "AND" if taken.first <= taken.last else "OR"
    sql = f"length({day}) = 5 AND ({day} >= ? {joint} {day} <= ?)"
    return sql, [taken.first, taken.last]


# Local time, as everywhere.
_FILE_DATE = "strftime('%Y-%m-%dT%H:%M:%S', mtime_ns / 1000000000, 'unixepoch', 'localtime')"


def _of_file(
    condition: Taken | TakenInMonth | TakenOnDays | FileDated,
) -> tuple[str, list[Any]]:
    """About the date of files, of photos that have no other."""
    match condition:
        case Taken():
            sql, values = _between(_FILE_DATE, condition)
        case TakenInMonth(month):
            sql, values = f"substr({_FILE_DATE}, 6, 2) = ?", [f"{month:02d}"]
        case TakenOnDays():
            sql, values = _on_days(_FILE_DATE, condition)
        case FileDated():
            sql, values = "1", []
    return (
        "SELECT photos.id FROM photos LEFT JOIN metadata ON photo_id = photos.id "
        f"WHERE taken_at IS NULL AND {sql}",
        values,
    )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _one_of(
    connection: Connection, column: str, wanted: Callable[[str], bool]
) -> tuple[str, list[Any]]:
    """That `column` has a value which is `wanted`: there are few, so Python looks at each."""
    values = [value for value in connection.distinct("metadata", column) if wanted(value)]
    # As one parameter, because their number is limited.
    return (
        f"SELECT photo_id FROM metadata WHERE {column} IN (SELECT value FROM json_each(?))",
        [json.dumps(values, ensure_ascii=False)],
    )


def _in_place(wanted: InPlace) -> Callable[[str], bool]:
    """Whether a place, as the catalogue keeps it, is the one that is wanted."""
    key = place_key(wanted.name)
    known = {tuple(map(place_key, (one.city, one.region, one.country))) for one in wanted.known}

    def is_in(text: str) -> bool:
        place = Place(**json.loads(text))
        names = (place.city, place.region, place.country)
        if any(key in place_keys(name) for name in names if name):
            return True
        # Of a place known by its country alone the other names may be any.
        parts = product(*((place_key(name), "") for name in names)) if known else ()
        return any(part in known for part in parts)

    return is_in


def _near(near: Near) -> tuple[str, list[Any]]:
    """First by latitude, which needs no more than a comparison; a degree is 111 km or more."""
    band = near.kilometres / 110.5
    return (
        "SELECT photo_id FROM metadata WHERE latitude BETWEEN ? AND ? "
        "AND kilometres(latitude, longitude, ?, ?) <= ?",
        [
            near.latitude - band,
            near.latitude + band,
            near.latitude,
            near.longitude,
            near.kilometres,
        ],
    )


def _in_folder(folder: str) -> tuple[str, list[Any]]:
    if os.path.isabs(folder):
        sql, bounds = below_in_any_form(os.path.normpath(folder))
        return f"SELECT id FROM photos WHERE {sql}", list(bounds)
    # A part of the path: whole names of folders, so that "art" does not find "party".
    parts = path_to_text(folder.replace("\\", "/").strip("/"))
    sql, values = _paths(parts, "replace(path, '\\', '/')", f"/{parts}/")
    return sql, values


def _saying(connection: Connection, text: str) -> tuple[str, list[Any]]:
    # The name is what is left of a path when all up to its last separator is taken off.
    name = "replace(path, rtrim(path, replace(replace(path, '/', ''), '\\', '')), '')"
    named, values = _paths(text, name, text)
    like, pattern = _like(text)
    sql = (
        f"{named} UNION ALL SELECT photo_id FROM metadata "
        "WHERE (caption IS NOT NULL OR keywords <> '[]') AND ("
        f"(caption {like} OR {beyond_ascii('caption')}) "
        f"AND instr({_folded('caption')}, ?) > 0 OR keywords <> '[]' "
        # As JSON keywords are ASCII, with a backslash where they are not or have quotes in them.
        f"AND (keywords {like} OR instr(keywords, '\\') > 0) AND "
        f"EXISTS (SELECT 1 FROM json_each(keywords) WHERE instr({_folded('value')}, ?) > 0)) "
        "UNION ALL SELECT id FROM photos WHERE content_id IN (SELECT value FROM json_each(?))"
    )
    said = [pattern, folded(text)] * 2
    return sql, [*values, *said, json.dumps(reading(connection, text))]


def _tagged(keyword: str) -> tuple[str, list[Any]]:
    # With marks about it each level of a path looks alike, and so does a part of the path.
    held = f"instr('|' || {_folded('value')} || '|', ?) > 0"
    wanted = folded(keyword.strip())
    return (
        "SELECT photo_id FROM metadata WHERE keywords <> '[]' "
        "AND (caption IS NOT NULL OR keywords <> '[]') "
        f"AND EXISTS (SELECT 1 FROM json_each(keywords) WHERE {held} OR {held})",
        # Some write paths with slashes; they are in other keywords, too.
        [f"|{wanted}|", f"|{wanted.replace('/', '|')}|"],
    )


def _paths(text: str, part: str, wanted: str) -> tuple[str, list[Any]]:
    """Photos with `wanted` in a part of the path, where `text`, which is in that, has to be.

    SQLite's LIKE looks quickly for ASCII letters of either case, and says which paths to look at;
    paths that are not ASCII have an index of their own, and are all looked at.
    """
    holds = f"instr({_folded(part)}, ?) > 0"
    like, pattern = _like(text)
    return (
        f"SELECT id FROM photos WHERE path {like} AND {holds} UNION ALL "
        f"SELECT id FROM photos WHERE {beyond_ascii('path')} AND {holds}",
        [pattern, *[folded(wanted)] * 2],
    )


def _like(text: str) -> tuple[str, str]:
    """LIKE for ASCII texts that may have this one in them, whichever way slashes lean; its pattern.

    Only with a letter to escape, since SQLite then compares a third more slowly.
    """
    plain = folded(text)[:_LIKE]
    marked = re.sub(r"[%_!]", r"!\g<0>", plain)
    sql = "LIKE ?" if marked == plain else "LIKE ? ESCAPE '!'"
    return sql, f"%{marked.replace('/', '_')}%"


def _folded(text: str) -> str:
    """The SQL for a text folded: by SQLite itself where it is ASCII, which is far quicker."""
    return f"CASE WHEN {beyond_ascii(text)} THEN folded({text}) ELSE lower({text}) END"
