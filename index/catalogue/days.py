"""All photos by the days on which they were taken, and whereabouts that was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True)
class Day:
    """A day on which photos were taken, how many, and the city and country of most of these.

    "2019-05-03", or "2019-05" and "2019" where no more is known, and "" for those without a date.
    """

    day: str
    photos: int
    city: str | None
    country: str | None


@dataclass(frozen=True, eq=False)
class MonthOfDays:
    """The days of one month, the newest first, and its photos, as `Days` has them.

    While they stay as they are, it is the same object. Of photos without a date there are none of
    the days. A burst may go on in the month before.
    """

    days: list[Day]
    ids: NDArray[np.int64]
    ratios: NDArray[np.float32]
    bursts: NDArray[np.int64]


@dataclass(frozen=True)
class Days:
    """All photos that are not missing, the newest first, and those without a date last.

    They are in parts, the `months`; those without a date are the day `undated`, if any.
    """

    months: tuple[MonthOfDays, ...]
    undated: Day | None

    @cached_property
    def days(self) -> list[Day]:
        """All days, the newest first."""
        dated = [day for month in self.months for day in month.days]
        return dated if self.undated is None else [*dated, self.undated]

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """The photos (n,)."""
        return _fixed(np.empty(0, np.int64), *(month.ids for month in self.months))

    @cached_property
    def ratios(self) -> NDArray[np.float32]:
        """Their widths by their heights (n,)."""
        return _fixed(np.empty(0, np.float32), *(month.ratios for month in self.months))

    @property
    def firsts(self) -> list[int]:
        """The place of the first photo of each month among the ids."""
        return [0, *accumulate(len(month.ids) for month in self.months)][:-1]

    @cached_property
    def bursts(self) -> list[tuple[int, int]]:
        """Photos that were taken in one go: the place of the first, and how many they are."""
        every = zip(self.firsts, self.months, strict=True)
        return [
            (first + start, count)
            for first, month in every
            for start, count in month.bursts.tolist()
        ]


def _fixed(*parts: NDArray[Any]) -> NDArray[Any]:
    """The parts joined, which nobody can write to."""
    joined = np.concatenate(parts)
    joined.flags.writeable = False
    return joined
