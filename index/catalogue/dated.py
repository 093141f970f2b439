"""Photos in the order of when they were taken."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.catalogue.connection import Connection
from index.catalogue.feed import changed_after, last_place
from index.catalogue.months import date_keys

Ids = NDArray[np.int64]
# So many are ordered by themselves, rather than all dates be read.
_FEW = 2000
# Changes from which on it is quicker to read all; rows read at a time, and ids whose dates are read
# as one text.
_MANY, _ROWS, _AT_ONCE = 20_000, 16_384, 1 << 16
_EXACT = 19  # letters of a date to the second
_AMONG = """
    SELECT id, coalesce(taken_at, ''), mtime_ns FROM photos LEFT JOIN metadata ON photo_id = id
    WHERE id IN (SELECT value FROM json_each(?))
"""


class Dated:
    """Reads the dates of all photos once, and then those of the photos that changed.

    That takes as long as to read the dates of some thousand photos, and a word may name all.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._edition: tuple[int, int] | None = None
        self._place: str | None = None
        # By the ids of photos: numbers that rise with the date, or that of the file where there is
        # none.
        self._keys = np.empty(0, np.int64)
        self._is_dated = np.empty(0, np.bool_)

    def order(self, ids: Ids, *, oldest: bool) -> Ids:
        """`ids` in that order; those that do not say come last, by the date of their file."""
        if not self._renewed(whole=len(ids) > _FEW):
            return self._of_few(ids, oldest=oldest)
        known = np.sort(ids[ids < len(self._keys)])
        is_dated = self._is_dated[known]
        ordered = [
            some[np.argsort(self._keys[some], kind="stable")]
            for some in (known[is_dated], known[~is_dated])
        ]
        return np.concatenate(ordered if oldest else [one[::-1] for one in ordered])

    def _of_few(self, ids: Ids, *, oldest: bool) -> Ids:
        way = "" if oldest else "DESC"
        rows = self._connection.rows(
            f"""
            SELECT id FROM photos LEFT JOIN metadata ON photo_id = id
            WHERE id IN (SELECT value FROM json_each(?))
            ORDER BY taken_at IS NULL, taken_at {way},
                CASE WHEN taken_at IS NULL THEN mtime_ns END {way}, id {way}
            """,
            [json.dumps(ids.tolist())],
        )
        return np.array([row[0] for row in rows], np.int64)

    def _renewed(self, *, whole: bool) -> bool:
        """Whether all dates are known as they are now, which are read only with `whole`."""
        with self._connection.snapshot():
            edition = self._connection.edition
            if self._edition == edition:
                return True
            changed = changed_after(self._connection, self._place, _MANY)
            if changed is None and not whole:
                return False
            if changed is None:
                self._read_all()
            elif changed:
                self._make_room(max(changed))
                self._read(changed)
            # Not before: what fails is to be done again.
            self._place, self._edition = last_place(self._connection), edition
        return True

    def _read_all(self) -> None:
        """As texts, as in `Holding`: each row for itself takes Python three times as long."""
        ((most,),) = self._connection.rows("SELECT coalesce(max(id), -1) FROM photos")
        self._keys = np.zeros(most + 1, np.int64)
        self._is_dated = np.zeros(most + 1, np.bool_)
        for first in range(0, most + 1, _AT_ONCE):
            bounds = [first, first + _AT_ONCE]
            ((ids, files),) = self._connection.rows(
                "SELECT group_concat(id), group_concat(mtime_ns) FROM photos "
                "WHERE id >= ? AND id < ?",
                bounds,
            )
            self._keys[_numbers(ids)] = _numbers(files)
            dated = "FROM metadata WHERE photo_id >= ? AND photo_id < ? AND length(taken_at)"
            ((ids, taken),) = self._connection.rows(
                f"SELECT group_concat(photo_id), group_concat(taken_at, '') {dated} = {_EXACT}",
                bounds,
            )
            if ids:
                self._put(_numbers(ids), np.frombuffer(taken.encode(), f"S{_EXACT}"))
            rest = self._connection.rows(
                f"SELECT photo_id, taken_at {dated} NOT IN (0, {_EXACT})", bounds
            )
            if rest:
                self._put(np.array([row[0] for row in rest]), [row[1] for row in rest])

    def _put(self, ids: Ids, taken: Sequence[str] | NDArray[np.bytes_]) -> None:
        """Dates of photos that have one."""
        self._keys[ids], self._is_dated[ids] = date_keys(taken, np.zeros(len(ids), np.int64))

    def _make_room(self, most: int) -> None:
        """For photos up to this id, and some more: the next photo has the next id."""
        if most >= len(self._keys):
            size = most + 1 + _ROWS
            more = size - len(self._keys)
            self._keys = np.concatenate([self._keys, np.zeros(more, np.int64)])
            self._is_dated = np.concatenate([self._is_dated, np.zeros(more, np.bool_)])

    def _read(self, changed: Sequence[int]) -> None:
        for rows in self._connection.batches(_AMONG, [json.dumps(changed)], _ROWS):
            ids, taken, files = (list(column) for column in zip(*rows, strict=True))
            self._keys[ids], self._is_dated[ids] = date_keys(taken, np.array(files, np.int64))


def _numbers(text: str | None) -> Ids:
    return np.fromstring(text or "", np.int64, sep=",")
