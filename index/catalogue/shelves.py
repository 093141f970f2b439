"""Ways to look through a catalogue without a query, and the albums that its user keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from index.catalogue import albums as kept
from index.catalogue import browsing
from index.catalogue.albums import FAVOURITES, Album
from index.catalogue.areas import Area
from index.catalogue.browsing import BrowseBy, PhotoGroup
from index.catalogue.calendar import Calendar
from index.catalogue.clusters import Cluster, Positions
from index.catalogue.connection import Connection


class Shelves:
    """Groups of photos, albums and favourites. Every method raises `CatalogueError`."""

    def __init__(self, connection: Connection, calendar: Calendar) -> None:
        self._connection, self._calendar = connection, calendar
        self._positions = Positions(connection)

    def groups(self, by: BrowseBy) -> list[PhotoGroup]:
        """The groups that photos fall into; months newest first, others the largest first."""
        if self._calendar.is_kept:
            return self._calendar.groups(by)
        return browsing.groups(self._connection, by)

    def keyword_groups(self) -> list[PhotoGroup]:
        """Photos by each of their keywords, the largest group first."""
        return browsing.keyword_groups(self._connection)

    def members(
        self, by: BrowseBy | None = None, key: str = "", *, offset: int = 0, limit: int = 100
    ) -> list[int]:
        """Ids of a part of a group's photos, or of all photos, newest first."""
        if self._calendar.is_kept:
            return self._calendar.members(by, key, offset, limit)
        return browsing.members(self._connection, by, key, offset=offset, limit=limit)

    def clusters(
        self, area: Area, apart: float, among: NDArray[np.int64] | None = None
    ) -> list[Cluster]:
        """The photos in an area, all or `among` these, those that lie near each other together, the
        largest first.

        On a map no two are nearer than about `apart` degrees of longitude; they are further apart
        where there would be too many.
        """
        return self._positions.clusters(area, apart, among)

    def within(
        self,
        area: Area,
        among: NDArray[np.int64] | None = None,
        *,
        offset: int = 0,
        limit: int = 100,
    ) -> tuple[list[int], int]:
        """Ids of a part of the photos in an area, all or `among` these, newest first, and how many
        there are in all.
        """
        ids = self._positions.within(area, among)
        return ids[offset : offset + limit].tolist(), len(ids)

    def albums(self) -> list[Album]:
        """All albums, the favourites first, whose name is empty."""
        return kept.albums(self._connection)

    def albums_of(self, photo_ids: Iterable[int]) -> dict[int, list[int]]:
        """The albums that each of these photos is in; those that are in none are left out."""
        return kept.albums_of(self._connection, photo_ids)

    def make_album(self, name: str) -> int:
        """The id of the album of this name, which is made when there is none."""
        return kept.make_album(self._connection, name)

    def rename_album(self, album: int, name: str) -> bool:
        """Give an album another name; False when another one has it."""
        return kept.rename_album(self._connection, album, name)

    def drop_album(self, album: int) -> None:
        """Drop an album; its photos stay. The favourites cannot be dropped."""
        kept.drop_album(self._connection, album)

    def put_into(self, photo_ids: Sequence[int], album: int = FAVOURITES) -> None:
        """Put photos into an album, or among the favourites; those that are in it stay."""
        kept.put_into(self._connection, album, photo_ids)

    def take_out(self, photo_ids: Sequence[int], album: int = FAVOURITES) -> None:
        """Take photos out of an album, or from among the favourites."""
        kept.take_out(self._connection, album, photo_ids)
