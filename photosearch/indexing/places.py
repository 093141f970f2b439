"""Names of places, from a list that comes with photosearch; no network is asked."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index import Metadata, Place
from index.catalogue.areas import Area
from index.catalogue.functions import place_key, place_keys
from photosearch.indexing.place_names import places_called
from photosearch.shipped import asset

_EARTH = 6371.0  # kilometres
# A photo within so large a circle about a city's centre was taken in that city, rather than in the
# suburb that is nearer: as if so many people lived on each square kilometre.
_DENSITY = 8000.0
# Beyond, in the desert or at sea, the nearest place says nothing.
_FARTHEST = 100.0


class Town(NamedTuple):
    """A town or village, where it lies in degrees north and east, and how many live there."""

    name: str
    country: str
    latitude: float
    longitude: float
    population: int


def with_place(metadata: Metadata) -> Metadata:
    """`metadata` with the name of the place where the photo was taken, if it says where."""
    if metadata.latitude is None or metadata.longitude is None:
        return metadata
    # To some ten metres: photos of an afternoon ask for the same place again and again.
    return replace(
        metadata, place=_place_at(round(metadata.latitude, 4), round(metadata.longitude, 4))
    )


def place_named(name: str) -> tuple[float, float] | None:
    """Degrees north and east of the largest town of this name, None when there is none.

    A region or country may follow, as in "Portland, Oregon". Case, accents and language do not
    matter: "Munich" and "Muenchen" are "M\u00fcnchen".
    """
    return _places().named(name)


def town_at(latitude: float, longitude: float) -> str:
    """The name of the town at a point, or near it; empty far from any."""
    place = _place_at(round(latitude, 4), round(longitude, 4))
    return place.city if place else ""


def towns_in(area: Area, most: int) -> list[Town]:
    """The towns and villages in an area, those where most people live first, at most so many."""
    return _places().within(area, most)


@cache
def _places() -> Places:
    return Places(asset("places", "places.npz"))


@cache
def _place_at(latitude: float, longitude: float) -> Place | None:
    return _places().at(latitude, longitude)


class Places:
    """The towns and villages in the file `path`; assets/places/README.md tells whose they are."""

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as stored:
            self._points = _on_sphere(stored["latitude"], stored["longitude"])
            self._population = stored["population"]
            self._region = stored["region"]
            self._cities = stored["cities"].tobytes().decode().split("\n")
            self._regions = [
                line.split("\t") for line in stored["regions"].tobytes().decode().split("\n")
            ]
        # Of angles the cosines are compared, which fall as distances rise.
        self._edge = np.cos(np.sqrt(self._population / (np.pi * _DENSITY)) / _EARTH)

    def named(self, name: str) -> tuple[float, float] | None:
        """See `place_named`."""
        town, *within = name.split(",")
        # By that name, or by another.
        found = {place for key in place_keys(town) for place in self._by_name.get(key, ())}
        for other in places_called(town):
            found.update(
                place
                for place in self._by_name.get(place_key(other.city), ())
                if self._regions[self._region[place]] == [other.region, other.country]
            )
        for place in sorted(found, key=lambda one: -int(self._population[one])):
            if all(self._is_within(place, part) for part in within):
                north, east = self._degrees
                return float(north[place]), float(east[place])
        return None

    def _is_within(self, place: int, name: str) -> bool:
        """Whether a town lies in the region or country that is called so."""
        region, country = self._regions[self._region[place]]
        if place_key(name) in place_keys(region) | place_keys(country):
            return True
        return any(
            not one.city and one.country == country and one.region in ("", region)
            for one in places_called(name)
        )

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        """The towns of each name."""
        towns: dict[str, list[int]] = {}
        for place in range(len(self._cities)):
            towns.setdefault(place_key(self._cities[place]), []).append(int(place))
        return towns

    def within(self, area: Area, most: int) -> list[Town]:
        """See `towns_in`."""
        north, east = self._degrees
        found = np.flatnonzero(area.holds(north, east))
        largest = found[np.argsort(-self._population[found], kind="stable")[:most]]
        return [
            Town(
                self._cities[one],
                self._regions[self._region[one]][1],
                float(north[one]),
                float(east[one]),
                int(self._population[one]),
            )
            for one in largest
        ]

    @cached_property
    def _degrees(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How far north and east each of them lies."""
        x, y, z = self._points.T
        return np.degrees(np.arcsin(z)), np.degrees(np.arctan2(y, x))

    def at(self, latitude: float, longitude: float) -> Place | None:
        """The city about the point, or else the nearest place; None far from any."""
        point = _on_sphere(np.array([latitude]), np.array([longitude]))[0]
        # All of them are compared, which takes a millisecond, and is right at the poles too.
        near = self._points @ point
        inside = np.flatnonzero(near > self._edge)
        if len(inside):
            found = int(inside[np.argmax(self._population[inside])])
        else:
            found = int(np.argmax(near))
            if near[found] < np.cos(_FARTHEST / _EARTH):
                return None
        region, country = self._regions[self._region[found]]
        return Place(self._cities[found], region, country)


def _on_sphere(
    latitude: NDArray[np.floating[Any]], longitude: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Points (n, 3) at distance 1 from the centre."""
    north, east = np.radians(latitude.astype(np.float64)), np.radians(longitude.astype(np.float64))
    return np.stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1
    )
