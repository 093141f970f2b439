"""Photos by what they have in common, to be counted among those that a search allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from index.catalogue.connection import Connection
from index.catalogue.people import photos_by_person
from index.paths import folder_sql, separator_of, text_to_path

GroupedBy: TypeAlias = Literal["day", "place", "camera", "format", "person", "album", "folder"]

# Indexes of the catalogue have all that these ask for, but for albums. The ids come as one text: a
# row for each would take Python three times as long.
_QUERIES: dict[GroupedBy, str] = {
    "day": "SELECT substr(taken_at, 1, 10), group_concat(photo_id) FROM metadata "
    "WHERE taken_at IS NOT NULL GROUP BY 1",
    "place": "SELECT place, group_concat(photo_id) FROM metadata "
    "WHERE place IS NOT NULL GROUP BY 1",
    "camera": "SELECT camera, group_concat(photo_id) FROM metadata "
    "WHERE camera IS NOT NULL GROUP BY 1",
    "format": "SELECT format, group_concat(id) FROM photos GROUP BY 1",
    "album": "SELECT albums.name, group_concat(photos.id) FROM albums "
    "JOIN album_photos ON album_id = albums.id JOIN contents USING (digest) "
    "JOIN photos ON content_id = contents.id WHERE albums.name <> '' GROUP BY 1",
    "folder": "SELECT {folder}, group_concat(id) FROM photos GROUP BY 1",
}


class _Groups(Struct, frozen=True):
    """Ids (n,) of the photos of all groups, one group after the other; where each begins (k,)."""

    values: tuple[str, ...]
    ids: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, groups: Mapping[str, NDArray[np.int64]]) -> _Groups:
        # One without photos would count the next one's.
        some = {value: ids for value, ids in groups.items() if len(ids)}
        lengths = [len(ids) for ids in some.values()]
        starts = np.cumsum([0, *lengths[:-1]], dtype=np.int64)
        return cls(tuple(some), np.concatenate([np.empty(0, np.int64), *some.values()]), starts)

    def counts(self, among: NDArray[np.int64]) -> dict[str, int]:
        if not len(self.ids):
            return {}
        wanted = np.zeros(int(max(self.ids.max(), among.max(initial=0))) + 1, np.int64)
        wanted[among] = 1
        counts = np.add.reduceat(wanted[self.ids], self.starts)
        return dict(zip(self.values, counts.tolist(), strict=True))


class Grouped:
    """Reads what photos have in common once, for as long as the catalogue stays as it is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kept: dict[str, tuple[tuple[int, int], _Groups]] = {}

    def counts(self, by: GroupedBy, ids: NDArray[np.int64]) -> dict[str, int]:
        """How many of the photos of `ids` are in each group; also groups that have none of them.

        A group is called as the catalogue has it: a day "2021-05-03", or "2021" of which no more is
        known, a place as JSON, the path of the folder that holds the photos, all others by name.
        """
        edition = self._connection.edition
        known = self._kept.get(by)
        if known is None or known[0] != edition:
            known = self._kept[by] = edition, _Groups.of(self._read(by))
        return known[1].counts(ids)

    def _read(self, by: GroupedBy) -> dict[str, NDArray[np.int64]]:
        if by == "person":
            return photos_by_person(self._connection)
        named: Callable[[Any], str] = str
        sql = _QUERIES[by]
        if by == "folder":
            named, sql = _folder, sql.format(folder=folder_sql())
        return {
            named(value): np.fromstring(ids, np.int64, sep=",")
            for value, ids in self._connection.rows(sql)
        }


def _folder(text: str) -> str:
    path = text_to_path(text)
    return path.rstrip(separator_of(path)) or path
