"""Photos on a map: which lie in an area, and those that lie near each other together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.catalogue.areas import Area
from index.catalogue.browsing import NEWEST_FIRST
from index.catalogue.connection import Connection

# The most cells that an area is divided into.
MOST = 400
# How near to each other two clusters may be, as a share of a cell's width.
NEAREST = 0.75


@dataclass(frozen=True)
class Cluster:
    """Photos near each other: how many, about where, and the `area` that all of them lie in.

    `cover` is the id of the newest of them, or of the newest where most of them are.
    """

    count: int
    latitude: float
    longitude: float
    area: Area
    cover: int


class _Grid(NamedTuple):
    """Cells of so many degrees, in the same places whichever part of the Earth is looked at."""

    columns: int
    height: float

    @property
    def width(self) -> float:
        return 360 / self.columns


class _Cell(NamedTuple):
    column: int
    row: int
    cluster: Cluster


class Positions:
    """Where all photos were taken, read again only when the catalogue has changed.

    SQL that groups or sorts 100,000 of them takes longer than one may wait while a map is moved.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._edition: tuple[int, int] | None = None
        # Newest first, as everywhere: ids (n,), degrees north and east (2, n).
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._degrees = np.empty((2, 0))

    def within(self, area: Area, among: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Ids (n,) of the photos in an area that are not missing, newest first; `among` these."""
        places = self._places(area, among)
        return self._ids[places]

    def clusters(
        self, area: Area, apart: float, among: NDArray[np.int64] | None = None
    ) -> list[Cluster]:
        """The photos in an area that are not missing, `among` these, the largest clusters first.

        No two are nearer to each other than about `apart` degrees of longitude, as a map in
        Mercator's projection shows them; they are further apart where there would be too many.
        """
        inside = self._places(area, among)
        grid = _grid(area, apart / NEAREST)
        cells = _cells(grid, self._ids[inside], *self._degrees[:, inside])
        return sorted(_apart(grid, cells), key=lambda one: -one.count)

    def _places(self, area: Area, among: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Which of all positions (n,) are asked for."""
        self._read()
        holds = area.holds(*self._degrees)
        return np.flatnonzero(holds if among is None else holds & np.isin(self._ids, among))

    def _read(self) -> None:
        with self._connection.snapshot():
            edition = self._connection.edition
            if self._edition == edition:
                return
            rows = self._connection.rows(
                "SELECT photos.id, latitude, longitude "
                "FROM photos JOIN metadata ON metadata.photo_id = photos.id "
                "WHERE NOT missing AND latitude BETWEEN -90 AND 90 "
                f"AND longitude BETWEEN -180 AND 180 ORDER BY {NEWEST_FIRST}"
            )
        self._edition = edition
        self._ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        self._degrees = np.array(
            [np.fromiter((row[at] for row in rows), float, len(rows)) for at in (1, 2)]
        )


def _cells(
    grid: _Grid, ids: NDArray[np.int64], north: NDArray[np.float64], east: NDArray[np.float64]
) -> Iterator[_Cell]:
    """The photos of each cell that has any, the fullest first."""
    if not len(ids):
        return
    # The date line has two numbers.
    east = np.where(east < 180, east, east - 360)
    columns = np.minimum(((east + 180) / grid.width).astype(np.int64), grid.columns - 1)
    keys = ((north + 90) / grid.height).astype(np.int64) * grid.columns + columns
    # The newest of each cell stays the first in it.
    order = np.argsort(keys, kind="stable")
    keys, ids, north, east = keys[order], ids[order], north[order], east[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(starts, append=len(keys))
    edges = [
        by.reduceat(values, starts)
        for by, values in (
            (np.minimum, north), (np.minimum, east), (np.maximum, north), (np.maximum, east),
        )
    ]  # fmt: skip
    means = [np.add.reduceat(values, starts) / counts for values in (north, east)]
    for one in np.argsort(-counts, kind="stable"):
        area = Area(*(float(values[one]) for values in edges))
        latitude, longitude = (float(values[one]) for values in means)
        row, column = divmod(int(keys[starts[one]]), grid.columns)
        cover = int(ids[starts[one]])
        yield _Cell(column, row, Cluster(int(counts[one]), latitude, longitude, area, cover))


def _grid(area: Area, width: float) -> _Grid:
    """The cells for an area, of about this width or more."""
    columns = max(1, int(360 / width))
    # Mercator's projection stretches more the nearer the poles, so lower cells will do there.
    nearest = 0.0 if area.south < 0 < area.north else min(abs(area.south), abs(area.north))
    flat = 2.0 ** math.ceil(math.log2(max(math.cos(math.radians(nearest)), 1 / 64)))
    while True:
        grid = _Grid(columns, 360 / columns * flat)
        across, up = area.width / grid.width, (area.north - area.south) / grid.height
        if columns == 1 or (across + 1) * (up + 1) <= MOST:
            return grid
        columns = max(1, columns // 2)


def _apart(grid: _Grid, cells: Iterator[_Cell]) -> list[Cluster]:
    """The cells' photos, with those of neighbours together that would cover each other."""
    kept: dict[tuple[int, int], Cluster] = {}
    for column, row, cluster in cells:
        around = [
            ((column + right) % grid.columns, row + up) for right in (-1, 0, 1) for up in (-1, 0, 1)
        ]
        near = [place for place in around if place in kept]
        place = min(near, key=lambda one: _distance(kept[one], cluster), default=None)
        if place is not None and _distance(kept[place], cluster) < NEAREST * grid.width:
            kept[place] = _joined(kept[place], cluster)
        else:
            kept[column, row] = cluster
    return list(kept.values())


def _distance(one: Cluster, other: Cluster) -> float:
    """Of two clusters on the map, in degrees of longitude."""
    east = abs(one.longitude - other.longitude)
    between = math.radians((one.latitude + other.latitude) / 2)
    north = (one.latitude - other.latitude) / max(math.cos(between), 1 / 64)
    return math.hypot(min(east, 360 - east), north)


def _joined(one: Cluster, other: Cluster) -> Cluster:
    """The photos of both, where most of them are."""
    return Cluster(
        one.count + other.count,
        one.latitude,
        one.longitude,
        _around(one.area, other.area),
        one.cover,
    )


def _around(one: Area, other: Area) -> Area:
    """The smaller of the two areas that hold both: it may cross the date line."""
    south, north = min(one.south, other.south), max(one.north, other.north)
    ways = [
        Area(south, west.west, north, east.east) for west in (one, other) for east in (one, other)
    ]
    return min(
        (way for way in ways if _holds(way, one) and _holds(way, other)),
        key=lambda it: it.width,
        default=Area(south, -180.0, north, 180.0),
    )


def _holds(whole: Area, part: Area) -> bool:
    """Whether all of `part` lies between the meridians of `whole`."""
    begins = (part.west - whole.west) % 360
    return begins + part.width <= whole.width + 1e-9
