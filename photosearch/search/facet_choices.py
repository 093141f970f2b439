"""What can be chosen for each facet, with how many photos have it."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from index.catalogue.conditions import (
    Condition,
    Every,
    InAlbum,
    InAlbumCalled,
    InFolder,
    InPlace,
    Made,
    Not,
    OfFormat,
    Peopled,
    Rated,
    Read,
    Screenshot,
    Shaped,
    Showing,
    Sized,
    Taken,
)
from index.catalogue.functions import folded, place_key, place_keys
from index.catalogue.records import FAVOURITES
from index.catalogue.selection import Selection
from photosearch.formats import VIDEO, formats
from photosearch.search.filters import World, filters, read
from photosearch.search.lexicon import asking

_MP = 10**6
# Few, so each is a condition that is counted by itself.
_FEW: dict[str, tuple[tuple[str, str, Condition], ...]] = {
    "kind": (
        ("photo", "-is:video", Not(OfFormat(VIDEO.recorded))),
        ("video", "is:video", OfFormat(VIDEO.recorded)),
        ("screenshot", "is:screenshot", Screenshot()),
    ),
    "shape": tuple(
        (name, f"is:{name}", Shaped(name))
        for name in ("landscape", "portrait", "square", "panorama")
    ),
    "count": (
        *((str(people), f"people:{people}", Peopled(people, people)) for people in (0, 1, 2)),
        ("3", "people>=3", Peopled(3)),
    ),
    "rating": tuple((str(stars), f"rating>={stars}", Rated(stars, 5)) for stars in (5, 4, 3, 2, 1)),
    "favourite": (("favourite", "is:favourite", InAlbum(FAVOURITES)),),
    "text": (("text", "has:text", Read()),),
    "size": (
        ("<1mp", "size<1mp", Sized("pixels", 0, _MP)),
        ("1-5mp", "size:1-5mp", Sized("pixels", _MP, 5 * _MP + 1)),
        ("5-10mp", "size:5-10mp", Sized("pixels", 5 * _MP, 10 * _MP + 1)),
        ("10-20mp", "size:10-20mp", Sized("pixels", 10 * _MP, 20 * _MP + 1)),
        (">20mp", "size>20mp", Sized("pixels", 20 * _MP + 1)),
        (">10mb", "size>10mb", Sized("bytes", 10**7 + 1)),
        (">100mb", "size>100mb", Sized("bytes", 10**8 + 1)),
    ),
}


@dataclass(frozen=True)
class Candidate:
    """What can be chosen, as it is called, as it is typed, and what it asks for."""

    value: str
    filter: str
    condition: Condition
    under: str = ""

    @property
    def name(self) -> str:
        """That of the filter."""
        return str(re.findall("[a-z]+", self.filter)[0])


Counted = Iterator[tuple[Candidate, int]]


def listed(
    name: str, selection: Selection, among: NDArray[np.int64], world: World, within: str = ""
) -> Counted:
    """The choices of a facet, in their order, with how many photos of `among` each has."""
    if name == "count" and not selection.count(Peopled(1), selection.ids(())):
        return iter(())  # in no photo is anybody known
    if name in _FEW:
        few = (Candidate(*one) for one in _FEW[name])
        return ((one, selection.count(one.condition, among)) for one in few)
    match name:
        case "date":
            return _dates(selection.counts("day", among), within, world)
        case "place":
            return _places(selection.counts("place", among))
        case "format":
            return _formats(selection.counts("format", among))
        case "folder":
            return _folders(selection.counts("folder", among))
        case "camera":
            return _named("camera", selection.counts("camera", among))
        case "person":
            return _named("person", selection.counts("person", among))
    return _named("album", selection.counts("album", among))


def same(one: Condition | None, other: Condition) -> bool:
    """Whether two conditions ask for the same, whatever the capitals of names."""
    return one is not None and _plain(one) == _plain(other)


def _plain(condition: Condition) -> object:
    match condition:
        case Made(by, text):
            return by, folded(text)
        case InAlbumCalled(name):
            return "album", folded(name.strip())
        case Showing(person):
            return "person", place_key(person)
        case InFolder(folder):
            return "folder", os.path.normpath(folder)
        case InPlace(name):
            return "place", place_key(name)
        case Every(parts):  # a place with a larger one
            names = (one.name for one in parts if isinstance(one, InPlace))
            return "place", " ".join(map(place_key, names))
    return condition


def width(condition: Condition | None) -> str:
    """Whether days that are asked for are one "day", a "month" or a "year"; "" for all else."""
    if not isinstance(condition, Taken) or condition.start is None or condition.end is None:
        return ""
    start, end = map(datetime.fromisoformat, (condition.start, condition.end))
    days = (end - start).days
    return {1: "day", 365: "year", 366: "year"}.get(days, "month" if 28 <= days <= 31 else "")


def _dates(days: Mapping[str, int], within: str, world: World) -> Counted:
    """Years, the newest first; or the months of a year, or the days of a month."""
    length = {0: 4, 4: 7}.get(len(within), 10)
    counts: Counter[str] = Counter()
    for day, count in days.items():
        if len(day) >= length and day.startswith(within):
            counts[day[:length]] += count
    for value in sorted(counts, reverse=length == 4):
        name = "year" if length == 4 else "on"
        with suppress(ValueError):  # no day of the calendar
            condition = read(filters()[name], value, world).condition
            yield Candidate(value, f"{name}:{value}", condition), counts[value]


def _places(places: Mapping[str, int]) -> Counted:
    """Countries, those with most photos first, each followed by its cities."""
    rows = [(json.loads(text), count) for text, count in places.items()]
    # A name may be that of a city here and of a region there, and is found as either.
    called: dict[str, set[int]] = {}
    for number, (place, _) in enumerate(rows):
        for name in filter(None, place.values()):
            for key in place_keys(name):
                called.setdefault(key, set()).add(number)

    def choice(name: str, under: str) -> tuple[Candidate, int]:
        held = called[place_key(name)]
        text, parts = name, [place_key(name)]
        if under and held - called[place_key(under)]:
            held = held & called[place_key(under)]
            text, parts = f"{name}, {under}", [*parts, place_key(under)]
        condition = InPlace(name) if len(parts) == 1 else Every(tuple(map(InPlace, parts)))
        return Candidate(name, asking("in", text), condition, under), sum(rows[n][1] for n in held)

    cities: dict[str, set[str]] = {}
    for place, _ in rows:
        own = cities.setdefault(place["country"], set())
        if place["city"]:
            own.add(place["city"])
    countries = [(choice(country, ""), country) for country in cities if place_key(country)]
    for counted, country in sorted(countries, key=lambda one: (-one[0][1], one[1])):
        yield counted
        inside = (choice(city, country) for city in cities[country] if place_key(city))
        yield from sorted(inside, key=lambda one: (-one[1], one[0].value))


def _formats(counts: Mapping[str, int]) -> Counted:
    return _largest_first(
        (
            Candidate(one.name, f"type:{one.name}", OfFormat(one.recorded)),
            sum(counts.get(name, 0) for name in one.recorded),
        )
        for one in formats().values()
    )


def _folders(counts: Mapping[str, int]) -> Counted:
    """Each folder with photos, and those that hold several of these, with all below."""
    whole: Counter[str] = Counter()
    inside: dict[str, set[str]] = {}
    for folder, count in counts.items():
        below = ""
        while True:
            whole[folder] += count
            inside.setdefault(folder, set()).add(below)
            above = os.path.dirname(folder)
            if above == folder:
                break
            below, folder = folder, above
    found = (
        (Candidate(folder, asking("folder", folder), InFolder(folder)), count)
        for folder, count in sorted(whole.items())
        if len(inside[folder]) > 1 or "" in inside[folder]
    )
    return (one for one in found if one[0].filter and _is_text(one[0].value))


def _is_text(path: str) -> bool:
    """Whether it can be typed; names of files need not be text."""
    return path.isprintable()


def _named(filter_name: str, counts: Mapping[str, int]) -> Counted:
    conditions = {
        "camera": lambda name: Made("camera", name),
        "person": Showing,
        "album": InAlbumCalled,
    }
    found = (
        (Candidate(name, asking(filter_name, name), conditions[filter_name](name)), count)
        for name, count in counts.items()
    )
    return _largest_first(one for one in found if one[0].filter)


def _largest_first(found: Counted) -> Counted:
    return iter(sorted(found, key=lambda one: (-one[1], one[0].value)))
