"""Who is in photos, by the names that other programs wrote and by what the user says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.catalogue.connection import Connection
from index.catalogue.functions import place_key
from index.catalogue.own_people import OwnPerson, own_people
from index.catalogue.people_in_files import Found, PeopleInFiles

# Left, top, width and height, in parts of the upright picture.
FaceArea: TypeAlias = tuple[float, float, float, float]


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


def _known(connection: Connection) -> list[KnownPerson]:
    with connection.snapshot():
        found, own = _found(connection), own_people(connection)
    people = [_joined(one, found) for one in own]
    taken = {key for one in own for key in one.names}
    people += [
        KnownPerson(one.name, (one.name,), one.above, ids=one.ids)
        for key, one in found.items()
        if key not in taken
    ]
    return sorted(people, key=lambda one: (place_key(one.name), one.name))


def _found(connection: Connection) -> dict[str, Found]:
    """Those of the files and of faces that have a name, by the keys of their names."""
    found, named = connection.lasting("people in files", PeopleInFiles).read()
    named_faces = _of_faces(
        connection,
        "SELECT name, group_concat(DISTINCT photos.id) FROM face_groups "
        "JOIN faces ON group_id = face_groups.id JOIN photos USING (content_id) "
        "WHERE name IS NOT NULL GROUP BY 1",
    )
    for name, ids in named_faces:
        key = place_key(name)
        one = found.get(key, Found(name))
        found[key] = replace(one, ids=np.union1d(one.ids, np.fromstring(ids, np.int64, sep=",")))
        named.add(key)
    groups = {place_key(level) for one in found.values() for level in one.above}
    # A group that is a keyword of its own in some photos is nobody, unless it was named as such.
    return {key: one for key, one in found.items() if key not in groups or key in named}


def _joined(own: OwnPerson, found: Mapping[str, Found]) -> KnownPerson:
    """Somebody of whom the user said something, with all that the files have under their names."""
    theirs = [found[key] for key in own.names if key in found]
    above = next((one.above for one in theirs if one.above), ())
    if own.above is not None:
        above = tuple(own.above.split("|")) if own.above else ()
    ids = np.unique(np.concatenate([np.empty(0, np.int64), *(one.ids for one in theirs)]))
    names = dict.fromkeys((own.name, *own.names.values()))
    return KnownPerson(own.name, tuple(names), above, own.hidden, ids)
