"""Photos in the order of when they were taken."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from index.catalogue.connection import Connection

Ids = NDArray[np.int64]
# So many are ordered by themselves, rather than all that have changed.
_FEW = 2000


class Dated:
    """Reads the order of all photos once, for as long as the catalogue stays as it is.

    That takes as long as to read the dates of some thousand photos, and a word may name all.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._edition: tuple[int, int] | None = None
        self._places = np.empty(0, np.int64)

    def order(self, ids: Ids, *, oldest: bool) -> Ids:
        """`ids` in that order; those that do not say come last, by the date of their file."""
        if len(ids) <= _FEW and self._edition != self._connection.edition:
            return self._of_few(ids, oldest=oldest)
        self._read()
        known = ids[ids < len(self._places)]
        places = self._places[known]
        # Below 0 are those without a date.
        parts = [(known[chosen], places[chosen]) for chosen in (places >= 0, places < 0)]
        ordered = [some[np.argsort(at, kind="stable")] for some, at in parts]
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

    def _read(self) -> None:
        with self._connection.snapshot():
            edition = self._connection.edition
            if self._edition == edition:
                return
            dated = self._ids(
                "SELECT photo_id AS id FROM metadata WHERE taken_at IS NOT NULL "
                "ORDER BY taken_at, photo_id"
            )
            others = self._ids(
                "SELECT id FROM photos WHERE id NOT IN "
                "(SELECT photo_id FROM metadata WHERE taken_at IS NOT NULL) ORDER BY mtime_ns, id"
            )
        size = int(max(dated.max(initial=-1), others.max(initial=-1))) + 1
        self._places = np.zeros(size, np.int64)
        self._places[dated] = np.arange(len(dated))
        self._places[others] = np.arange(len(others)) - len(others)
        self._edition = edition

    def _ids(self, query: str) -> Ids:
        # As one text, as in `Holding`.
        ((text,),) = self._connection.rows(f"SELECT group_concat(id) FROM ({query})")
        return np.fromstring(text or "", np.int64, sep=",")
