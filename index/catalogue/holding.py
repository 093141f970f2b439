"""For which photos conditions hold."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from index.catalogue.conditions import Condition, Either, Every, Not, Taken
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


class Holding:
    """Looks up each condition once, for as long as the catalogue stays as it is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._edition: tuple[int, int] | None = None
        self._place: str | None = None
        self._present = np.empty(0, np.bool_)
        self._kept: OrderedDict[Condition, Bits] = OrderedDict()
        self._kept_ids: OrderedDict[tuple[Condition, ...], NDArray[np.int64]] = OrderedDict()

    def ids(self, conditions: Sequence[Condition]) -> NDArray[np.int64]:
        """Ids (n,), rising, of the photos that are not missing and for which all of these hold.

        Nobody can write to them, and the next search under these conditions gets the same array.
        """
        every = tuple(conditions)
        with self._connection.snapshot():
            self._renew()
            if every not in self._kept_ids:
                held = [self._bits(condition) for condition in every]
                ids = np.flatnonzero(reduce(np.logical_and, held, self._present))
                ids.flags.writeable = False
                self._kept_ids[every] = ids
        self._kept_ids.move_to_end(every)
        if len(self._kept_ids) > _KEPT_IDS:
            self._kept_ids.popitem(last=False)
        return self._kept_ids[every]

    def present(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of `ids`, each once, that are of photos which are not missing, rising."""
        with self._connection.snapshot():
            self._renew()
        known = ids[ids < len(self._present)]
        return np.sort(known[self._present[known]])

    def count(self, condition: Condition, among: NDArray[np.int64]) -> int:
        """For how many photos of `among`, ids of photos that are not missing, this holds."""
        with self._connection.snapshot():
            self._renew()
            bits = self._bits(condition)
        return int(np.count_nonzero(bits[among[among < len(bits)]]))

    def _renew(self) -> None:
        """Forget what was read before the catalogue changed."""
        edition = self._connection.edition
        if self._edition == edition:
            return
        self._kept.clear()
        self._kept_ids.clear()
        changed = changed_after(self._connection, self._place, _MANY)
        self._place = last_place(self._connection)
        if changed is None:
            ids = self._read("SELECT id FROM photos WHERE NOT missing", ())
            self._present = _bits(ids, int(ids.max(initial=-1)) + 1)
        elif changed:
            self._change(changed)
        self._edition = edition

    def _change(self, changed: Sequence[int]) -> None:
        """Look only at these once more."""
        among = "id IN (SELECT value FROM json_each(?))"
        here = self._read(
            f"SELECT id FROM photos WHERE NOT missing AND {among}", [json.dumps(changed)]
        )
        size = max(len(self._present), int(here.max(initial=-1)) + 1)
        present = np.zeros(size, np.bool_)
        present[: len(self._present)] = self._present
        known = np.array(changed, np.int64)
        present[known[known < size]] = False
        present[here] = True
        self._present = present

    def _bits(self, condition: Condition) -> Bits:
        match condition:
            case Not(inner):
                return ~self._bits(inner)
            case Either(conditions):
                nothing = np.zeros(len(self._present), np.bool_)
                return reduce(np.logical_or, map(self._bits, conditions), nothing)
            case Every(conditions):
                return reduce(np.logical_and, map(self._bits, conditions))
            case Taken() if len(parts := _between_years(condition)) > 1:
                return reduce(np.logical_or, map(self._bits, parts))
        if condition not in self._kept:
            ids = self._read(*condition.query(self._connection))
            self._kept[condition] = _bits(ids, len(self._present))
        self._kept.move_to_end(condition)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[condition]

    def _read(self, query: str, parameters: Sequence[object]) -> NDArray[np.int64]:
        # As one text: a row for each id would take Python three times as long.
        sql = f"WITH held (id) AS ({query}) SELECT group_concat(id) FROM held"
        ((text,),) = self._connection.rows(sql, parameters)
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


def _bits(ids: NDArray[np.int64], size: int) -> Bits:
    bits = np.zeros(size, np.bool_)
    bits[ids[ids < size]] = True
    return bits
