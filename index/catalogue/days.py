"""All photos by the days on which they were taken, and whereabouts that was."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from index.catalogue.browsing import NEWEST_FIRST
from index.catalogue.connection import Connection
from index.catalogue.records import Place

# Ids have so many bits; above them stands the rating, which is -1 of what is rejected.
_IDS = 48
# Whereabouts: to a tenth of a degree, some ten kilometres. Beside one max() SQLite takes the other
# columns from the row that has it.
_QUERY = f"""
    SELECT substr(taken_at, 1, 10), latitude, longitude, place, count(*),
        max((coalesce(rating, 0) + 1 << {_IDS}) + photo_id)
    FROM metadata JOIN photos ON photos.id = photo_id
    WHERE length(taken_at) >= 10 AND NOT missing
    GROUP BY 1, round(latitude, 1), round(longitude, 1), place
    ORDER BY 1
"""


@dataclass(frozen=True)
class Whereabouts:
    """Photos of one day, "2019-05-03", that were taken in one place, or do not say where.

    The position is that of one of them, in degrees north and east. `best` is the id of the one
    with the highest `rating`, 0 where none has any, and of these the one recorded last.
    """

    day: str
    latitude: float | None
    longitude: float | None
    place: Place | None
    count: int
    rating: int
    best: int


def whereabouts_of(connection: Connection) -> list[Whereabouts]:
    """Of all photos that are not missing and were taken on a known day, in order of the days."""
    return [
        Whereabouts(
            day,
            north,
            east,
            None if place is None else Place(**json.loads(place)),
            count,
            (best >> _IDS) - 1,
            best & (1 << _IDS) - 1,
        )
        for day, north, east, place, count, best in connection.rows(_QUERY)
    ]


_EVERY = f"""
    SELECT photos.id, coalesce(substr(taken_at, 1, 10), ''), coalesce(1.0 * width / height, 1),
        CASE WHEN length(taken_at) = 19 AND coalesce(taken_source, '') <> 'modified'
            THEN taken_at END,
        camera, place
    FROM photos LEFT JOIN metadata ON photo_id = photos.id
    WHERE NOT missing ORDER BY {NEWEST_FIRST}
"""
# A burst: so many photos of one camera, each within so many seconds of the one before.
_BURST, _SECONDS = 3, 1
_UNKNOWN = -1  # the camera of a photo that does not say
_ROWS = 16_384  # read at a time


@dataclass(frozen=True)
class Day:
    """A day on which photos were taken, how many, and the city and country of most of these.

    "2019-05-03", or "2019-05" and "2019" where no more is known, and "" for those without a date.
    """

    day: str
    photos: int
    city: str | None
    country: str | None


@dataclass(frozen=True)
class Days:
    """All photos that are not missing, the newest first, and those without a date last.

    `ids` int64 (n,) are the photos, and `ratios` float32 (n,) their widths by their heights.
    `bursts` are photos that were taken in one go: the place of the first among the ids, and how
    many they are.
    """

    days: list[Day]
    ids: NDArray[np.int64]
    ratios: NDArray[np.float32]
    bursts: list[tuple[int, int]]


def days_of(connection: Connection) -> Days:
    """A quarter of a second or so for 100,000 photos."""
    found: list[tuple[str, Counter[str | None]]] = []
    ids, ratios = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    moments, cameras = [np.empty(0, "datetime64[s]")], [np.empty(0, np.int64)]
    numbers: dict[str | None, int] = {None: _UNKNOWN}
    # Not all rows at once: of millions of photos they would take gigabytes.
    for rows in connection.batches(_EVERY, (), _ROWS):
        ids.append(np.array([row[0] for row in rows], np.int64))
        ratios.append(np.array([row[2] for row in rows], np.float32))
        moments.append(np.array([row[3] or "NaT" for row in rows], "datetime64[s]"))
        cameras.append(np.array([numbers.setdefault(row[4], len(numbers)) for row in rows]))
        for day, each in groupby(rows, lambda row: row[1]):
            if not found or found[-1][0] != day:
                found.append((day, Counter()))
            found[-1][1].update(row[5] for row in each)
    return Days(
        [_day(day, places) for day, places in found],
        np.concatenate(ids),
        np.concatenate(ratios),
        _bursts(np.concatenate(moments), np.concatenate(cameras)),
    )


def _day(day: str, places: Counter[str | None]) -> Day:
    ((most, _),) = places.most_common(1)
    place = json.loads(most) if most else {}
    return Day(day, places.total(), place.get("city"), place.get("country"))


def _bursts(moments: NDArray[np.datetime64], cameras: NDArray[np.int64]) -> list[tuple[int, int]]:
    # No comparison with NaT is true.
    near = np.abs(np.diff(moments)) <= np.timedelta64(_SECONDS, "s")
    same = (cameras[1:] == cameras[:-1]) & (cameras[1:] != _UNKNOWN)
    goes_on = np.concatenate([[False], near & same, [False]])
    edges = np.flatnonzero(np.diff(goes_on.astype(np.int8))).reshape(-1, 2)
    return [(int(a), int(b - a) + 1) for a, b in edges if b - a + 1 >= _BURST]
