"""Photos in areas of the Earth, and those near each other together, as on a map."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from catalogue_data import BUNDLE, unit_vectors

from index import Catalogue, FileStamp, Metadata, NewPhoto
from index.catalogue.areas import Area
from index.catalogue.clusters import MOST, Cluster
from index.catalogue.conditions import Within

EARTH = Area(-90, -180, 90, 180)
# Degrees north and east: two at one spot, on both sides of the date line and on it, the poles.
SPOTS = (
    (41.9, 12.5), (41.9, 12.5), (41.91, 12.5), (48.14, 11.58), (-17.0, 179.9), (-17.0, -179.9),
    (-16.5, 180.0), (90.0, 0.0), (-90.0, -180.0),
)  # fmt: skip


def photo(number: int, north: float | None, east: float | None) -> NewPhoto:
    return NewPhoto(
        f"/photos/{number}.jpg",
        FileStamp(number, 1),
        4,
        3,
        "JPEG",
        number.to_bytes(32, "big"),
        Metadata(taken_at=f"2020-01-01T00:00:{number % 60:02}", latitude=north, longitude=east),
    )


def record(folder: Path, spots: list[tuple[float | None, float | None]]) -> Catalogue:
    catalogue = Catalogue.open(folder)
    photos = [photo(number, *spot) for number, spot in enumerate(spots)]
    catalogue.record(BUNDLE, photos, unit_vectors(len(photos)))
    return catalogue


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with record(tmp_path, [*SPOTS, (None, None)]) as catalogue:
        yield catalogue


def within(catalogue: Catalogue, area: Area) -> list[int]:
    """The numbers of the photos in an area, as recorded, newest first."""
    ids, total = catalogue.shelves.within(area)
    assert len(ids) == total
    asked = catalogue.selection.ids([Within(area)])
    assert sorted(asked.tolist()) == sorted(ids)
    return [int(Path(one.path).stem) for one in catalogue.photos(ids)]


@pytest.mark.parametrize(
    ("area", "numbers"),
    [
        (EARTH, [8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (Area(41, 12, 42, 13), [2, 1, 0]),
        (Area(41.9, 12.5, 41.9, 12.5), [1, 0]),
        (Area(-20, 179, -10, -179), [6, 5, 4]),
        (Area(-20, 179, -10, 180), [6, 4]),
        (Area(-20, -180, -10, -179), [6, 5]),
        (Area(-20, 179, -10, 179.95), [4]),
        (Area(0, 100, 1, 101), []),
    ],
)
def test_an_area_holds_its_edges_and_may_cross_the_date_line(
    catalogue: Catalogue, area: Area, numbers: list[int]
) -> None:
    assert within(catalogue, area) == numbers


def test_a_part_of_them(catalogue: Catalogue) -> None:
    ids, total = catalogue.shelves.within(EARTH, offset=2, limit=3)
    assert [Path(one.path).stem for one in catalogue.photos(ids)] == ["6", "5", "4"]
    assert total == 9


def test_photos_that_are_missing_or_new_are_seen_at_once(catalogue: Catalogue) -> None:
    rome = Area(41, 12, 42, 13)
    assert len(within(catalogue, rome)) == 3
    catalogue.record(BUNDLE, [photo(20, 41.9, 12.5)], unit_vectors(1))
    assert within(catalogue, rome) == [20, 2, 1, 0]
    catalogue.mark_missing(["/photos/20.jpg"])
    assert within(catalogue, rome) == [2, 1, 0]
    assert sum(one.count for one in catalogue.shelves.clusters(rome, 1)) == 3


def test_those_at_one_spot_have_an_area_without_size(catalogue: Catalogue) -> None:
    first, second = catalogue.shelves.clusters(Area(41.89, 12.49, 41.92, 12.51), 0.005)
    assert first.area == Area(41.9, 12.5, 41.9, 12.5)
    assert (first.count, second.count) == (2, 1)
    (newest,) = catalogue.photos([first.cover])
    assert newest.path.endswith("1.jpg")


def test_neighbours_across_the_date_line_are_one(catalogue: Catalogue) -> None:
    (one,) = catalogue.shelves.clusters(Area(-20, 170, -10, -170), 5)
    assert one.count == 3
    assert (one.area.west, one.area.east) == (179.9, -179.9)
    assert within(catalogue, one.area) == [6, 5, 4]


def test_nothing_is_nowhere(tmp_path: Path) -> None:
    with record(tmp_path, [(None, None)]) as catalogue:
        assert catalogue.shelves.clusters(EARTH, 1) == []
        assert catalogue.shelves.within(EARTH) == ([], 0)


@pytest.fixture(scope="module")
def scattered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """A thousand photos, near some hundred towns."""
    rng = np.random.default_rng(3)
    towns = np.column_stack([rng.uniform(-70, 75, 100), rng.uniform(-180, 180, 100)])
    near = towns[rng.integers(0, 100, 1000)] + rng.normal(0, 0.3, (1000, 2))
    near[:, 1] = (near[:, 1] + 180) % 360 - 180
    folder = tmp_path_factory.mktemp("scattered")
    with record(folder, [(float(north), float(east)) for north, east in near]) as catalogue:
        yield catalogue


def on_map(one: Cluster) -> tuple[float, float]:
    """Where Mercator's projection puts it, in degrees of longitude."""
    tangent = math.tan(math.pi / 4 + math.radians(one.latitude) / 2)
    return one.longitude, math.degrees(math.log(tangent))


@pytest.mark.parametrize(
    ("area", "apart"),
    [
        (EARTH, 20.0),
        (Area(-60, -120, 70, 140), 5.0),
        (Area(20, 160, 70, -100), 2.5),
        (Area(10, -10, 40, 60), 0.6),
        # More than a screen can show: they are further apart than asked for.
        (EARTH, 0.001),
    ],
)
def test_each_photo_is_counted_once_and_clusters_keep_apart(
    scattered: Catalogue, area: Area, apart: float
) -> None:
    clusters = scattered.shelves.clusters(area, apart)
    assert 1 < len(clusters) <= MOST
    assert sum(one.count for one in clusters) == scattered.shelves.within(area)[1]
    assert [one.count for one in clusters] == sorted((c.count for c in clusters), reverse=True)
    for one in clusters:
        ids, total = scattered.shelves.within(one.area, limit=1000)
        assert total >= one.count
        assert one.cover in ids
    for at, one in enumerate(clusters):
        for other in clusters[:at]:
            (x, y), (other_x, other_y) = on_map(one), on_map(other)
            across = abs(x - other_x) % 360
            assert math.hypot(min(across, 360 - across), y - other_y) > 0.9 * apart


def test_the_cells_stay_where_they_are(scattered: Catalogue) -> None:
    """Whoever moves the map a little sees the same clusters, but at its edges."""
    before = scattered.shelves.clusters(Area(0, 0, 50, 80), 4)
    after = scattered.shelves.clusters(Area(0, 1, 50, 81), 4)
    inside = [one for one in before if one.area.west > 12 and one.area.east < 68]
    assert len(inside) > 5
    assert set(inside) <= set(after)
