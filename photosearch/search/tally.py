"""The names that a library has, each with how many photos have it, and which of them is its cover.

All of them are read at once, which for 100,000 photos takes a second or so, and kept in memory for
as long as the library stays as it is: who types must not wait for what a letter may mean.
"""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, TypeAlias

from index import Catalogue, Place
from index.catalogue.browsing import PhotoGroup
from index.catalogue.functions import place_key, place_keys
from index.catalogue.people import KnownPerson
from index.catalogue.people_in_files import people_in
from index.paths import is_within, separator_of

NameKind: TypeAlias = Literal[
    "place", "year", "month", "folder", "camera", "album", "keyword", "person"
]
# How a name was met: as a whole, from its beginning, from that of another of its words, by another
# name, or within a word.
WHOLE, START, WORD, OTHER, WITHIN = range(5)
_BELOW = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
# Letters from which on they are looked for in other names and within words, too: Rome has some
# thirty names.
_ENOUGH = 3
# Bytes of paths that are not text and that nobody can type.
_NO_TEXT = re.compile("[\ud800-\udfff]")
_MONTHS = (
    "january januar", "february februar", "march märz", "april", "may mai", "june juni",
    "july juli", "august", "september", "october oktober", "november", "december dezember",
)  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A name that photos have: `value` is what a filter of its kind takes, `detail` where it is.

    `cover` is the id of its newest photo. `keys` are its names, folded, and `others` what else it
    is called.
    """

    kind: NameKind
    label: str
    value: str
    count: int
    cover: int
    keys: tuple[str, ...]
    detail: str = ""
    others: tuple[str, ...] = ()

    @property
    def is_date(self) -> bool:
        return self.kind in ("year", "month")

    @property
    def order(self) -> tuple[int, int]:
        """The smaller, the sooner it is shown."""
        if self.is_date:
            return int(self.kind == "month"), -int(self.value.replace("-", ""))
        return -self.count.bit_length(), -self.cover


class Tally:
    """All names, to be looked up by how they begin."""

    def __init__(self, names: Iterable[Name]) -> None:
        self.names = sorted(names, key=lambda one: one.order)
        starts: list[tuple[str, int, int]] = []
        for number, name in enumerate(self.names):
            for key in name.keys:
                starts.append((key, START, number))
                starts += [(key[one.end() :], WORD, number) for one in re.finditer(" ", key)]
            starts += [(key, OTHER, number) for key in name.others]
        self._starts = sorted(starts)
        whole = [(key, number) for key, how, number in starts if how == START]
        self._text = "\n".join(key for key, _ in whole)
        # Where the key of each name ends in the text.
        self._ends = list(accumulate(len(key) + 1 for key, _ in whole))
        self._numbers = [number for _, number in whole]

    @classmethod
    def of(cls, catalogue: Catalogue) -> Tally:
        """Read all names. Raises `CatalogueError`."""
        shelves = catalogue.shelves
        with catalogue.snapshot():
            names = [
                *_places(shelves.groups("place")),
                *_dates(shelves.groups("month")),
                *_folders(shelves.groups("folder"), catalogue.folders()),
                *_cameras(shelves.groups("camera")),
                *_albums(shelves.groups("album"), catalogue),
                *_people(catalogue, people := catalogue.selection.people()),
                *_keywords(shelves.keyword_groups(), people),
            ]
        return cls(names)

    def met(self, typed: str, kinds: Iterable[NameKind] | None = None) -> list[tuple[int, Name]]:
        """The names that `typed`, folded, begins, or is a part of, and how; the best met first.

        Those of which there are many more photos come first among equals, and then the newest;
        dates come last, the latest first.
        """
        wanted = None if kinds is None else frozenset(kinds)
        found: dict[int, int] = {}
        low = bisect_left(self._starts, (typed, -1, -1))
        for key, how, number in self._starts[low:]:
            if not key.startswith(typed):
                break
            if key == typed and how in (START, OTHER):
                how = WHOLE
            elif how == OTHER and len(typed) < _ENOUGH:
                continue
            found[number] = min(how, found.get(number, how))
        if len(typed) >= _ENOUGH:
            for number in self._within(typed):
                found.setdefault(number, WITHIN)
        met = sorted((how, number) for number, how in found.items())
        named = ((how, self.names[number]) for how, number in met)
        return [one for one in named if wanted is None or one[1].kind in wanted]

    def most(self, kinds: Iterable[NameKind]) -> list[Name]:
        """The names of these kinds, in their order."""
        wanted = frozenset(kinds)
        some = [name for name in self.names if name.kind in wanted]
        return sorted(some, key=lambda one: one.order if one.is_date else (-one.count, 0))

    def _within(self, typed: str) -> Iterator[int]:
        at = self._text.find(typed)
        while at >= 0:
            line = bisect_right(self._ends, at)
            yield self._numbers[line]
            at = self._text.find(typed, self._ends[line])


def _places(groups: Iterable[PhotoGroup]) -> Iterator[Name]:
    """Cities, regions and countries; what one name names is one, as for the filter."""
    # Imported only for libraries that know places.
    from photosearch.indexing.place_names import called

    known = [(Place(**json.loads(group.key)), group) for group in groups if group.key]
    parts = {part for place, _ in known for part in _parts(place)}
    others = called(parts)
    named: dict[str, list[tuple[Place, PhotoGroup]]] = {}
    for place, group in known:
        for part in {_last(part): part for part in _parts(place)}.values():
            named.setdefault(_last(part), []).append((part, group))
    for label, several in named.items():
        above = {_above(part) for part, _ in several}
        whole = _joined(
            "place", label, label, [group for _, group in several], sorted(place_keys(label))
        )
        yield replace(
            whole,
            detail=above.pop() if len(above) == 1 else "",
            others=tuple(sorted({key for part, _ in several for key in others.get(part, ())})),
        )


def _parts(place: Place) -> Iterator[Place]:
    """The city, the region and the country of a place, those that it has."""
    if place.city:
        yield place
    if place.region:
        yield Place("", place.region, place.country)
    if place.country:
        yield Place("", "", place.country)


def _last(part: Place) -> str:
    return part.city or part.region or part.country


def _above(part: Place) -> str:
    names = (part.city, part.region, part.country)
    return ", ".join([name for name in names if name][1:])


def _dates(groups: Iterable[PhotoGroup]) -> Iterator[Name]:
    years: dict[str, list[PhotoGroup]] = {}
    for group in groups:
        year, _, month = group.key.partition("-")
        if not year:
            continue
        years.setdefault(year, []).append(group)
        if month:
            words = _MONTHS[int(month) - 1].split()
            forms = dict.fromkeys(form for word in words for form in (word, word[:3]))
            keys = [f"{place_key(form)} {year}" for form in forms]
            keys += [f"{year} {month}", *(f"{year} {place_key(word)}" for word in words)]
            yield _joined("month", group.key, group.key, [group], keys)
    for year, several in years.items():
        yield _joined("year", year, year, several, [year])


def _folders(groups: Iterable[PhotoGroup], roots: Iterable[str]) -> Iterator[Name]:
    """Folders with all that is below them, but those that all photos are in."""
    tops = [root.rstrip(separator_of(root)) for root in roots]
    inside: dict[str, list[PhotoGroup]] = {}
    for group in groups:
        folder = group.key
        root = _root(folder, tops)
        while len(folder) > len(root) or (folder == root and len(tops) > 1):
            inside.setdefault(folder, []).append(group)
            if folder == root or folder == os.path.dirname(folder):
                break
            folder = os.path.dirname(folder)
    names = Counter(map(os.path.basename, inside))
    for folder, several in inside.items():
        name = os.path.basename(folder)
        if name and not _NO_TEXT.search(folder):
            # One of several of its name is meant by its whole path.
            value = name if names[name] == 1 else folder
            found = _joined("folder", name, value, several, [place_key(name.replace("_", " "))])
            above, root = os.path.dirname(folder), os.path.dirname(_root(folder, tops))
            yield replace(found, detail=above.removeprefix(root).lstrip(separator_of(above)))


def _root(folder: str, tops: Iterable[str]) -> str:
    """The indexed folder that this one is in; "" where there is none any more."""
    above = (one for one in tops if is_within(folder, one))
    return max(above, key=len, default="")


def _cameras(groups: Iterable[PhotoGroup]) -> Iterator[Name]:
    for group in groups:
        if group.key:
            yield _joined("camera", group.key, group.key, [group], [place_key(group.key)])


def _albums(groups: Iterable[PhotoGroup], catalogue: Catalogue) -> Iterator[Name]:
    names = {str(album.id): album.name for album in catalogue.shelves.albums()}
    for group in groups:
        name = names.get(group.key)
        if name:
            yield _joined("album", name, name, [group], [place_key(name)])


def _people(catalogue: Catalogue, people: Iterable[KnownPerson]) -> Iterator[Name]:
    """Those who are in photos, by all their names."""
    for one in people:
        ids = catalogue.selection.present(one.ids)
        if len(ids) and place_key(one.name):
            cover = int(catalogue.selection.by_date(ids, oldest=False)[0])
            keys = dict.fromkeys(map(place_key, one.names))
            found = Name("person", one.name, one.name, len(ids), cover, tuple(filter(None, keys)))
            yield replace(found, detail=_BELOW.join(one.above))


def _keywords(keywords: Iterable[PhotoGroup], people: Iterable[KnownPerson]) -> Iterator[Name]:
    """Those that are not people."""
    persons = {name for one in people for name in one.names}
    every = {group.key: group for group in keywords}
    for group in every.values():
        above, _, last = re.sub(r"[/\\]", "|", group.key).rpartition("|")
        if above and last in every:
            continue  # which is met by those below others, too
        if group.key in persons or people_in([group.key], ()):
            continue
        found = _joined("keyword", last, group.key, [group], [place_key(last)])
        yield replace(found, detail=above.replace("|", _BELOW))


def _joined(
    kind: NameKind, label: str, value: str, groups: Iterable[PhotoGroup], keys: Iterable[str]
) -> Name:
    several = list(groups)
    # Groups of months come newest first; of others that of most photos stands for them all.
    most = several[0] if kind == "year" else max(several, key=lambda one: one.count)
    count = sum(group.count for group in several)
    return Name(kind, label, value, count, most.cover, tuple(dict.fromkeys(filter(None, keys))))
