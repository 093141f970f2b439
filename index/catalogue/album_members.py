"""Which photos are in which albums, kept from one question to the next.

A photo is in an album by the hash of its bytes, and to look that up for a million photos takes
seconds. So it is read once, and then what was added to albums, and of the photos that changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from index.catalogue.connection import Connection
from index.catalogue.feed import changed_after, last_place

_IDS = "SELECT album_id, group_concat(photos.id)"
_FROM = (
    "album_photos CROSS JOIN contents USING (digest) CROSS JOIN photos ON content_id = contents.id"
)
_OF_PHOTOS = (
    "photos CROSS JOIN contents ON content_id = contents.id CROSS JOIN album_photos USING (digest)"
)
# Changes from which on it is quicker to read all.
_MANY = 20_000

# The row that came last, and how many there are: with these the table is as it was.
_ROW = "SELECT rowid, album_id, digest, added_at FROM album_photos"
_LAST = f"{_ROW} ORDER BY rowid DESC LIMIT 1"
_State = tuple[int, list[tuple[object, ...]]]


class AlbumMembers:
    """Ids of the photos in each album, missing ones too."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._edition: tuple[int, int] | None = None
        self._state: _State = (0, [])
        self._place: str | None = None
        self._ids: dict[int, NDArray[np.int64]] = {}

    def of(self, album: int) -> NDArray[np.int64]:
        """Ids (n,), rising."""
        return self._ids.get(album, np.empty(0, np.int64))

    @property
    def albums(self) -> Iterable[int]:
        """Those with photos in them, or that had some."""
        return self._ids

    def renew(self) -> set[int]:
        """Read what is another than before: the albums with photos that came, went or changed."""
        edition = self._connection.edition
        if self._edition == edition:
            return set()
        ((count,),) = self._connection.rows("SELECT count(*) FROM album_photos")
        state = count, self._connection.rows(_LAST)
        changed = changed_after(self._connection, self._place, _MANY)
        added = self._added(state) if self._edition is not None else None
        if changed is None or added is None:
            before = set(self._ids)
            self._ids = self._read(f"{_IDS} FROM {_FROM} GROUP BY 1")
            found = before | set(self._ids)
        else:
            found = self._put(np.empty(0, np.int64), added)
            if changed:
                theirs = self._read(
                    f"{_IDS} FROM {_OF_PHOTOS} "
                    "WHERE photos.id IN (SELECT value FROM json_each(?)) GROUP BY 1",
                    json.dumps(changed),
                )
                found |= self._put(np.array(changed, np.int64), theirs)
        # Not before: what fails is to be done again.
        self._state, self._edition = state, edition
        self._place = last_place(self._connection)
        return found

    def _added(self, state: _State) -> dict[int, NDArray[np.int64]] | None:
        """What was put into albums since; None where something was taken out as well."""
        (count, last), (before, known) = state, self._state
        if count == before:
            return {} if last == known else None
        newest = known[0][0] if known else 0
        if known and self._connection.rows(f"{_ROW} WHERE rowid = ?", [newest]) != known:
            return None
        ((more,),) = self._connection.rows(
            "SELECT count(*) FROM album_photos WHERE rowid > ?", [newest]
        )
        if more != count - before:
            return None
        return self._read(
            f"{_IDS} FROM {_FROM} WHERE album_photos.rowid > ? GROUP BY 1",
            newest,
        )

    def _put(self, gone: NDArray[np.int64], come: dict[int, NDArray[np.int64]]) -> set[int]:
        """Take photos out of all albums, and put others into these; which albums had either."""
        found = set()
        for album in set(self._ids) | set(come):
            before = ids = self.of(album)
            places = np.searchsorted(ids, gone)
            known = places < len(ids)
            places = places[known][ids[places[known]] == gone[known]]
            ids = np.delete(ids, places) if len(places) else ids
            if album in come:
                more = come[album]
                places = np.searchsorted(ids, more)
                here = places < len(ids)
                here[here] = ids[places[here]] == more[here]
                ids = np.insert(ids, places[~here], more[~here])
            if ids is not before:
                self._ids[album] = ids
                found.add(album)
        return found

    def _read(self, query: str, *parameters: object) -> dict[int, NDArray[np.int64]]:
        # As one text, as in `Holding`.
        return {
            album: np.unique(np.fromstring(text, np.int64, sep=","))
            for album, text in self._connection.rows(query, parameters)
        }
