"""All photos by their days, kept from one question to the next.

What changed meanwhile is read from the feed: of ten million photos all would take half a minute.
They are kept in parts, one for each month, so that a change moves the rows of that month alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from index.catalogue.album_members import AlbumMembers
from index.catalogue.browsing import BrowseBy, PhotoGroup, album_of
from index.catalogue.connection import Connection
from index.catalogue.days import Days, MonthOfDays
from index.catalogue.feed import changed_after, last_place
from index.catalogue.months import Counted, Part, Reader, day_of
from index.catalogue.totals import Totals
from index.paths import path_to_text, start_below

# Changes from which on it is quicker to read all, and ids for which there is room beyond the last.
_MANY, _MORE = 20_000, 16_384
# Whether its newest photos go on in the month after, and how many of the month before do in it.
_Told = tuple[bool, int, MonthOfDays]


class Calendar:
    """The days of one catalogue; some 40 bytes for each photo, once it was asked for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._edition: tuple[int, int] | None = None
        self._place: str | None = None
        self._days: Days | None = None
        self._parts: dict[int, Part] = {}
        # In which part each photo is, by its id; 0 for none.
        self._part_of = np.empty(0, np.int32)
        self._reader = Reader(connection)
        # What was told of them, for as long as they stay as they are.
        self._told: dict[int, _Told] = {}
        self._totals: dict[BrowseBy, Totals] = {}
        self._members_of = AlbumMembers(connection)
        self._albums: dict[int, PhotoGroup | None] = {}

    @property
    def is_kept(self) -> bool:
        """Whether it was asked for before, and what it is asked for now costs little."""
        return self._edition is not None

    def days(self) -> Days:
        """All photos that are not missing; nobody can write to the arrays."""
        self._renew()
        if self._days is None:
            self._days = self._assembled()
        return self._days

    def groups(self, by: BrowseBy) -> list[PhotoGroup]:
        """As `browsing.groups`."""
        self._renew(by)
        if by == "album":
            every = [told for told in self._albums.values() if told is not None]
            return sorted(every, key=lambda one: (-one.count, int(one.key)))
        if by == "month":
            found = self._months()
            return [PhotoGroup(key, *found[key]) for key in sorted(found, reverse=True)]
        if by not in self._totals:
            self._totals[by] = Totals(by, self._numbers(by), self._parts)
        return self._totals[by].groups()

    def members(self, by: BrowseBy | None, key: str, offset: int, limit: int) -> list[int]:
        """As `browsing.members`."""
        self._renew(by)
        found: list[int] = []
        for ids in self._members(by, key):
            found += ids[offset : offset + limit - len(found)].tolist()
            offset = max(0, offset - len(ids))
            if len(found) >= limit:
                break
        return found

    def _members(self, by: BrowseBy | None, key: str) -> Iterator[NDArray[np.int64]]:
        """The photos of a group, month by month, newest first."""
        months = sorted(self._parts, reverse=True)
        if by == "album":
            yield from self._in_order(self._members_of.of(album_of(key)))
        elif by in (None, "month"):
            every = (self._parts[month] for month in months)
            yield from (one.rows.ids for one in every if by is None or _month_of(one) == key)
        else:
            wanted = self._wanted(by, key)
            for part in (self._parts[month] for month in months):
                if any(number in part.counted[by] for number in wanted):
                    yield part.rows.ids[np.isin(part.rows.columns[by], wanted)]

    def _in_order(self, ids: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Those of these photos that are there, month by month, newest first."""
        months = self._part_of[ids[ids < len(self._part_of)]]
        for month in np.unique(months)[::-1].tolist():
            if month:
                part = self._parts[month].rows.ids
                yield part[np.isin(part, ids[: len(months)][months == month])]

    def _count_album(self, album: int) -> PhotoGroup | None:
        """None where no photo of it is there."""
        ids = self._members_of.of(album)
        months = self._part_of[ids[ids < len(self._part_of)]]
        there = months != 0
        count = int(np.count_nonzero(there))
        if not count:
            return None
        newest = int(months[there].max())
        part = self._parts[newest].rows.ids
        cover = part[np.isin(part, ids[: len(months)][months == newest]).argmax()]
        return PhotoGroup(str(album), count, int(cover))

    def _wanted(self, by: BrowseBy, key: str) -> list[int]:
        """The numbers of what is called so."""
        if key and by == "folder":
            key = path_to_text(start_below(key))
        return [number for text, number in self._numbers(by).items() if (text or "") == key]

    def _numbers(self, by: BrowseBy) -> dict[str | None, int]:
        read = self._reader
        return {"place": read.places, "camera": read.cameras, "folder": read.folders}[by]

    def _months(self) -> dict[str, Counted]:
        months: dict[str, Counted] = {}
        for number in sorted(self._parts, reverse=True):
            part = self._parts[number]
            key, newest = _month_of(part), int(part.rows.ids[0])
            before, cover = months.get(key, (0, newest))
            months[key] = before + len(part.rows.ids), cover
        return months

    def _renew(self, by: BrowseBy | None = None) -> None:
        """Read what changed; what is in albums, only where that is asked for."""
        with self._connection.snapshot():
            edition = self._connection.edition
            if self._edition != edition:
                if self._renewed():
                    self._days = None
                # Not before: what fails is to be done again.
                self._place, self._edition = last_place(self._connection), edition
            if by == "album":
                for album in self._members_of.renew():
                    self._albums[album] = self._count_album(album)

    def _renewed(self) -> bool:
        """Whether anything is another than it was."""
        changed = changed_after(self._connection, self._place, _MANY)
        if changed is not None:
            return self._change(np.array(changed, np.int64))
        rows_of_all = self._reader.read().newest_first()
        self._parts, self._told, self._totals = {}, {}, {}
        self._part_of = np.zeros(int(rows_of_all.ids.max(initial=-1)) + 1, np.int32)
        self._part_of[rows_of_all.ids] = rows_of_all.parts
        edges = np.flatnonzero(np.diff(rows_of_all.parts)) + 1
        for start, end in zip([0, *edges], [*edges, len(rows_of_all.ids)], strict=True):
            if end > start:
                # By themselves: a month that changes is not to keep the memory of all others.
                one = rows_of_all.at(slice(start, end)).copied()
                self._parts[int(one.parts[0])] = Part.of(one)
        return True

    def _change(self, ids: NDArray[np.int64]) -> bool:
        """Put these photos where they belong now, or leave them out; whether that is another place.

        Those that got stars or keywords stay as they are.
        """
        new = self._reader.read(ids.tolist())
        larger = int(ids.max(initial=-1)) + 1 - len(self._part_of)
        if larger > 0:
            # By some more: the next photo has the next id.
            self._part_of = np.concatenate([self._part_of, np.zeros(larger + _MORE, np.int32)])
        changed: list[tuple[Part | None, Part | None]] = []
        for number in set(self._part_of[ids].tolist()) | set(new.parts.tolist()):
            added, before = new.at(new.parts == number), self._parts.get(number)
            rows = added.newest_first() if before is None else before.rows.changed(ids, added)
            if len(rows.ids) == 0 if before is None else rows.equals(before.rows):
                continue
            after = Part.of(rows) if len(rows.ids) else None
            changed.append((before, after))
            self._told.pop(number, None)
            self._parts.pop(number, None)
            if after is not None:
                self._parts[number] = after
        self._part_of[ids] = 0
        self._part_of[new.ids] = new.parts
        for totals in self._totals.values():
            totals.change(self._parts, changed)
        return bool(changed)

    def _assembled(self) -> Days:
        numbers = sorted(self._parts, reverse=True)
        parts = [self._parts[number] for number in numbers]
        goes_on = [one.goes_on_in(before) for one, before in pairwise(parts)]
        months = []
        more = 0
        for place in range(len(parts) - 1, -1, -1):
            part, is_begun = parts[place], place > 0 and goes_on[place - 1]
            told = self._told.get(numbers[place])
            if told is None or told[:2] != (is_begun, more):
                told = is_begun, more, self._month(part, is_begun, more)
                self._told[numbers[place]] = told
            months.append(told[2])
            if is_begun:
                more = part.begins + (more if part.begins == len(part.rows.ids) else 0)
            else:
                more = 0
        undated: Counter[int] = Counter()
        for number, part in zip(numbers, parts, strict=True):
            if number < 0:
                # They are one day in several parts.
                undated += part.days[0][1]
        return Days(tuple(months[::-1]), day_of("", undated, self._texts()) if undated else None)

    def _month(self, part: Part, is_begun: bool, more: int) -> MonthOfDays:
        texts = self._texts()
        days = [day_of(day, places, texts) for day, places in part.days if day]
        return MonthOfDays(days, part.rows.ids, part.rows.ratios, part.bursts(is_begun, more))

    def _texts(self) -> dict[int, str | None]:
        # By number: there are many more photos than places.
        return {number: text for text, number in self._reader.places.items()}


def _month_of(part: Part) -> str:
    """ "2021-05", "2021" where no more is known, or "" of photos without a date."""
    return part.days[0][0][:7]
