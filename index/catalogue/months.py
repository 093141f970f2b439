"""Photos of one month, in columns of numbers: in which days, places and bursts they are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.catalogue.connection import Connection
from index.catalogue.days import Day
from index.paths import separator_of

_QUERY = """
    SELECT photos.id, coalesce(taken_at, ''), coalesce(1.0 * width / height, 1),
        length(taken_at) = 19 AND coalesce(taken_source, '') <> 'modified', camera, place,
        mtime_ns, path
    FROM photos LEFT JOIN metadata ON photo_id = photos.id WHERE NOT missing
"""
_AMONG = f"{_QUERY} AND photos.id IN (SELECT value FROM json_each(?))"
# Rows read at a time; and so few are put among others without ordering all anew.
_ROWS, _FEW = 16_384, 100
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


# How many photos, and the newest of them.
Counted = tuple[int, int]


@dataclass(frozen=True)
class Rows:
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
    def joined(cls, several: Sequence[Rows]) -> Rows:
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(one, name) for one in several]) for name in names))

    def at(self, places: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Rows:
        return Rows(*(getattr(self, name)[places] for name in self.__dataclass_fields__))

    def copied(self) -> Rows:
        return Rows(*(getattr(self, name).copy() for name in self.__dataclass_fields__))

    def equals(self, other: Rows) -> bool:
        names = self.__dataclass_fields__
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    @property
    def columns(self) -> dict[str, NDArray[np.int32]]:
        """What photos are grouped by, beside months."""
        return {"place": self.places, "camera": self.cameras, "folder": self.folders}

    def newest_first(self) -> Rows:
        return self.at(np.lexsort((self.ids, self.keys, self.parts))[::-1])

    def changed(self, ids: NDArray[np.int64], added: Rows) -> Rows:
        """Those of one part, newest first, without the photos of `ids` and with what is `added`."""
        kept = self.at(~np.isin(self.ids, ids))
        if len(added.ids) > _FEW:
            return Rows.joined([kept, added]).newest_first()
        added = added.newest_first()
        # All but the few are in order already. Those of one date are in order of their ids.
        falling = -kept.keys
        starts, ends = (np.searchsorted(falling, -added.keys, side) for side in ("left", "right"))
        places = [
            start + int(np.searchsorted(-kept.ids[start:end], -photo))
            for start, end, photo in zip(starts, ends, added.ids, strict=True)
        ]
        names = self.__dataclass_fields__
        return Rows(
            *(np.insert(getattr(kept, name), places, getattr(added, name)) for name in names)
        )


@dataclass(frozen=True)
class Part:
    """Photos of one month, newest first: their days with how many photos are where, by number;
    where those begin that were taken in one go, and how many they are, two or more; and how many
    photos have which place, camera and folder.
    """

    rows: Rows
    days: list[tuple[str, Counter[int]]]
    runs: NDArray[np.int64]
    counted: dict[str, dict[int, Counted]]

    @classmethod
    def of(cls, rows: Rows) -> Part:
        """Of rows in order."""
        rows.ids.flags.writeable = rows.ratios.flags.writeable = False
        goes_on = np.zeros(len(rows.ids), np.bool_)
        goes_on[1:] = _go_on(rows.at(slice(None, -1)), rows.at(slice(1, None)))
        counted = {by: _counted(column, rows.ids) for by, column in rows.columns.items()}
        return cls(rows, list(_days_in(rows)), _runs(goes_on), counted)

    @property
    def begins(self) -> int:
        """How many photos were taken in one go with the newest one, which is one of them."""
        first = self.runs[:1]
        return int(first[0, 1]) if len(first) and first[0, 0] == 0 else 1

    def goes_on_in(self, before: Part) -> bool:
        """Whether its oldest photo was taken in one go with the newest of the month before."""
        last = self.rows.at(slice(-1, None))
        # A second before it is another month only where it is the first second of one.
        if int(last.keys[0]) // _LENGTHS % _MONTH != _FIRST_SECOND:
            return False
        return bool(_go_on(last, before.rows.at(slice(1)))[0])

    def bursts(self, goes_on: bool, more: int) -> NDArray[np.int64]:
        """Where bursts begin (n, 2), and how many photos they have.

        With `goes_on` its newest photos belong to one of the month after, which has them. `more`
        photos of the month before were taken in one go with its oldest.
        """
        runs, count = self.runs, len(self.rows.ids)
        if goes_on:
            runs = runs[int(self.begins > 1) :]
        if more and not (goes_on and self.begins == count):
            runs = runs.copy()
            if len(runs) and runs[-1].sum() == count:
                runs[-1, 1] += more
            else:
                runs = np.concatenate([runs, [[count - 1, 1 + more]]])
        return runs[runs[:, 1] >= _BURST]


class Reader:
    """Reads rows, and gives the texts in them numbers: of cameras, places and folders."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.cameras: dict[str | None, int] = {None: _UNKNOWN}
        self.places: dict[str | None, int] = {None: _UNKNOWN}
        self.folders: dict[str | None, int] = {}

    def read(self, ids: Sequence[int] | None = None) -> Rows:
        """Of all photos that are not missing, or of these, in no order."""
        query, parameters = (_QUERY, []) if ids is None else (_AMONG, [json.dumps(ids)])
        read = self._connection.batches(query, parameters, _ROWS)
        return Rows.joined([self._columns([]), *map(self._columns, read)])

    def _columns(self, rows: Sequence[tuple[object, ...]]) -> Rows:
        ids, taken, ratios, exact, cameras, places, files, paths = (
            zip(*rows, strict=True) if rows else ((),) * 8
        )
        keys, is_dated = date_keys(taken, np.array(files, np.int64))
        return Rows(
            np.array(ids, np.int64),
            keys,
            np.where(is_dated, keys // _LENGTHS // _MONTH + 1, _FILES + keys // _PART).astype(
                np.int32
            ),
            np.array(ratios, np.float32),
            np.array(exact, np.bool_),
            _numbered(cameras, self.cameras),
            _numbered(places, self.places),
            _numbered(map(_folder_of, paths), self.folders),
        )


def _numbered(values: Iterable[str | None], known: dict[str | None, int]) -> NDArray[np.int32]:
    return np.array([known.setdefault(value, len(known)) for value in values], np.int32)


def _folder_of(path: str) -> str:
    """With a separator at its end, as `folder_sql` has it."""
    return path[: path.rfind(separator_of(path)) + 1]


def date_keys(
    taken: Sequence[str] | NDArray[np.bytes_], files: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Numbers that rise with the dates, or, where there is none, with those of the files; and
    which have a date.
    """
    digits, lengths = _numbers(taken)
    is_dated = lengths > 0
    return np.where(is_dated, digits * _LENGTHS + lengths, files), is_dated


def _numbers(
    taken: Sequence[str] | NDArray[np.bytes_],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The digits of dates as one number each, as of 2019-05-03T10:00:00, and their lengths."""
    texts = np.array(taken, "S19")
    letters = texts.view(np.uint8).reshape(len(texts), 19)[:, _DIGITS].astype(np.int64)
    digits = np.where(letters > 0, letters - ord("0"), 0) @ _WORTH
    return digits, np.char.str_len(texts).astype(np.int64)


def _counted(values: NDArray[np.int32], ids: NDArray[np.int64]) -> dict[int, Counted]:
    """How many photos have each value, none below -1, and the first of these."""
    shifted = values + 1
    counts = np.bincount(shifted)
    first = np.zeros(len(counts), np.int64)
    first[shifted[::-1]] = ids[::-1]
    some = np.flatnonzero(counts)
    told = zip(counts[some].tolist(), first[some].tolist(), strict=True)
    return dict(zip((some - 1).tolist(), told, strict=True))


def _days_in(rows: Rows) -> Iterator[tuple[str, Counter[int]]]:
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


def _go_on(before: Rows, after: Rows) -> NDArray[np.bool_]:
    """Whether each photo goes on in a burst from the one before."""
    same: NDArray[np.bool_] = before.cameras == after.cameras
    same &= before.cameras != _UNKNOWN
    same &= before.exact & after.exact
    same[same] = np.abs(_seconds(before.at(same)) - _seconds(after.at(same))) <= _SECONDS
    return same


def _seconds(rows: Rows) -> NDArray[np.int64]:
    """When photos were taken whose date is known to the second."""
    rest, parts = rows.keys // _LENGTHS, []
    for size in (100, 100, 100, 100, 100, 10_000):
        rest, part = np.divmod(rest, size)
        parts.append(part)
    second, minute, hour, day, month, year = parts
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def _runs(goes_on: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where photos begin that go on from one another (n, 2), and how many they are."""
    padded = np.concatenate([goes_on, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)
    return np.stack([edges[:, 0], edges[:, 1] - edges[:, 0] + 1], axis=1)


def day_of(day: str, places: Counter[int], texts: dict[int, str | None]) -> Day:
    ((most, _),) = places.most_common(1)
    text = texts[most]
    place = json.loads(text) if text else {}
    return Day(day, places.total(), place.get("city"), place.get("country"))
