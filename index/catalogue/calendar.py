"""All photos by their days, kept from one question to the next.

What changed meanwhile is read from the feed: of ten million photos all would take half a minute.
They are kept in parts, one for each month, so that a change moves the rows of that month alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from index.catalogue.browsing import PhotoGroup, key_of
from index.catalogue.connection import Connection
from index.catalogue.days import Day, Days
from index.catalogue.feed import changed_after, last_place
from index.paths import separator_of

_QUERY = """
    SELECT photos.id, coalesce(taken_at, ''), coalesce(1.0 * width / height, 1),
        length(taken_at) = 19 AND coalesce(taken_source, '') <> 'modified', camera, place,
        mtime_ns, path
    FROM photos LEFT JOIN metadata ON photo_id = photos.id WHERE NOT missing
"""
_AMONG = f"{_QUERY} AND photos.id IN (SELECT value FROM json_each(?))"
# Rows read at a time, and changes from which on it is quicker to read all.
_ROWS, _MANY = 16_384, 20_000
# A burst: so many photos of one camera, each within so many seconds of the one before.
_BURST, _SECONDS = 3, 1
_UNKNOWN = -1  # the camera, or the place, of a photo that does not say
# Where the digits of "2019-05-03T10:00:00" are, and what each counts; what is cut off counts 0.
_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
_WORTH = 10 ** np.arange(13, -1, -1, dtype=np.int64)
_MONTH, _FIRST_SECOND = 10**8, 1_000_000
# Beside the digits stands how long the text is, since "2019" comes before "2019-01".
_LENGTHS = 32
# Those without a date lie in parts by the date of their file, which come below all months.
_FILES, _PART = -(10**6), 30 * 86_400 * 10**9


@dataclass(frozen=True)
class _Rows:
    """Columns (n,): `keys` rise with the date, or without one with that of the file; `parts` are
    the month, or below 0; `exact` tells whether it is known to the second when they were taken, and
    not when they were worked on; `cameras`, `places` and `folders` are numbers.
    """

    ids: NDArray[np.int64]
    keys: NDArray[np.int64]
    parts: NDArray[np.int32]
    ratios: NDArray[np.float32]
    exact: NDArray[np.bool_]
    cameras: NDArray[np.int32]
    places: NDArray[np.int32]
    folders: NDArray[np.int32]

    @classmethod
    def joined(cls, several: Sequence[_Rows]) -> _Rows:
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(one, name) for one in several]) for name in names))

    def at(self, places: NDArray[np.int64] | NDArray[np.bool_] | slice) -> _Rows:
        return _Rows(*(getattr(self, name)[places] for name in self.__dataclass_fields__))

    def equals(self, other: _Rows) -> bool:
        names = self.__dataclass_fields__
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    def newest_first(self) -> _Rows:
        return self.at(np.lexsort((self.ids, self.keys, self.parts))[::-1])


# How many photos, and the newest of them.
_Counted = tuple[int, int]


@dataclass(frozen=True)
class _Part:
    """Photos of one month, newest first: their days with how many photos are where, by number;
    which photos go on from the one before in a burst; and how many have which place, camera and
    folder.
    """

    rows: _Rows
    days: list[tuple[str, Counter[int]]]
    goes_on: NDArray[np.bool_]
    counted: dict[str, dict[int, _Counted]]

    @classmethod
    def of(cls, rows: _Rows) -> _Part:
        """Of rows in order."""
        goes_on = np.zeros(len(rows.ids), np.bool_)
        goes_on[1:] = _go_on(rows.at(slice(None, -1)), rows.at(slice(1, None)))
        columns = {"place": rows.places, "camera": rows.cameras, "folder": rows.folders}
        counted = {by: _counted(column, rows.ids) for by, column in columns.items()}
        return cls(rows, list(_days_in(rows)), goes_on, counted)


class Calendar:
    """The days of one catalogue; some 40 bytes for each photo, once it was asked for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._edition: tuple[int, int] | None = None
        self._place: str | None = None
        self._days: Days | None = None
        self._parts: dict[int, _Part] = {}
        # In which part each photo is, by its id; 0 for none.
        self._part_of = np.empty(0, np.int32)
        self._cameras: dict[str | None, int] = {None: _UNKNOWN}
        self._places: dict[str | None, int] = {None: _UNKNOWN}
        self._folders: dict[str | None, int] = {}
        # Of days that stay as they are.
        self._told: dict[int, list[Day]] = {}

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

    def groups(self, by: Literal["month", "place", "camera", "folder"]) -> list[PhotoGroup]:
        """As `browsing.groups`."""
        self._renew()
        if by == "month":
            found = self._months()
            return [PhotoGroup(key, *found[key]) for key in sorted(found, reverse=True)]
        numbers = {"place": self._places, "camera": self._cameras, "folder": self._folders}[by]
        names = {number: text or "" for text, number in numbers.items()}
        counted: dict[str, _Counted] = {}
        for number in sorted(self._parts, reverse=True):
            part = self._parts[number]
            for each, (count, newest) in part.counted[by].items():
                before, cover = counted.get(names[each], (0, newest))
                counted[names[each]] = before + count, cover
        ordered = sorted(counted.items(), key=lambda one: (-one[1][0], one[0]))
        return [PhotoGroup(key_of(by, text), *told) for text, told in ordered]

    def _months(self) -> dict[str, _Counted]:
        months: dict[str, _Counted] = {}
        for number in sorted(self._parts, reverse=True):
            part = self._parts[number]
            key, newest = part.days[0][0][:7], int(part.rows.ids[0])
            before, cover = months.get(key, (0, newest))
            months[key] = before + len(part.rows.ids), cover
        return months

    def _renew(self) -> None:
        with self._connection.snapshot():
            edition = self._connection.edition
            if self._edition != edition:
                if self._renewed():
                    self._days = None
                self._edition = edition

    def _renewed(self) -> bool:
        """Whether anything is another than it was."""
        changed = changed_after(self._connection, self._place, _MANY)
        self._place = last_place(self._connection)
        if changed is not None:
            return self._change(np.array(changed, np.int64))
        rows_of_all = self._read(_QUERY, ()).newest_first()
        self._parts, self._told = {}, {}
        self._part_of = np.zeros(int(rows_of_all.ids.max(initial=-1)) + 1, np.int32)
        self._part_of[rows_of_all.ids] = rows_of_all.parts
        edges = np.flatnonzero(np.diff(rows_of_all.parts)) + 1
        for start, end in zip([0, *edges], [*edges, len(rows_of_all.ids)], strict=True):
            if end > start:
                one = rows_of_all.at(slice(start, end))
                self._parts[int(one.parts[0])] = _Part.of(one)
        return True

    def _change(self, ids: NDArray[np.int64]) -> bool:
        """Put these photos where they belong now, or leave them out; whether that is another place.

        Those that got stars or keywords stay as they are.
        """
        is_changed = False
        new = self._read(_AMONG, [json.dumps(ids.tolist())])
        larger = int(ids.max(initial=-1)) + 1 - len(self._part_of)
        if larger > 0:
            # By some more: the next photo has the next id.
            self._part_of = np.concatenate([self._part_of, np.zeros(larger + _ROWS, np.int32)])
        for part in set(self._part_of[ids].tolist()) | set(new.parts.tolist()):
            several = [new.at(new.parts == part)]
            if part in self._parts:
                known = self._parts[part].rows
                several.append(known.at(~np.isin(known.ids, ids)))
            rows = _Rows.joined(several).newest_first()
            if part in self._parts and rows.equals(self._parts[part].rows):
                continue
            is_changed = is_changed or part != 0
            self._parts.pop(part, None)
            self._told.pop(part, None)
            if len(rows.ids):
                self._parts[part] = _Part.of(rows)
        self._part_of[ids] = 0
        self._part_of[new.ids] = new.parts
        return is_changed

    def _read(self, query: str, parameters: Sequence[object]) -> _Rows:
        read = self._connection.batches(query, parameters, _ROWS)
        return _Rows.joined([self._columns([]), *map(self._columns, read)])

    def _columns(self, rows: Sequence[tuple[object, ...]]) -> _Rows:
        ids, taken, ratios, exact, cameras, places, files, paths = (
            zip(*rows, strict=True) if rows else ((),) * 8
        )
        digits, lengths = _numbers(taken)
        written = np.array(files, np.int64)
        is_dated = lengths > 0
        return _Rows(
            np.array(ids, np.int64),
            np.where(is_dated, digits * _LENGTHS + lengths, written),
            np.where(is_dated, digits // _MONTH + 1, _FILES + written // _PART).astype(np.int32),
            np.array(ratios, np.float32),
            np.array(exact, np.bool_),
            _numbered(cameras, self._cameras),
            _numbered(places, self._places),
            _numbered(map(_folder_of, paths), self._folders),
        )

    def _assembled(self) -> Days:
        numbers = sorted(self._parts, reverse=True)
        parts = [self._parts[number] for number in numbers]
        goes_on = [one.goes_on for one in parts]
        for place in range(1, len(parts)):
            last = parts[place - 1].rows.at(slice(-1, None))
            # A second before it is another month only where it is the first second of one.
            if int(last.keys[0]) // _LENGTHS % _MONTH != _FIRST_SECOND:
                continue
            if _go_on(last, parts[place].rows.at(slice(1)))[0]:
                goes_on[place] = goes_on[place].copy()
                goes_on[place][0] = True
        ids = np.concatenate([np.empty(0, np.int64), *(one.rows.ids for one in parts)])
        ratios = np.concatenate([np.empty(0, np.float32), *(one.rows.ratios for one in parts)])
        ids.flags.writeable = ratios.flags.writeable = False
        bursts = _bursts(np.concatenate([np.empty(0, np.bool_), *goes_on]))
        return Days(list(self._each_day(numbers)), ids, ratios, bursts)

    def _each_day(self, numbers: Sequence[int]) -> Iterator[Day]:
        # By number: there are many more photos than places.
        texts = {number: text for text, number in self._places.items()}
        undated: Counter[int] = Counter()
        for number in numbers:
            days = self._parts[number].days
            if number < 0:
                # They are one day in several parts.
                undated += days[0][1]
                continue
            if number not in self._told:
                self._told[number] = [_day(day, places, texts) for day, places in days]
            yield from self._told[number]
        if undated:
            yield _day("", undated, texts)


def _numbered(values: Iterable[str | None], known: dict[str | None, int]) -> NDArray[np.int32]:
    return np.array([known.setdefault(value, len(known)) for value in values], np.int32)


def _counted(values: NDArray[np.int32], ids: NDArray[np.int64]) -> dict[int, _Counted]:
    """How many photos have each value, and the first of these."""
    found, first, counts = np.unique(values, return_index=True, return_counts=True)
    told = zip(counts.tolist(), ids[first].tolist(), strict=True)
    return dict(zip(found.tolist(), told, strict=True))


def _folder_of(path: str) -> str:
    """With a separator at its end, as `folder_sql` has it."""
    return path[: path.rfind(separator_of(path)) + 1]


def _numbers(taken: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The digits of dates as one number each, as of 2019-05-03T10:00:00, and their lengths."""
    texts = np.array(taken, "S19")
    letters = texts.view(np.uint8).reshape(len(texts), 19)[:, _DIGITS].astype(np.int64)
    digits = np.where(letters > 0, letters - ord("0"), 0) @ _WORTH
    return digits, np.char.str_len(texts).astype(np.int64)


def _days_in(rows: _Rows) -> Iterator[tuple[str, Counter[int]]]:
    """The days of rows in order, each with the places of its photos."""
    if rows.parts[0] < 0:
        yield "", Counter(rows.places.tolist())
        return
    days, lengths = rows.keys // _LENGTHS // 10**6, np.minimum(rows.keys % _LENGTHS, 10)
    edges = np.flatnonzero((np.diff(days) != 0) | (np.diff(lengths) != 0)) + 1
    for start, end in zip([0, *edges], [*edges, len(days)], strict=True):
        digits = f"{days[start]:08}"
        text = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"[: lengths[start]]
        yield text, Counter(rows.places[start:end].tolist())


def _go_on(before: _Rows, after: _Rows) -> NDArray[np.bool_]:
    """Whether each photo goes on in a burst from the one before."""
    same: NDArray[np.bool_] = before.cameras == after.cameras
    same &= before.cameras != _UNKNOWN
    same &= before.exact & after.exact
    same[same] = np.abs(_seconds(before.at(same)) - _seconds(after.at(same))) <= _SECONDS
    return same


def _seconds(rows: _Rows) -> NDArray[np.int64]:
    """When photos were taken whose date is known to the second."""
    rest, parts = rows.keys // _LENGTHS, []
    for size in (100, 100, 100, 100, 100, 10_000):
        rest, part = np.divmod(rest, size)
        parts.append(part)
    second, minute, hour, day, month, year = parts
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def _bursts(goes_on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    padded = np.concatenate([goes_on, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)
    starts, counts = edges[:, 0], edges[:, 1] - edges[:, 0] + 1
    long = counts >= _BURST
    return list(zip(starts[long].tolist(), counts[long].tolist(), strict=True))


def _day(day: str, places: Counter[int], texts: dict[int, str | None]) -> Day:
    ((most, _),) = places.most_common(1)
    text = texts[most]
    place = json.loads(text) if text else {}
    return Day(day, places.total(), place.get("city"), place.get("country"))
