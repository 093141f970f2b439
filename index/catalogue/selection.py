"""What a search reads of the catalogue."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from index.catalogue.calendar import Calendar
from index.catalogue.conditions import Condition, InPlace
from index.catalogue.connection import Connection
from index.catalogue.dated import Dated
from index.catalogue.days import Days, Whereabouts, whereabouts_of
from index.catalogue.embedded import Batch, vectors_of
from index.catalogue.functions import place_keys
from index.catalogue.grouped import Grouped, GroupedBy
from index.catalogue.holding import Holding
from index.catalogue.looks import looks_of
from index.catalogue.naming import Names, names_of
from index.catalogue.people import FaceArea, KnownPerson, areas_of_people, known_people, people_of
from index.catalogue.records import Place
from index.catalogue.taken import TakenPhoto, first_year, taken_on
from index.catalogue.written_names import WrittenNames

if TYPE_CHECKING:
    from index.catalogue.faces import NamedFace


class Moment(Struct, frozen=True):
    """When a photo was taken, as exactly as is known, and where, in degrees and by city."""

    photo_id: int
    taken_at: str
    latitude: float | None
    longitude: float | None
    city: str | None


class Selection:
    """Photos by what is known of them; `Catalogue.selection`. Raises as the catalogue does.

    selection.ids([Taken("2021-05-01", "2021-06-01"), Not(InPlace("rome"))])
    """

    def __init__(self, connection: Connection, calendar: Calendar) -> None:
        self._connection, self._calendar = connection, calendar
        self._holding = Holding(connection)
        self._grouped = Grouped(connection)
        self._dated = Dated(connection)
        self._written = WrittenNames(connection)

    @property
    def edition(self) -> tuple[int, int]:
        """Another whenever anything in the catalogue may have changed since it was last read."""
        return self._connection.edition

    def ids(self, conditions: Sequence[Condition]) -> NDArray[np.int64]:
        """Ids (n,), rising, of the photos that are not missing and for which all of these hold."""
        return self._holding.ids(conditions)

    def present(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of `ids` (n,), in which each is once, that are not missing, rising."""
        return self._holding.present(ids)

    def count(self, condition: Condition, among: NDArray[np.int64]) -> int:
        """For how many photos of `among`, ids that are not missing, this holds."""
        return self._holding.count(condition, among)

    def counts(self, by: GroupedBy, among: NDArray[np.int64]) -> dict[str, int]:
        """How many photos of `among` have each value of what photos are grouped by.

        See `Grouped.counts`.
        """
        return self._grouped.counts(by, among)

    def vectors(self, bundle_id: str, ids: Sequence[int]) -> Batch:
        """Ids, rising, and vectors (n, d) of those photos of `ids` that `bundle_id` has embedded.

        Also of photos that are missing. (0,) and (0, 0) when there are none.
        """
        return vectors_of(self._connection, bundle_id, ids)

    def by_date(self, ids: NDArray[np.int64], *, oldest: bool) -> NDArray[np.int64]:
        """`ids` in the order of when they were taken.

        Those that do not say come last, by the date of their file. One of a year or a month comes
        where that begins.
        """
        return self._dated.order(ids, oldest=oldest)

    def places(self) -> set[str]:
        """Keys of the names of all cities, regions and countries that photos were taken in."""
        names: set[str] = set()
        for text in self._values("place"):
            for name in filter(None, json.loads(text).values()):
                names |= place_keys(name)
        return names

    def names(self) -> Names:
        """The names of what photos are known by beside places."""
        return names_of(self._connection, self._written, self._values("camera"))

    def refresh(self) -> None:
        """Bring up to date what is kept on disk of these names, so that no search has to."""
        self._written.read()

    def _values(self, by: Literal["place", "camera"]) -> list[str]:
        """Each of these once, as the catalogue has it."""
        if self._calendar.is_kept:
            return [one.key for one in self._calendar.groups(by) if one.key]
        return self._connection.distinct("metadata", by)

    def centre(self, place: str, known: tuple[Place, ...] = ()) -> tuple[float, float] | None:
        """Degrees north and east of the middle of the photos taken in `place`, if there are any.

        `known` are places that are called so as well.
        """
        query, values = InPlace(place, known).query(self._connection)
        points = self._connection.rows(
            f"SELECT latitude, longitude FROM metadata WHERE photo_id IN ({query}) "
            "AND latitude IS NOT NULL AND longitude IS NOT NULL",
            values,
        )
        if not points:
            return None
        # The mean on the sphere: that of the degrees would be wrong about the date line.
        angles = np.radians(np.array(points))
        north, east = angles[:, 0], angles[:, 1]
        x, y, z = (
            float(part.mean())
            for part in (np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north))
        )
        return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))

    def cities(self) -> list[tuple[str, float, float]]:
        """A point, in degrees north and east, in each city that photos were taken in."""
        rows = self._connection.rows(
            "SELECT place, latitude, longitude FROM metadata "
            "WHERE place IS NOT NULL AND latitude IS NOT NULL AND longitude IS NOT NULL "
            "GROUP BY place"
        )
        named = ((json.loads(place), north, east) for place, north, east in rows)
        points = {place.get("city"): (north, east) for place, north, east in named}
        return [(city, north, east) for city, (north, east) in points.items() if city]

    def southern(self) -> bool | None:
        """Whether most photos that say where they were taken are from south of the equator.

        None when there are none of these.
        """
        ((south, all_),) = self._connection.rows(
            "SELECT total(latitude < 0), count(*) FROM metadata WHERE latitude IS NOT NULL"
        )
        return south * 2 > all_ if all_ else None

    def contents(self, ids: Sequence[int]) -> dict[int, int]:
        """A number for the bytes of each photo of `ids`; copies have the same."""
        return dict(
            self._connection.rows(
                "SELECT id, content_id FROM photos WHERE id IN (SELECT value FROM json_each(?))",
                [json.dumps([int(photo_id) for photo_id in ids])],
            )
        )

    def moments(self, ids: Sequence[int]) -> dict[int, float]:
        """When photos of `ids` were taken, in seconds, where that is known to the second.

        When they were last worked on is left out: many are at once.
        """
        return dict(
            self._connection.rows(
                "SELECT photo_id, (julianday(taken_at) - 2440587.5) * 86400.0 FROM metadata "
                "WHERE length(taken_at) = 19 AND coalesce(taken_source, '') <> 'modified' "
                "AND photo_id IN (SELECT value FROM json_each(?))",
                [json.dumps([int(photo_id) for photo_id in ids])],
            )
        )

    def looks(self, ids: Sequence[int]) -> dict[int, bytes]:
        """How the photos of `ids` look, as was recorded; those that tell nothing are left out."""
        return looks_of(self._connection, ids)

    def cameras(self, ids: Sequence[int]) -> dict[int, str]:
        """What camera took each photo of `ids`; those that do not say are left out."""
        return dict(
            self._connection.rows(
                "SELECT photo_id, camera FROM metadata WHERE camera IS NOT NULL "
                "AND photo_id IN (SELECT value FROM json_each(?))",
                [json.dumps([int(photo_id) for photo_id in ids])],
            )
        )

    def timeline(self) -> list[Moment]:
        """When and where each photo was taken that says when and is not missing, in that order."""
        return [
            Moment(*row)
            for row in self._connection.rows(
                "SELECT photo_id, taken_at, latitude, longitude, json_extract(place, '$.city') "
                "FROM metadata JOIN photos ON photos.id = photo_id "
                "WHERE taken_at IS NOT NULL AND NOT missing ORDER BY taken_at, photo_id"
            )
        ]

    def days(self) -> Days:
        """All photos that are not missing by the days on which they were taken, newest first."""
        return self._calendar.days()

    def taken_on(self, days: Iterable[str]) -> list[TakenPhoto]:
        """Photos, not missing, that were taken on one of these days "2019-05-03", in that order."""
        return taken_on(self._connection, days)

    def first_year(self) -> int | None:
        """The year in which the oldest photo was taken; None where no photo says when."""
        return first_year(self._connection)

    def people(self) -> list[KnownPerson]:
        """All who are in photos, or of whom the user said something, in order of name."""
        return known_people(self._connection)

    def people_of(self, photo_id: int) -> list[KnownPerson]:
        """Who is in a photo, in order of name."""
        return people_of(self._connection, photo_id)

    def areas(self) -> dict[str, dict[int, FaceArea]]:
        """By the keys of names, where the faces with that name are, by the ids of the photos."""
        return areas_of_people(self._connection)

    def faces_of(self, photo_id: int) -> list[NamedFace]:
        """The faces that were found in a photo."""
        from index.catalogue.faces import faces_of

        return faces_of(self._connection, photo_id)

    def whereabouts(self) -> list[Whereabouts]:
        """On which days photos were taken, and where, in order of the days; none is missing."""
        return whereabouts_of(self._connection)

    def copies(self) -> list[list[int]]:
        """Ids of the photos, not missing, that have the same bytes as another one, together."""
        together: dict[int, list[int]] = {}
        for content, photo in self._connection.rows(
            "SELECT content_id, id FROM photos WHERE NOT missing AND content_id IN ("
            "SELECT content_id FROM photos JOIN contents ON contents.id = content_id "
            "WHERE NOT missing AND digest IS NOT NULL GROUP BY content_id HAVING count(*) > 1"
            ") ORDER BY id"
        ):
            together.setdefault(content, []).append(photo)
        return list(together.values())
