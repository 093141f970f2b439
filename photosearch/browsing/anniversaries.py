"""Photos of this day in earlier years, or, where no photo is, of the days around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter

from index.catalogue.selection import Selection
from index.catalogue.taken import TakenPhoto

# Clocks that were never set may tell of years in which there was no photo yet.
_EARLIEST = 1826
# Days before and after this one that are looked at where it has no photos itself.
_AROUND = 3
# Photos that tell of a year, and the stars from which on one goes first.
_SHOWN = 3
_LIKED = 4


@dataclass(frozen=True)
class Anniversary:
    """Days so many `years` ago, from `first` to `last`, "2019-05-03", and all `count` photos then.

    `photos` are the ids of up to three, in the order of time: the favourites and the best rated,
    else some from all over the days; rejected ones and copies are left out.
    """

    years: int
    first: str
    last: str
    count: int
    photos: tuple[int, ...]


@dataclass(frozen=True)
class Anniversaries:
    """What was on this day in earlier years, the latest first; `around` it when that is nothing."""

    around: bool
    years: tuple[Anniversary, ...]


def find_anniversaries(selection: Selection, today: date) -> Anniversaries:
    """Of photos of which the day is known; those of a 29 February have theirs on the 28th as well,
    in years without one.
    """
    oldest = selection.first_year()
    if oldest is None:
        return Anniversaries(False, ())
    years = range(max(oldest - 1, _EARLIEST), today.year)
    for around in (False, True):
        days = {year: list(_days(today, year, around=around)) for year in reversed(years)}
        found = _found(selection, today.year, days)
        if found:
            return Anniversaries(around, found)
    return Anniversaries(False, ())


def _found(
    selection: Selection, this_year: int, days: dict[int, list[str]]
) -> tuple[Anniversary, ...]:
    taken = selection.taken_on({day for each in days.values() for day in each})
    photos = {day: list(each) for day, each in groupby(taken, attrgetter("day"))}
    found = []
    for year, each in days.items():
        there = [photo for day in each for photo in photos.get(day, ())]
        chosen = _chosen(there)
        if chosen:
            found.append(Anniversary(this_year - year, each[0], each[-1], len(there), chosen))
    return tuple(found)


def _days(today: date, year: int, *, around: bool) -> Iterator[str]:
    """The days of an earlier year that are remembered today, in order."""
    leap_day = (today.month, today.day) == (2, 29)
    if around:
        middle = today.replace(year=year, day=28) if leap_day else today.replace(year=year)
        for number in range(-_AROUND, _AROUND + 1):
            yield (middle + timedelta(number)).isoformat()
        return
    if not leap_day or _is_leap(year):
        yield today.replace(year=year).isoformat()
    if (today.month, today.day) == (2, 28) and _is_leap(year) and not _is_leap(today.year):
        yield f"{year}-02-29"


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _chosen(photos: Sequence[TakenPhoto]) -> tuple[int, ...]:
    """Ids of a few that tell most, in the order in which they are given."""
    each = {photo.content: photo for photo in photos if photo.rating >= 0}
    rest = list(each.values())
    liked = [one for one in rest if one.favourite or one.rating >= _LIKED]
    liked.sort(key=lambda one: (not one.favourite, -one.rating))
    chosen = set(liked[:_SHOWN])
    rest = [one for one in rest if one not in chosen]
    more = min(_SHOWN - len(chosen), len(rest))
    # From all over the days: the middle of each of so many parts.
    chosen.update(rest[(2 * number + 1) * len(rest) // (2 * more)] for number in range(more))
    return tuple(photo.id for photo in photos if photo in chosen)
