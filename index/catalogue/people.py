"""Who is in photos, by the names that other programs wrote and by what the user says of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.catalogue.connection import Connection
from index.catalogue.functions import folded, place_key
from index.catalogue.own_people import OwnPerson, own_people

# Left, top, width and height, in parts of the upright picture.
FaceArea: TypeAlias = tuple[float, float, float, float]

# The levels above people in paths of keywords, as programs call them.
_ABOVE = frozenset(
    {
        *("people", "person", "persons", "faces", "family", "who"),
        *("personen", "leute", "gesichter", "familie"),
        *("personnes", "visages", "famille", "personas", "gente", "caras", "familia"),
        *("persone", "volti", "famiglia", "pessoas"),
    }
)
# What digiKam keeps there for faces of which nobody knows whose they are.
_NOBODY = frozenset({"unknown", "unconfirmed", "ignored"})


@dataclass(frozen=True)
class KnownPerson:
    """Somebody in photos, by the name that is shown.

    `names` are all by which they go: as files have them, and those that the user gave. `above` are
    the groups that they are in, the largest first. `ids` (n,) are those of the photos, in no order;
    some may be missing.
    """

    name: str
    names: tuple[str, ...]
    above: tuple[str, ...] = ()
    hidden: bool = False
    ids: NDArray[np.int64] = field(
        default_factory=lambda: np.empty(0, np.int64), compare=False, repr=False
    )


def people_in(keywords: Iterable[str], people: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Who is named as such, or stands below "People" in paths of keywords; in which groups.

    One who is named, but whose name is not among the keywords any more, was taken off the photo. A
    path that others go on from is a group: "People|Family" beside "People|Family|Anna".
    """
    words = list(keywords)
    there = {folded(word) for word in words}
    found: dict[str, tuple[str, ...]] = {name: () for name in people if folded(name) in there}
    levels = [
        [level.strip() for level in re.split(r"[|/\\]", word) if level.strip()] for word in words
    ]
    paths = [path for path in levels if len(path) > 1 and folded(path[0]) in _ABOVE]
    groups = {tuple(path[:end]) for path in paths for end in range(2, len(path))}
    for path in paths:
        if tuple(path) not in groups and folded(path[-1]) not in _NOBODY:
            found[path[-1]] = tuple(path[1:-1]) or found.get(path[-1], ())
    return found


def known_people(connection: Connection) -> list[KnownPerson]:
    """All who are in photos or of whom the user said something, in order of name.

    Names that differ in case, accents and signs alone are one, written as in the first of them.
    """
    return connection.once("people", _known)


def photos_by_person(connection: Connection) -> dict[str, NDArray[np.int64]]:
    """Ids (n,), in no order, of the photos that each person is in, by name."""
    return {one.name: one.ids for one in known_people(connection) if len(one.ids)}


def people_of(connection: Connection, photo_id: int) -> list[KnownPerson]:
    """Who is in a photo."""
    return [one for one in known_people(connection) if photo_id in one.ids]


def called(people: Iterable[KnownPerson], name: str) -> list[KnownPerson]:
    """Those who are called so, whatever the case and accents.

    Where nobody is, those in the group of this name, or else all with these words in theirs.
    """
    wanted, every = place_key(name), list(people)
    if not wanted:
        return []
    return (
        [one for one in every if wanted in map(place_key, one.names)]
        or [one for one in every if wanted in map(place_key, one.above)]
        or [one for one in every if any(f" {wanted} " in f" {place_key(n)} " for n in one.names)]
    )


def counted_people(connection: Connection) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids (n,), rising, of the photos with anybody in them, and how many (n,) these are.

    There are as many as have a name, or as there are faces, named or not, whichever is more: who is
    named without a place may well be the face without a name. So it is with the faces that were
    found by us, and those that others outlined.
    """
    named = np.concatenate([np.empty(0, np.int64), *(one.ids for one in known_people(connection))])
    faces = np.array(
        connection.rows(
            "SELECT photo_id, json_array_length(regions) FROM metadata WHERE regions <> '[]'"
        ),
        np.int64,
    ).reshape(-1, 2)
    counted = "SELECT photos.id, count(*) FROM faces JOIN photos USING (content_id) GROUP BY 1"
    found = np.array(_of_faces(connection, counted), np.int64).reshape(-1, 2)
    most = max(int(faces[:, 0].max(initial=-1)), int(found[:, 0].max(initial=-1)))
    counts = np.bincount(named, minlength=most + 1)
    for several in (faces, found):
        counts[several[:, 0]] = np.maximum(counts[several[:, 0]], several[:, 1])
    ids = np.flatnonzero(counts)
    return ids, counts[ids]


def areas_of_people(connection: Connection) -> dict[str, dict[int, FaceArea]]:
    """By the keys of names, where the faces with that name are, by the ids of the photos."""
    rows = connection.rows(
        "SELECT json_extract(value, '$.name'), photo_id, json_extract(value, '$.left'), "
        "json_extract(value, '$.top'), json_extract(value, '$.width'), "
        "json_extract(value, '$.height') FROM metadata, json_each(regions) WHERE regions <> '[]'"
    )
    rows += _of_faces(
        connection,
        "SELECT name, photos.id, x, y, faces.width, faces.height FROM faces "
        "JOIN photos USING (content_id) JOIN face_groups ON group_id = face_groups.id "
        "WHERE name IS NOT NULL AND seconds IS NULL",
    )
    by_name: dict[str, dict[int, FaceArea]] = {}
    for name, photo, *area in rows:
        by_name.setdefault(name, {})[photo] = (area[0], area[1], area[2], area[3])
    areas: dict[str, dict[int, FaceArea]] = {}
    for name, placed in by_name.items():
        if name:
            areas.setdefault(place_key(name), {}).update(placed)
    return areas


def _of_faces(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    """What is known of faces, where it may be told."""
    return connection.rows(query) if connection.shows_faces else []


@dataclass
class _Found:
    """Somebody of the files."""

    name: str
    above: tuple[str, ...] = ()
    ids: list[str] = field(default_factory=list)


def _known(connection: Connection) -> list[KnownPerson]:
    with connection.snapshot():
        found, own = _found(connection), own_people(connection)
    people = [_joined(one, found) for one in own]
    taken = {key for one in own for key in one.names}
    people += [
        KnownPerson(one.name, (one.name,), one.above, ids=_numbers(one.ids))
        for key, one in found.items()
        if key not in taken
    ]
    return sorted(people, key=lambda one: (place_key(one.name), one.name))


def _found(connection: Connection) -> dict[str, _Found]:
    """Those of the files, by the keys of their names."""
    rows = connection.rows(
        "SELECT people, keywords, group_concat(photo_id) FROM metadata "
        "WHERE (caption IS NOT NULL OR keywords <> '[]') AND keywords <> '[]' "
        "AND (people <> '[]' OR instr(keywords, '|') OR instr(keywords, '/') "
        "OR instr(keywords, '\\')) GROUP BY 1, 2"
    )
    found: dict[str, _Found] = {}
    for people, keywords, ids in rows:
        there = people_in(json.loads(keywords), json.loads(people))
        for key, name in {place_key(one): one for one in sorted(there)}.items():
            if not key:
                continue
            one = found.setdefault(key, _Found(name))
            one.above = one.above or there[name]
            one.ids.append(ids)
    named_faces = _of_faces(
        connection,
        "SELECT name, group_concat(DISTINCT photos.id) FROM face_groups "
        "JOIN faces ON group_id = face_groups.id JOIN photos USING (content_id) "
        "WHERE name IS NOT NULL GROUP BY 1",
    )
    for name, ids in named_faces:
        found.setdefault(place_key(name), _Found(name)).ids.append(ids)
    groups = {place_key(level) for one in found.values() for level in one.above}
    # A group that is a keyword of its own in some photos is nobody, unless it was named as such.
    named = {place_key(name) for people, _, _ in rows for name in json.loads(people)}
    named |= {place_key(name) for name, _ in named_faces}
    return {key: one for key, one in found.items() if key not in groups or key in named}


def _joined(own: OwnPerson, found: Mapping[str, _Found]) -> KnownPerson:
    """Somebody of whom the user said something, with all that the files have under their names."""
    theirs = [found[key] for key in own.names if key in found]
    above = next((one.above for one in theirs if one.above), ())
    if own.above is not None:
        above = tuple(own.above.split("|")) if own.above else ()
    ids = _numbers(part for one in theirs for part in one.ids)
    names = dict.fromkeys((own.name, *own.names.values()))
    return KnownPerson(own.name, tuple(names), above, own.hidden, ids)


def _numbers(ids: Iterable[str]) -> NDArray[np.int64]:
    """The numbers in texts, each once."""
    numbers = np.sort(np.fromstring(",".join(ids), np.int64, sep=","))
    return numbers[np.diff(numbers, prepend=-1) > 0]
