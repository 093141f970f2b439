"""Where photos were taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING

from msgspec import Struct

from index.catalogue.areas import Area
from index.catalogue.conditions.condition import Simple, Sql
from index.catalogue.conditions.texts import one_of
from index.catalogue.functions import place_key, place_keys
from index.catalogue.records import Place

if TYPE_CHECKING:
    from index.catalogue.connection import Connection


class InPlace(Simple, Struct, frozen=True):
    """Taken in the city, region or country of this name, whatever its case, accents and hyphens.

    Or in one of the places `known` by it, as the catalogue names them; an empty part of a place
    may be anything.
    """

    @property
    def is_of_rows(self) -> bool:
        return True

    name: str
    known: tuple[Place, ...] = ()

    def query(self, connection: Connection) -> Sql:
        return one_of(connection, "place", self._wanted())

    def _wanted(self) -> Callable[[str], bool]:
        """Whether a place, as the catalogue keeps it, is the one that is wanted."""
        key = place_key(self.name)
        known = {tuple(map(place_key, (one.city, one.region, one.country))) for one in self.known}

        def is_in(text: str) -> bool:
            place = Place(**json.loads(text))
            names = (place.city, place.region, place.country)
            if any(key in place_keys(name) for name in names if name):
                return True
            # Of a place known by its country alone the other names may be any.
            parts = product(*((place_key(name), "") for name in names)) if known else ()
            return any(part in known for part in parts)

        return is_in


class Near(Simple, Struct, frozen=True):
    """Taken within so many kilometres of a point, in degrees north and east."""

    @property
    def is_of_rows(self) -> bool:
        return True

    latitude: float
    longitude: float
    kilometres: float

    def query(self, connection: Connection) -> Sql:
        """First by latitude, which needs no more than a comparison; a degree is 111 km or more."""
        band = self.kilometres / 110.5
        return (
            "SELECT photo_id FROM metadata WHERE latitude BETWEEN ? AND ? "
            "AND kilometres(latitude, longitude, ?, ?) <= ?",
            [
                self.latitude - band,
                self.latitude + band,
                self.latitude,
                self.longitude,
                self.kilometres,
            ],
        )


class Within(Simple, Struct, frozen=True):
    """Taken in a part of the Earth between two latitudes and two longitudes."""

    @property
    def is_of_rows(self) -> bool:
        return True

    area: Area

    def query(self, connection: Connection) -> Sql:
        where, values = self.area.where()
        return f"SELECT photo_id FROM metadata WHERE {where}", values


class Located(Simple, Struct, frozen=True):
    """That says where it was taken, in degrees."""

    @property
    def is_of_rows(self) -> bool:
        return True

    def query(self, connection: Connection) -> Sql:
        return (
            "SELECT photo_id FROM metadata WHERE latitude IS NOT NULL AND longitude IS NOT NULL",
            [],
        )
