"""Filters to choose from: what a library has of each, and how many photos of a query that is.

A choice is what can be typed into the box; it is counted among the photos that meet everything else
the box asks for. How choices of one facet go together is the grammar's (`filters.combined`): most
widen each other, people narrow, and of a rating one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from index.catalogue.conditions import (
    Condition,
    Every,
    InAlbum,
    Not,
    OfFormat,
    Peopled,
    Read,
    Screenshot,
    Shaped,
    Simple,
)
from photosearch.search.facet_choices import Candidate, listed, same, width
from photosearch.search.filters import World, combined
from photosearch.search.parse import parse
from photosearch.search.query import Part, Query

if TYPE_CHECKING:
    from index import Catalogue
    from photosearch.search.embed import Picture
    from photosearch.search.searcher import Searcher

FacetName: TypeAlias = Literal[
    "date", "place", "person", "count", "camera", "kind", "shape", "format", "rating", "favourite",
    "album", "folder", "size", "text",
]  # fmt: skip
FACETS: tuple[FacetName, ...] = get_args(FacetName)
# Of "any" choices one is enough, "all" must hold, and "one" takes the place of another.
Together: TypeAlias = Literal["any", "all", "one"]

# Choices that one list has at most, the largest first.
_MOST = 500


@dataclass(frozen=True)
class Choice:
    """What is typed for it, and how many photos it has.

    `value` is what it is called: a name, a day, month or year, a folder; `under` is the country of
    a city. `parts` are where it stands in the box already, and `replaces` what has to leave the box
    when it is chosen, in characters of the text.
    """

    value: str
    filter: str
    count: int
    under: str = ""
    parts: tuple[tuple[int, int], ...] = ()
    replaces: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Facet:
    """The choices of one facet, and all parts of the box that are its own."""

    name: FacetName
    together: Together
    choices: tuple[Choice, ...]
    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Kind:
    """By which filters a facet is asked for, and by conditions of which class where others share
    these.
    """

    filters: tuple[str, ...]
    together: Together = "any"
    of: tuple[type[Simple], ...] = (Simple,)
    excludes: bool = False

    def has(self, name: str, condition: Condition | None) -> bool:
        """Whether a part of the box is one of this facet's."""
        if isinstance(condition, Not):
            return self.excludes and self.has(name, condition.condition)
        widest = Simple in self.of
        return name in self.filters and (widest or isinstance(condition, self.of))


_KINDS: dict[FacetName, _Kind] = {
    "date": _Kind(("on", "before", "after", "since", "until", "year", "month", "date")),
    "place": _Kind(("in", "near", "area")),
    "person": _Kind(("person",), "all"),
    "count": _Kind(("people",), "one", (Peopled,)),
    "camera": _Kind(("camera",)),
    "kind": _Kind(("is",), "one", (OfFormat, Screenshot), excludes=True),
    "shape": _Kind(("is",), of=(Shaped,)),
    "format": _Kind(("type",)),
    "rating": _Kind(("rating",), "one"),
    "favourite": _Kind(("is",), "all", (InAlbum,)),
    "album": _Kind(("album",)),
    "folder": _Kind(("folder",)),
    "size": _Kind(("size",), "one"),
    "text": _Kind(("has",), "all", (Read,)),
}


def facets_set(query: Query) -> dict[str, int]:
    """How many parts of the box each facet has, where it has any."""
    counts = {name: len(_own(kind, query.parts)) for name, kind in _KINDS.items()}
    return {name: count for name, count in counts.items() if count}


def _own(kind: _Kind, parts: Iterable[Part]) -> list[Part]:
    return [one for one in parts if one.condition is not None and kind.has(one.name, one.condition)]


class Facets:
    """Counts the choices of facets in one catalogue."""

    def __init__(self, catalogue: Catalogue, searcher: Searcher) -> None:
        self._selection, self._searcher = catalogue.selection, searcher

    def known(self) -> list[FacetName]:
        """See `Photos.known_facets`."""
        every, world = self._selection.ids(()), self._searcher.world("")
        return [
            name
            for name in FACETS
            if any(count for _, count in listed(name, self._selection, every, world))
        ]

    def of(
        self,
        text: str,
        names: Sequence[FacetName],
        *,
        within: str,
        images: Sequence[Picture],
        everything: bool,
        locale: str,
    ) -> list[Facet]:
        """See `Photos.facets`."""
        world = self._searcher.world(locale)
        query = parse(text, world)

        @cache
        def among(conditions: tuple[Condition, ...]) -> NDArray[np.int64]:
            return self._searcher.ids(
                query, conditions, images, everything=everything, locale=locale
            )

        return [self._facet(name, query, among, world, within) for name in names]

    def _facet(
        self,
        name: FacetName,
        query: Query,
        among: Callable[[tuple[Condition, ...]], NDArray[np.int64]],
        world: World,
        within: str,
    ) -> Facet:
        kind = _KINDS[name]
        own = _own(kind, query.parts)
        # What must hold besides narrows the others; all else gives way, or widens.
        others = [one for one in query.parts if kind.together == "all" or one not in own]
        asked = combined((one.name, one.condition) for one in others if one.condition is not None)
        counted = listed(name, self._selection, among(asked), world, within)
        choices = (_choice(one, count, kind, own) for one, count in counted)
        shown = [one for one in choices if one.count or one.parts]
        if len(shown) > _MOST:
            largest = sorted(shown, key=lambda one: (not one.parts, -one.count))[:_MOST]
            shown = [one for one in shown if one in set(largest)]
        return Facet(name, kind.together, tuple(shown), tuple((one.start, one.end) for one in own))


def _choice(one: Candidate, count: int, kind: _Kind, own: Sequence[Part]) -> Choice:
    there = [part for part in own if same(part.condition, one.condition)]
    gives_way = [part for part in own if part not in there and _gives_way(part, one, kind.together)]
    return Choice(
        one.value,
        one.filter,
        count,
        one.under,
        tuple((part.start, part.end) for part in there),
        tuple((part.start, part.end) for part in gives_way),
    )


def _class(condition: Condition | None) -> type:
    """Of which class both have to be for one of them to be enough, as `combined` has it."""
    return type(condition.conditions[0] if isinstance(condition, Every) else condition)


def _gives_way(part: Part, choice: Candidate, together: Together) -> bool:
    """Whether a part of the box has to go for a choice, as both would have to hold."""
    if together != "any":
        return together == "one"
    condition = choice.condition
    kinds = {_class(part.condition), _class(condition)}
    if part.name != choice.name or len(kinds) > 1:
        return True
    return width(part.condition) != width(condition)
