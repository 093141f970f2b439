"""Trips: days in a row that somebody spent away from home, by when and where photos were taken.

Home is not asked for. It is where photos were taken in the most months of the year around, so that
a move is followed, and a long journey with more photos than all other months is none. A place with
half as many months, at work or at grandmother's, is home as well.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from index import Place
from index.catalogue.days import Whereabouts

# Kilometres from home from which on a day is spent away.
AWAY = 100.0
# What lies within so many kilometres is one place, such as a city and its suburbs.
_AROUND = 25.0
# Months before and after, by which the home of a month is found, and in how many of them photos
# have to be taken in a place for it to be home.
_YEAR = 6
_LIVED = 3
# Days without photos of which it is known where they were taken, between two days of one trip.
_GAP = 3
# Fewer days are an outing, and fewer photos a mistake of a camera, or a change of aeroplanes.
_DAYS = 2
_PHOTOS = 4
# Shares of a trip's photos: of each place that it is named by, and of all of them together.
_NAMED = 0.2
_TOLD = 0.5
_NAMES = 3

_EARTH = 6371.0


@dataclass(frozen=True)
class Trip:
    """Days away from home, from `first` to `last`, "2019-05-03", and all `count` photos of them.

    `places` are one to three that most of them were taken in, the most photographed first, or none
    where no name is known: cities, or else regions, which have no city, or countries, which have
    neither. `cover` is the id of the best rated photo, or of one of the day and place with most.
    """

    first: str
    last: str
    places: tuple[Place, ...]
    count: int
    cover: int


def find_trips(whereabouts: Sequence[Whereabouts]) -> list[Trip]:
    """The trips of a library, oldest first; `whereabouts` are in order of the days.

    There are none where home is not known: positions are missing, or photos were taken in no place
    in three months of a year.
    """
    known = [one for one in whereabouts if one.latitude is not None and one.longitude is not None]
    if not known:
        return []
    points = _on_sphere(np.array([(one.latitude, one.longitude) for one in known]))
    months = np.array([_month(one.day) for one in known])
    homes = _homes(points, months)
    if not homes:
        return []
    at_home = np.zeros(len(known), bool)
    for month in np.unique(months):
        of_month = months == month
        nearest = min(homes, key=lambda one: abs(one - month))
        near = points[of_month] @ homes[nearest].T
        at_home[of_month] = (near > np.cos(AWAY / _EARTH)).any(axis=1)
    away: dict[str, list[Whereabouts]] = defaultdict(list)
    there: Counter[str] = Counter()
    for one, home in zip(known, at_home, strict=True):
        there[one.day] += one.count if home else -one.count
        if not home:
            away[one.day].append(one)
    counts: Counter[str] = Counter()
    for one in whereabouts:
        counts[one.day] += one.count
    return [
        _trip([one for day in days for one in away[day]], counts)
        for days in _stretches(there)
        if len(days) >= _DAYS and sum(one.count for day in days for one in away[day]) >= _PHOTOS
    ]


def _homes(
    points: NDArray[np.float64], months: NDArray[np.int64]
) -> dict[int, NDArray[np.float64]]:
    """The points (n, 3) that are home in each month in which photos were taken and it is known."""
    cells, of_cell = np.unique(np.round(points, 3), axis=0, return_inverse=True)
    cells /= np.linalg.norm(cells, axis=1, keepdims=True)
    of_cell = of_cell.reshape(-1)
    present = np.unique(months)
    lived = np.zeros((len(cells), len(present)), np.int64)  # days, or parts of them
    np.add.at(lived, (of_cell, np.searchsorted(present, months)), 1)
    found: dict[int, NDArray[np.float64]] = {}
    for month in present:
        year = lived[:, np.abs(present - month) <= _YEAR]
        # Those in which photos were taken most often; the others are no home.
        often = np.lexsort((year.sum(axis=1), (year > 0).sum(axis=1)))[::-1][:32]
        often = often[year[often].any(axis=1)]
        around = (cells[often] @ cells.T > np.cos(_AROUND / _EARTH)).astype(np.int64)
        stays = (around @ year > 0).sum(axis=1)
        enough = max(_LIVED, stays.max() / 2)
        if (stays >= enough).any():
            found[int(month)] = cells[often[stays >= enough]]
    return found


def _stretches(there: Counter[str]) -> Iterable[list[str]]:
    """Days in a row on which fewer photos were taken at home than away, with gaps of some days.

    `there` has for each day how many more were taken at home.
    """
    days: list[str] = []
    for day in sorted(there):
        home = there[day] >= 0
        if days and (home or _days_between(days[-1], day) > _GAP + 1):
            yield days
            days = []
        if not home:
            days.append(day)
    if days:
        yield days


def _trip(parts: list[Whereabouts], counts: Counter[str]) -> Trip:
    first, last = parts[0].day, parts[-1].day
    days = (
        (date.fromisoformat(first) + timedelta(number)).isoformat()
        for number in range(_days_between(first, last) + 1)
    )
    places = _names(parts)
    cover = max(parts, key=lambda one: (one.rating, one.place in places, one.count))
    return Trip(first, last, places, sum(counts[day] for day in days), cover.best)


def _names(parts: list[Whereabouts]) -> tuple[Place, ...]:
    """The cities that tell where most photos were taken; else the regions, or the countries."""
    every = [(one.place, one.count) for one in parts if one.place is not None]
    total = sum(count for _, count in every)
    counted: Counter[Place] = Counter()
    for part in (_city, _region, _country):
        counted.clear()
        for place, count in every:
            counted[part(place)] += count
        most = [each for each in counted.most_common(_NAMES) if each[1] >= _NAMED * total]
        if sum(count for _, count in most) >= _TOLD * total:
            return tuple(place for place, _ in most)
    return tuple(place for place, _ in counted.most_common(_NAMES))


def _city(place: Place) -> Place:
    return place


def _region(place: Place) -> Place:
    return Place("", place.region, place.country)


def _country(place: Place) -> Place:
    return Place("", "", place.country)


def _on_sphere(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, 3) at distance 1 from the centre, of degrees north and east (n, 2)."""
    north, east = np.radians(degrees).T
    return np.stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1
    )


def _month(day: str) -> int:
    return int(day[:4]) * 12 + int(day[5:7])


def _days_between(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days
