"""What people call places: Munich, Cologne, UK, Deutschland, Bayern, Europe.

The file assets/places/names.tsv has a line for each such name, in order. It is searched as it is,
which takes some milliseconds at most; to make a dictionary of it would take longer than a search.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from functools import cache, lru_cache

from index import Place
from index.catalogue.functions import place_key
from photosearch.shipped import asset


@lru_cache(maxsize=1024)
def places_called(name: str) -> tuple[Place, ...]:
    """The places that are also called `name`, by all of their names.

    What the list of places itself calls so is not among them. A region has no city, and a country
    neither city nor region; of a continent they are its countries.
    """
    found = set(_by_key(place_key(name)))
    groups = {place for place in found if place.country.startswith("@")}
    members = {place for group in groups for place in _by_key(group.country)}
    places = found - groups
    # As an older list may have called them, which the catalogue then does still.
    own = name.strip()
    if own[:1].isupper():  # all are looked at, which "dogs in snow" need not wait for
        every_line = (place for _, place in _lines(f"\t{own}\t"))
        places |= {place for place in every_line if own == (place.city or place.region)}
        places |= {place for _, place in _lines(f"\t\t\t{own}\n")}
    others = {
        _renamed(place, key)
        for place in places
        for key, _ in _lines(f"\t{place.city}\t{place.region}\t{place.country}\n")
        if not key.startswith("@")
    }
    every = places | others | members
    return tuple(sorted(every, key=lambda one: (one.country, one.region, one.city)))


def called(places: Collection[Place]) -> dict[Place, list[str]]:
    """By what other names, folded, each of these is known; one pass over all lines."""
    wanted = {f"{one.city}\t{one.region}\t{one.country}".encode(): one for one in places}
    found: dict[Place, list[str]] = {}
    for line in _names().splitlines():
        key, _, rest = line.partition(b"\t")
        place = wanted.get(rest)
        if place is not None:
            found.setdefault(place, []).append(key.decode())
    return found


def _renamed(place: Place, name: str) -> Place:
    if place.city:
        return Place(name, place.region, place.country)
    return Place("", name, place.country) if place.region else Place("", "", name)


@cache
def _names() -> bytes:
    return asset("places", "names.tsv").read_bytes()


def _by_key(key: str) -> Iterator[Place]:
    """The places of the lines that begin with this name."""
    text, wanted = _names(), f"{key}\t".encode()

    def line_after(at: int) -> bytes:
        start = text.find(b"\n", at) + 1
        return text[start : start + len(wanted)]

    # The line after a character comes later the later the character stands.
    low = text.find(b"\n", bisect_left(range(len(text) - 1), wanted, key=line_after)) + 1
    while text.startswith(wanted, low):
        end = text.find(b"\n", low)
        yield _read(text[low:end])[1]
        low = end + 1


def _lines(part: str) -> Iterator[tuple[str, Place]]:
    """The name and the place of each line that has `part` in it, with the ends of lines."""
    text, wanted, at = _names(), part.encode(), -1
    while (at := text.find(wanted, at + 1)) >= 0:
        start = text.rfind(b"\n", 0, at + 1) + 1
        if part.endswith("\n"):
            start = text.rfind(b"\n", 0, at) + 1
        yield _read(text[start : text.find(b"\n", start)])


def _read(line: bytes) -> tuple[str, Place]:
    key, city, region, country = line.decode().split("\t")
    return key, Place(city, region, country)
