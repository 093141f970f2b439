"""Names of places, from the list that comes with photosearch."""

from __future__ import annotations

import pytest

from index import Metadata, Place
from index.catalogue.areas import Area
from photosearch.indexing.places import town_at, towns_in, with_place


def city_at(latitude: float, longitude: float) -> str | None:
    place = with_place(Metadata(latitude=latitude, longitude=longitude)).place
    return place and place.city


@pytest.mark.parametrize(
    ("latitude", "longitude", "city"),
    [
        (46.0207, 7.7491, "Zermatt"),
        (48.8049, 2.1204, "Versailles"),
        # The list has the suburbs and quarters of these, too, some of them nearer.
        (48.8584, 2.2945, "Paris"),
        (40.7580, -73.9855, "New York City"),
        (-33.8568, 151.2153, "Sydney"),
        # East and west of the date line.
        (-16.69, 179.99, "Labasa"),
        (-16.69, -179.99, "Labasa"),
        (78.22, 15.63, "Longyearbyen"),
        (0.0, -140.0, None),
        (90.0, 0.0, None),
    ],
)
def test_the_city_that_people_would_name(
    latitude: float, longitude: float, city: str | None
) -> None:
    assert city_at(latitude, longitude) == city


def test_region_and_country() -> None:
    place = with_place(Metadata(latitude=43.7687, longitude=11.2569)).place
    assert place == Place("Florence", "Tuscany", "Italy")


def test_without_a_position_there_is_no_place() -> None:
    assert with_place(Metadata(camera="Pix")) == Metadata(camera="Pix")


def test_the_largest_towns_of_an_area() -> None:
    italy = towns_in(Area(36, 6, 47, 19), 3)
    assert [town.name for town in italy] == ["Rome", "Milan", "Naples"]
    assert [round(town.latitude) for town in italy] == [42, 45, 41]
    assert {town.name for town in towns_in(Area(-20, 177, -13, -171), 9)} >= {"Suva", "Apia"}
    assert towns_in(Area(0, -140, 1, -139), 9) == []


def test_the_town_at_a_point() -> None:
    assert town_at(41.9, 12.5) == "Rome"
    assert town_at(0.0, -140.0) == ""
