"""For which photos conditions hold."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from index.catalogue.conditions import Condition, Either, Every, Not, Taken
from index.catalogue.conditions.condition import Simple, Sql
from index.catalogue.connection import Connection
from index.catalogue.feed import changed_after, last_place

# Whether something holds for a photo, by its id.
Bits = NDArray[np.bool_]

# Conditions whose photos are kept: people change the words of a search, and page, more often than
# the filters beside it.
_KEPT = 32
# The ids for so many searches are kept as well: of millions of photos making them takes longer than
# the search that is limited to them.
_KEPT_IDS = 3
# Changes from which on it is quicker to read all.
_MANY = 20_000
# Of very many photos fewer conditions are kept: these bytes of them, and yet so many.
_KEPT_BYTES, _FEWEST = 1 << 27, 4
# Ids at a time for which there is room: the next photo has the next id.
_ROOM = 1 << 16

_THERE: Sql = ("SELECT id FROM photos WHERE NOT missing", [])


@dataclass(frozen=True)
class _Held:
    """What a query gave, and the place in the feed and the edition at which it did."""

    sql: Sql
    bits: Bits
    place: str
    edition: tuple[int, int]


class Holding:
    """Looks up each condition once, and then only for the photos that changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._there: _Held | None = None
        self._kept: OrderedDict[Simple, _Held] = OrderedDict()
        self._kept_ids: OrderedDict[tuple[Condition, ...], NDArray[np.int64]] = OrderedDict()

    def ids(self, conditions: Sequence[Condition]) -> NDArray[np.int64]:
        """Ids (n,), rising, of the photos that are not missing and for which all of these hold.

        Nobody can write to them, and the next search under these conditions gets the same array.
        """
        every = tuple(conditions)
        with self._connection.snapshot():
            present = self._present()
            if every not in self._kept_ids:
                held = [self._bits(condition, len(present)) for condition in every]
                ids = np.flatnonzero(reduce(np.logical_and, held, present))
                ids.flags.writeable = False
                self._kept_ids[every] = ids
        self._kept_ids.move_to_end(every)
        if len(self._kept_ids) > _KEPT_IDS:
            self._kept_ids.popitem(last=False)
        return self._kept_ids[every]

    def present(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of `ids`, each once, that are of photos which are not missing, rising."""
        with self._connection.snapshot():
            present = self._present()
        known = ids[ids < len(present)]
        return np.sort(known[present[known]])

    def count(self, condition: Condition, among: NDArray[np.int64]) -> int:
        """For how many photos of `among`, ids of photos that are not missing, this holds."""
        with self._connection.snapshot():
            bits = self._bits(condition, len(self._present()))
        return int(np.count_nonzero(bits[among[among < len(bits)]]))

    def _present(self) -> Bits:
        """Which photos are there."""
        known, edition = self._there, self._connection.edition
        if known is None or known.edition != edition:
            self._kept_ids.clear()
            known = self._there = self._read(_THERE, known)
        return known.bits

    def _bits(self, condition: Condition, size: int) -> Bits:
        """For which photos up to an id it holds."""
        match condition:
            case Not(inner):
                return ~self._bits(inner, size)
            case Either(conditions):
                nothing = np.zeros(size, np.bool_)
                return reduce(np.logical_or, (self._bits(one, size) for one in conditions), nothing)
            case Every(conditions):
                return reduce(np.logical_and, (self._bits(one, size) for one in conditions))
            case Taken() if len(parts := _between_years(condition)) > 1:
                return reduce(np.logical_or, (self._bits(one, size) for one in parts))
        known = self._kept.get(condition)
        if known is None or known.edition != self._connection.edition:
            sql = condition.query(self._connection)
            # Another query, as by a new camera's name, may give others of the photos that stayed.
            stays = known is not None and condition.is_of_rows and known.sql == sql
            known = self._kept[condition] = self._read(sql, known if stays else None)
        self._kept.move_to_end(condition)
        if len(self._kept) > min(_KEPT, max(_FEWEST, _KEPT_BYTES // (size + 1))):
            self._kept.popitem(last=False)
        return _up_to(known.bits, size)

    def _read(self, sql: Sql, known: _Held | None) -> _Held:
        """What a query gives; where it is `known`, only the photos that changed are asked for."""
        place, edition = last_place(self._connection), self._connection.edition
        changed = None
        if known is not None:
            changed = changed_after(self._connection, known.place, _MANY)
        if known is None or changed is None:
            ids = self._ids(sql)
            bits = np.zeros(_room(int(ids.max(initial=-1))), np.bool_)
        else:
            ids = self._ids(_among(sql, changed))
            bits = _up_to(known.bits, max(len(known.bits), _room(max(changed, default=-1))))
            bits[changed] = False
        bits[ids] = True
        return _Held(sql, bits, place, edition)

    def _ids(self, sql: Sql) -> NDArray[np.int64]:
        # As one text: a row for each id would take Python three times as long.
        query, parameters = sql
        ((text,),) = self._connection.rows(
            f"WITH held (id) AS ({query}) SELECT group_concat(id) FROM held", parameters
        )
        return np.fromstring(text or "", np.int64, sep=",")


def _between_years(taken: Taken) -> list[Taken]:
    """The same in parts that end or begin with a year, of which most are known from another date.

    Who types a date, letter by letter, asks for many that differ by days in one year.
    """
    start, end = taken.start, taken.end
    years = set()
    if start is not None and not start.endswith("-01-01"):
        years.add(f"{int(start[:4]) + 1:04}-01-01")
    if end is not None:
        years.add(f"{end[:4]}-01-01")
    inside = sorted(y for y in years if (start or "") < y and (end is None or y < end))
    bounds = pairwise([start, *inside, end])
    return [Taken(*pair, of_file=taken.of_file) for pair in bounds]


def _among(sql: Sql, ids: Sequence[int]) -> Sql:
    """Those of the photos of `ids` that a query gives: each is looked up by its id."""
    query, values = sql
    asked = (
        f"WITH given (id) AS ({query}) "
        "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM given WHERE id = value)"
    )
    return asked, [*values, json.dumps(list(ids))]


def _room(most: int) -> int:
    """How many bits there are to be for photos up to this id."""
    return (most // _ROOM + 1) * _ROOM


def _up_to(bits: Bits, size: int) -> Bits:
    """So many of them."""
    more = size - len(bits)
    return bits[:size] if more <= 0 else np.concatenate([bits, np.zeros(more, np.bool_)])
