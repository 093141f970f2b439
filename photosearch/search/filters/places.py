"""Filters by where photos were taken."""

from __future__ import annotations

import re

from index.catalogue.areas import Area
from index.catalogue.conditions import Condition, Every, InPlace, Near, Within
from index.catalogue.functions import kilometres, place_key
from photosearch.search.filters.filter import Argument, Filter, Help, Read, Row, as_texts
from photosearch.search.filters.world import World

# Kilometres about a place, where none are given.
NEARBY = 25.0
# Kilometres across, up to which an area is called by the town in its middle.
TOWN_WIDE = 150.0

_DEGREES = re.compile(r"[-+]?\d+(\.\d+)?")


def in_place(name: str, world: World) -> Condition:
    """That a photo was taken there; a larger place may follow, as in "Portland, Oregon"."""
    whole = InPlace(name, world.called(name))
    parts = [part for part in _parts(name, world) if part.strip()]
    if len(parts) < 2 or whole.known or place_key(name) in world.places:
        return whole
    return Every(tuple(InPlace(part.strip(), world.called(part)) for part in parts))


def _parts(name: str, world: World) -> list[str]:
    """A place and the larger ones after it, which may have commas: Tanzania, United Republic of."""
    head, comma, rest = name.partition(",")
    if not comma or place_key(name) in world.places:
        return [name]
    return [head, *_parts(rest, world)]


def _near(value: str, world: World) -> Condition:
    *place, last = [part.strip() for part in value.split(",")]
    distance = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(km|mi|m)", last.lower())
    kilometres = NEARBY
    if distance and place:
        kilometres = float(distance[1]) * {"km": 1.0, "mi": 1.609344, "m": 0.001}[distance[2]]
    else:
        place = [*place, last]
    if len(place) == 2 and all(_DEGREES.fullmatch(part) for part in place):
        north, east = map(float, place)
        if abs(north) > 90 or abs(east) > 180:
            raise ValueError(f"{value!r} is off the Earth; give degrees north, then east")
        return Near(north, east, kilometres)
    name = ", ".join(place)
    point = world.locate(name)
    if point is None:
        raise ValueError(
            f"no town is known as {name!r}; give degrees north and east, as near:41.9,12.5"
        )
    return Near(*point, kilometres)


def area_of(value: str) -> Area:
    """The area that "south,west,north,east" means, in degrees.

    Raises `ValueError` with the reason where it is none.
    """
    parts = [part.strip() for part in value.split(",")]
    if len(parts) != 4:
        raise ValueError(
            f"{value!r} has {len(parts)} of the four edges; give south,west,north,east in degrees, "
            "as area:41.8,12.4,42,12.6"
        )
    for part, edge in zip(parts, ("south", "west", "north", "east"), strict=True):
        if not _DEGREES.fullmatch(part):
            raise ValueError(f"{edge} is {part!r}; give degrees, as area:41.8,12.4,42,12.6")
        limit = 90 if edge in ("south", "north") else 180
        if abs(float(part)) > limit:
            raise ValueError(f"{edge} is {part}, beyond {limit} degrees")
    area = Area(*map(float, parts))
    if area.south > area.north:
        raise ValueError(
            f"south is {parts[0]}, above north, {parts[2]}; give south,west,north,east"
        )
    return area


def _area(value: str, world: World) -> Read:
    area = area_of(value)
    middle, east = area.centre
    wide = max(
        kilometres(area.south, east, area.north, east),
        # Beyond half of the Earth the shortest way is another.
        kilometres(middle, area.west, middle, east) * 2,
    )
    town = world.town_at(middle, east) if wide <= TOWN_WIDE else ""
    return Read(Within(area), f"in the area of {town}" if town else "area on the map")


def _edges(value: object) -> list[str]:
    """Degrees south, west, north and east, as the box has them."""
    if not isinstance(value, tuple):
        return as_texts(value)
    return [",".join(f"{edge:f}" for edge in value)]


def _point(value: object) -> list[str]:
    """Degrees north and east, and perhaps kilometres, as the box has them."""
    if not isinstance(value, tuple):
        return as_texts(value)
    north, east, *distance = value
    return [f"{north:f},{east:f}" + "".join(f",{kilometres}km" for kilometres in distance)]


FILTERS = (
    Filter(
        name="in",
        read=in_place,
        metavar="PLACE",
        help=Help(
            "Only photos taken in this city, region or country.",
            "Nur Fotos aus dieser Stadt, dieser Region oder diesem Land.",
            "Seulement les photos prises dans cette ville, cette région ou ce pays.",
            "Solo fotos de esta ciudad, región o país.",
        ),
        examples=("in:Rome",),
        guide=(
            Row(
                ("`in:PLACE`",),
                "taken in that city, region, country or continent, by any of its names: "
                "`in:Munich`, `in:Koeln`, `in:Bayern`, `in:UK`, `in:Lodz`, "
                '`in:"Portland, Oregon"`, `in:Europe`',
            ),
        ),
        arguments=(Argument("place", "Texts", several=True),),
        repeated=True,
    ),
    Filter(
        name="near",
        read=_near,
        metavar="PLACE",
        help=Help(
            "Only photos taken near PLACE, as in Rome or 41.9,12.5,10km.",
            "Nur Fotos aus der Nähe von PLACE, etwa Rom oder 41.9,12.5,10km.",
            "Seulement les photos prises près de PLACE\u202f: Rome, ou 41.9,12.5,10km.",
            "Solo fotos cerca de PLACE: Roma, o 41.9,12.5,10km.",
        ),
        examples=("near:41.9,12.5,10km",),
        guide=(
            Row(
                ("`near:PLACE`", "`near:41.9,12.5`", "`near:Rome,10km`"),
                f"taken within {NEARBY:.0f} km, or the distance given (km, mi, m); any town with "
                '1,000 inhabitants or more is known, also as `near:"Portland, Oregon"`',
            ),
        ),
        arguments=(Argument("near", "str | tuple[float, ...] | None", text=_point),),
    ),
    Filter(
        name="area",
        read=_area,
        metavar="EDGES",
        help=Help(
            "Only photos taken in this area: south,west,north,east.",
            "Nur Fotos aus diesem Gebiet: Süd,West,Nord,Ost.",
            "Seulement les photos de cette zone\u202f: sud,ouest,nord,est.",
            "Solo fotos de esta zona: sur,oeste,norte,este.",
        ),
        examples=("area:41.8,12.4,42,12.6",),
        guide=(
            Row(
                ("`area:SOUTH,WEST,NORTH,EAST`",),
                "taken between these degrees of latitude and longitude, as the map in Browse "
                "writes them; west may be greater than east, across the date line",
            ),
        ),
        arguments=(Argument("area", "str | tuple[float, ...] | None", text=_edges),),
    ),
)
