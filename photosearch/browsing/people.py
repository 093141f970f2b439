"""Who is in the photos of a library, and which photo stands for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index import Region
from index.catalogue.functions import place_key
from index.catalogue.people import FaceArea
from index.catalogue.selection import Selection


@dataclass(frozen=True)
class Person:
    """Somebody by name, in `count` photos; `names` are all by which they go.

    `cover` is the id of the newest photo in which their face has a place, the fewer others in it
    the better; where none has, of the newest that shows nobody else, or of the newest of all. It is
    None of somebody in no photo. `area` is that place: left, top, width and height in parts of the
    upright picture.

    `above` are the groups that they are in, the largest first. Who is `hidden` is only found by
    name.
    """

    name: str
    count: int
    cover: int | None
    names: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    hidden: bool = False
    area: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class PersonSeen:
    """Somebody in a photo; `name` is "" of a face of which nobody has said whose it is.

    `area` is where the face is: left, top, width and height in parts of the upright picture; None
    where that is not known. `found` tells that it was found here, and not by another program; then
    `face` is its number.
    """

    name: str
    area: tuple[float, float, float, float] | None = None
    found: bool = False
    face: int | None = None


@dataclass(frozen=True)
class _Place:
    """Where a face is, by whomever that was said."""

    region: Region
    face: int | None = None

    @property
    def seen(self) -> PersonSeen:
        one = self.region
        area = None if self.face is not None and not one.width else _area(one)
        return PersonSeen(one.name, area, self.face is not None, self.face)


def people_seen(
    selection: Selection, photo_id: int, regions: Sequence[Region]
) -> tuple[PersonSeen, ...]:
    """Who is in a photo, in order of name, and then the faces without one.

    A face that was found here as well as outlined by another program counts once. Nobody counts
    twice in a video, nor do faces in frames of it that nobody knows.
    """
    faces = selection.faces_of(photo_id)
    found = [_Place(Region(one.name, *(one.area or (0, 0, 0, 0))), one.id) for one in faces]
    known = [one for one in found if one.region.name]
    known.sort(key=lambda one: one.region.width > 0)
    outlined = [one for one in map(_Place, regions) if not _is_among(one, known)]
    # What was found here goes before what another program outlined elsewhere by the same name.
    named = [one for one in outlined if one.region.name] + known
    nobody = [one for one in found if not one.region.name and one.region.width]
    nobody = [one for one in nobody if not _is_among(one, named)]
    # Of a face that nobody knows rather what was found here, which can be given a name.
    nobody += [one for one in outlined if not one.region.name and not _is_among(one, nobody)]
    left = {place_key(one.region.name): one for one in named}
    seen = []
    for one in selection.people_of(photo_id):
        theirs = [left.pop(key) for key in map(place_key, one.names) if key in left]
        theirs.sort(key=lambda place: place.face is None)
        seen.append(replace(theirs[0].seen, name=one.name) if theirs else PersonSeen(one.name))
    return (*seen, *(replace(one.seen, name="") for one in (*left.values(), *nobody)))


def _is_among(one: _Place, others: Sequence[_Place]) -> bool:
    return any(_same_place(one, other) for other in others)


def _same_place(one: _Place, other: _Place) -> bool:
    """Whether two outlines are of one face: the middle of the smaller lies in the other.

    Programs outline faces more or less tightly.
    """
    both = one.region, other.region
    small, large = sorted(both, key=lambda each: each.width * each.height)
    if not small.width:
        return False
    x, y = small.left + small.width / 2, small.top + small.height / 2
    return (
        large.left <= x <= large.left + large.width and large.top <= y <= large.top + large.height
    )


def _area(one: Region) -> tuple[float, float, float, float]:
    return one.left, one.top, one.width, one.height


def find_people(selection: Selection) -> list[Person]:
    """Those who are in most photos first; photos that are missing do not count."""
    people = selection.people()
    photos = [selection.present(one.ids) for one in people]
    shown = np.bincount(np.concatenate([np.empty(0, np.int64), *photos]))
    outlined = selection.areas()
    found = []
    for one, ids in zip(people, photos, strict=True):
        placed: dict[int, FaceArea] = {}
        for key in map(place_key, one.names):
            placed |= outlined.get(key, {})
        within = ids[np.isin(ids, list(placed))] if placed else ids[:0]
        cover = _cover(selection, within if len(within) else ids, shown)
        area = placed.get(cover) if cover is not None else None
        found.append(Person(one.name, len(ids), cover, one.names, one.above, one.hidden, area=area))
    return sorted(found, key=lambda one: (-one.count, one.name))


def _cover(selection: Selection, ids: NDArray[np.int64], shown: NDArray[np.int64]) -> int | None:
    """The newest of the photos with fewest people."""
    if not len(ids):
        return None
    fewest = ids[shown[ids] == shown[ids].min()]
    return int(selection.by_date(fewest, oldest=False)[0])
