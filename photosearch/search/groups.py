"""Hits by the day, or by the event, on which they were taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

from index.catalogue.functions import kilometres
from index.catalogue.selection import Moment, Selection

Grouping: TypeAlias = Literal["day", "event"]
GROUPINGS: tuple[Grouping, ...] = ("day", "event")

# An event ends where nothing was taken for so long, or what comes next was taken so far away.
PAUSE_HOURS = 6
FAR_KILOMETRES = 50.0
# Characters of a date that is known to the day.
_DAY = 10


@dataclass(frozen=True)
class HitGroup:
    """A day or an event. `start` and `end` are the first and last moment of its photos.

    `key` tells it from others, and is "" for the photos without a date; then start and end are
    None. `place` is the city in which most of them were taken, if that is known.
    """

    key: str
    start: str | None = None
    end: str | None = None
    place: str | None = None

    @property
    def title(self) -> str:
        """The days, and the place: "2021-05-03 to 2021-05-05, Rome"."""
        if self.start is None or self.end is None:
            return ""
        first, last = self.start[:10], self.end[:10]
        days = first if first == last else f"{first} to {last}"
        return f"{days}, {self.place}" if self.place else days


class Groups:
    """The days or events of a whole library, whatever is searched for."""

    def __init__(self, selection: Selection, by: Grouping) -> None:
        moments = selection.timeline()
        self._of: dict[int, HitGroup] = {}
        # Photos known only by month or year have no day, and are grouped by that.
        exact = [moment for moment in moments if len(moment.taken_at) >= _DAY]
        vague = [moment for moment in moments if len(moment.taken_at) < _DAY]
        for each in (_days(exact) if by == "day" else _events(exact)) + _days(vague):
            cities = Counter(moment.city for moment in each if moment.city)
            start, end = each[0].taken_at, each[-1].taken_at
            place = cities.most_common(1)[0][0] if cities else None
            group = HitGroup(start[:10] if by == "day" else start, start, end, place)
            self._of.update((moment.photo_id, group) for moment in each)

    def of(self, photo_id: int) -> HitGroup:
        return self._of.get(photo_id, _UNDATED)


_UNDATED = HitGroup("")


def _days(moments: Sequence[Moment]) -> list[list[Moment]]:
    return _cut(moments, [a.taken_at[:10] != b.taken_at[:10] for a, b in _pairs(moments)])


def _events(moments: Sequence[Moment]) -> list[list[Moment]]:
    times = np.array([moment.taken_at for moment in moments], "datetime64[s]")
    paused = (np.diff(times) > np.timedelta64(PAUSE_HOURS, "h")).tolist()
    pairs = _pairs(moments)
    return _cut(moments, [stop or _far(*pair) for stop, pair in zip(paused, pairs, strict=True)])


def _far(one: Moment, other: Moment) -> bool:
    degrees = (one.latitude, one.longitude, other.latitude, other.longitude)
    known = [value for value in degrees if value is not None]
    return len(known) == 4 and kilometres(*known) > FAR_KILOMETRES


def _pairs(moments: Sequence[Moment]) -> list[tuple[Moment, Moment]]:
    return list(pairwise(moments))


def _cut(moments: Sequence[Moment], ends: Sequence[bool]) -> list[list[Moment]]:
    parts: list[list[Moment]] = []
    for number, moment in enumerate(moments):
        if number == 0 or ends[number - 1]:
            parts.append([])
        parts[-1].append(moment)
    return parts
