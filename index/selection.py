"""What a search reads of the catalogue."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.conditions import Condition, InPlace, query_of
from index.connection import Connection
from index.embedded import Batch, vectors_of
from index.functions import place_keys
from index.holding import Holding
from index.looks import looks_of
from index.records import Place


@dataclass(frozen=True)
class Moment:
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

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._holding = Holding(connection)

    @property
    def edition(self) -> tuple[int, int]:
        """Another whenever anything in the catalogue may have changed since it was last read."""
        return self._connection.edition

    def ids(self, conditions: Sequence[Condition]) -> NDArray[np.int64]:
        """Ids (n,), rising, of the photos that are not missing and for which all of these hold."""
        return self._holding.ids(conditions)

    def vectors(self, bundle_id: str, ids: Sequence[int]) -> Batch:
        """Ids, rising, and vectors (n, d) of those photos of `ids` that `bundle_id` has embedded.

        Also of photos that are missing. (0,) and (0, 0) when there are none.
        """
        return vectors_of(self._connection, bundle_id, ids)

    def taken(self, ids: Sequence[int]) -> dict[int, str]:
        """When the photos of `ids` were taken, ISO 8601; those that do not say are left out."""
        return dict(
            self._connection.rows(
                "SELECT photo_id, taken_at FROM metadata WHERE taken_at IS NOT NULL "
                "AND photo_id IN (SELECT value FROM json_each(?))",
                [json.dumps([int(photo_id) for photo_id in ids])],
            )
        )

    def sources(self, ids: Sequence[int]) -> dict[int, str]:
        """Where the dates of the photos of `ids` are from, as in `Metadata.taken_source`."""
        return dict(
            self._connection.rows(
                "SELECT photo_id, taken_source FROM metadata WHERE taken_source IS NOT NULL "
                "AND photo_id IN (SELECT value FROM json_each(?))",
                [json.dumps([int(photo_id) for photo_id in ids])],
            )
        )

    def changed(self, ids: Sequence[int]) -> dict[int, int]:
        """When the files of the photos of `ids` were changed last, in nanoseconds since 1970."""
        return dict(
            self._connection.rows(
                "SELECT id, mtime_ns FROM photos WHERE id IN (SELECT value FROM json_each(?))",
                [json.dumps([int(photo_id) for photo_id in ids])],
            )
        )

    def places(self) -> set[str]:
        """Keys of the names of all cities, regions and countries that photos were taken in."""
        names: set[str] = set()
        for text in self._connection.distinct("metadata", "place"):
            for name in filter(None, json.loads(text).values()):
                names |= place_keys(name)
        return names

    def centre(self, place: str, known: tuple[Place, ...] = ()) -> tuple[float, float] | None:
        """Degrees north and east of the middle of the photos taken in `place`, if there are any.

        `known` are places that are called so as well.
        """
        query, values = query_of(self._connection, InPlace(place, known))
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
