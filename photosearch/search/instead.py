"""What to search for instead, where nothing was found.

Which words failed, what is nearest to them that photos have, and what one part fewer would find.
It is asked for only then: it takes a search for each part, and for each proposal.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from index.catalogue.conditions import Condition, Either, Taken
from index.catalogue.functions import kilometres, place_key, words_in
from photosearch.search.dates import Locale
from photosearch.search.filters import Filters
from photosearch.search.lexicon import SMALL, asking
from photosearch.search.query import Part, Query
from photosearch.search.suggest import said
from photosearch.search.tally import Name, NameKind, Tally
from photosearch.words.choosing import english
from photosearch.words.dictionary import english_words
from photosearch.words.folding import fold

NearestBy: TypeAlias = Literal["place", "date", "name", "spelling"]

# Filters whose values are names, and of which kinds.
_KINDS: dict[str, tuple[NameKind, ...]] = {
    "in": ("place",),
    "near": ("place",),
    "folder": ("folder",),
    "camera": ("camera",),
    "keyword": ("keyword", "person", "album"),
    "person": ("person",),
    "album": ("album",),
    "words": ("keyword", "person", "album", "folder", "camera"),
}
_DATES = frozenset({"on", "before", "after", "since", "until", "year", "month", "date"})
# How much two words have in common to be one that was misspelt; less where all letters are there.
_ALIKE, _TURNED = 0.8, 0.7
# How many parts are looked at, each of which takes a search, and how many proposals for each.
_PARTS, _PROPOSED = 6, 3


@dataclass(frozen=True)
class Fewer:
    """Without the part `what` there are `count` photos, which `text` finds.

    Where `what` is a filter that was given beside the text, `text` is the same.
    """

    what: str
    text: str
    count: int


@dataclass(frozen=True)
class Nearest:
    """In the place of the part `what` there could be `label`; `text` finds `count` photos then.

    `by` is how it is near: a place by `kilometres`, where these are known, or a date in time, a
    name that photos have, or a word as it is spelled.
    """

    what: str
    by: NearestBy
    label: str
    text: str
    count: int
    kilometres: float | None = None


@dataclass(frozen=True)
class Instead:
    """`failed` are the parts of which no photo is: filters none meets, words none looks like.

    There are none where each part has photos, and no photo has all of them.
    """

    failed: tuple[str, ...] = ()
    nearest: tuple[Nearest, ...] = ()
    fewer: tuple[Fewer, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What a library can be asked: what a text means, and how many photos are found for a text and
    filters. `cities` are those that photos were taken in, with a point in each.
    """

    understand: Callable[[str], Query]
    count: Callable[[str, Filters | None], int]
    cities: Callable[[], Sequence[tuple[str, float, float]]]
    locate: Callable[[str], tuple[float, float] | None]
    tally: Callable[[], Tally]
    locale: Locale


def instead(text: str, filters: Filters | None, asked: Asked) -> Instead:
    """What to search for in the place of `text`, with which nothing was found."""
    query = asked.understand(text)
    parts = _parts(query)
    given = _given(filters)
    some = [part for part in parts if part.kind in ("filter", "words", "unlike")][:_PARTS]
    failed = [part for part in some if not asked.count(_typed(text, part), None)]
    failed_given = [name for name, one in given if not asked.count("", one)]
    fewer = list(_fewer(text, filters, parts, given, asked))
    nearest = [
        one
        for part in failed
        for one in _nearest(_without(text, failed, part), filters, part, asked)
    ]
    names = [_typed(text, part) for part in failed]
    if not failed and not failed_given:
        words = [part for part in parts if part.kind == "like" and part.name == "text"]
        said = _words(text, words)
        for word in said:
            if not asked.count(f"\\{word}", None):
                names.append(word)
            nearest += _spelled(text, filters, word, asked)
        if len(names) == len(said) and len(parts) == len(words):
            names = []  # all of it, which is said without naming them
    return Instead((*names, *failed_given), tuple(nearest), tuple(fewer))


def _parts(query: Query) -> list[Part]:
    return [part for part in query.parts if part.kind != "fact"]


def _given(filters: Filters | None) -> list[tuple[str, Filters]]:
    """Each filter given beside the text, as it could be typed, by itself."""
    given: dict[str, Any] = {} if filters is None else dict(filters.given)
    return [(f"{name}:{value}", Filters(**{name: value})) for name, value in given.items()]


def _typed(text: str, part: Part) -> str:
    return text[part.start : part.end]


def _without(text: str, parts: Iterable[Part], but: Part) -> str:
    """The text with blanks in the place of parts, so that what is left stays where it is."""
    for part in parts:
        if part != but:
            text = text[: part.start] + " " * (part.end - part.start) + text[part.end :]
    return text


def _put(text: str, part: Part, other: str) -> str:
    return " ".join(f"{text[: part.start]} {other} {text[part.end :]}".split())


def _fewer(
    text: str,
    filters: Filters | None,
    parts: Sequence[Part],
    given: Sequence[tuple[str, Filters]],
    asked: Asked,
) -> Iterator[Fewer]:
    """What is found without each of the parts, most photos first."""
    if len(parts) + len(given) < 2:
        return
    found = []
    for part in parts[:_PARTS]:
        left = _put(text, part, "")
        if left or given:
            found.append(Fewer(_typed(text, part), left, asked.count(left, filters)))
    for name, one in given[:_PARTS]:
        rest: dict[str, Any] = dict(filters.given) if filters else {}
        rest.pop(one.given[0][0])
        if text or rest:
            found.append(Fewer(name, text, asked.count(text, Filters(**rest))))
    yield from sorted((one for one in found if one.count), key=lambda one: -one.count)


def _nearest(text: str, filters: Filters | None, part: Part, asked: Asked) -> Iterator[Nearest]:
    """What photos have that is near to a part that none has."""
    typed = _typed(text, part)
    tally = asked.tally()
    found: list[tuple[NearestBy, str, str, float | None]]
    if part.name in _DATES:
        found = [("date", label, written, None) for label, written in _dates(typed, tally, asked)]
    elif part.name in _KINDS:
        value = _value(typed)
        names = list(_alike(value, tally, _KINDS[part.name]))
        filter_ = {"words": "", "near": "in"}.get(part.name, part.name)
        found = [
            ("name", one.label, asking(filter_, one.value) if filter_ else f'"{one.label}"', None)
            for one in names
        ]
        if part.name in ("in", "near"):
            known = {one.label for one in names}
            found += [
                ("place", name, asking("in", name), away)
                for name, away in _near(value, asked)
                if name not in known
            ]
    else:
        return
    for by, label, written, away in found[:_PROPOSED]:
        other = _put(text, part, written)
        count = asked.count(other, filters)
        if count:
            yield Nearest(typed, by, label, other, count, away)


def _value(typed: str) -> str:
    """What a filter is asked about, or a place that is named in words."""
    value = typed.partition(":")[2] or typed
    words = value.strip().strip('"').split()
    while words and words[0].lower() in SMALL | {"in", "from", "at", "aus", "bei"}:
        words = words[1:]
    return " ".join(words)


def _alike(value: str, tally: Tally, kinds: Iterable[NameKind]) -> Iterator[Name]:
    """Names that are spelled like this, or one of whose words is."""
    key = place_key(value)
    wanted = frozenset(kinds)
    by_key: dict[str, Name] = {}
    for name in sorted(tally.names, key=lambda one: -one.count):
        if name.kind in wanted:
            for whole in name.keys:
                for one in (whole, *whole.split()):
                    if abs(len(one) - len(key)) < 3:
                        by_key.setdefault(one, name)
    near = difflib.get_close_matches(key, by_key, _PROPOSED, _ALIKE)
    yield from dict.fromkeys(by_key[one] for one in near)


def _near(value: str, asked: Asked) -> list[tuple[str, float]]:
    """Places with photos that lie nearest to one of this name, with kilometres."""
    point = asked.locate(value)
    if point is None:
        return []
    away = [(name, kilometres(*point, north, east)) for name, north, east in asked.cities()]
    return sorted(away, key=lambda one: one[1])[:2]


def _dates(typed: str, tally: Tally, asked: Asked) -> Iterator[tuple[str, str]]:
    """The months with photos that are nearest to days, before them and after them."""
    start, end = _bounds(asked.understand(typed).conditions)
    months = sorted((one for one in tally.names if one.kind == "month"), key=lambda one: one.value)
    before = [one for one in months if start is not None and one.value < start[:7]]
    after = [one for one in months if end is not None and one.value >= end[:7]]
    filtered = ":" in typed
    for one in (*before[-1:], *after[:1]):
        label = said(one, asked.locale)
        yield label, f"on:{one.value}" if filtered else label


def _bounds(conditions: Iterable[Condition]) -> tuple[str | None, str | None]:
    """From which day on, and up to which, photos were asked for; None where that has no end."""
    for one in conditions:
        spans = one.conditions if isinstance(one, Either) else (one,)
        taken = [each for each in spans if isinstance(each, Taken)]
        if taken:
            starts, ends = [each.start for each in taken], [each.end for each in taken]
            first = None if None in starts else min(start for start in starts if start)
            last = None if None in ends else max(end for end in ends if end)
            return first, last
    return None, None


def _words(text: str, parts: Iterable[Part]) -> list[str]:
    """The words of a description that say something."""
    words = [word.strip(".,;!?()'") for part in parts for word in _typed(text, part).split()]
    telling = [word for word in words if word and word.lower() not in SMALL and "\\" not in word]
    return list(dict.fromkeys(telling))[:_PARTS]


def _spelled(text: str, filters: Filters | None, word: str, asked: Asked) -> Iterator[Nearest]:
    """Names that photos have, and English words, that are spelled like a word that is none."""
    key = fold(word)
    if english(key) > 0 or len(key) < 4 or key not in words_in(word):
        return  # it is one, or none that is written with letters alone
    kinds: tuple[NameKind, ...] = ("place", "camera", "album", "keyword", "person", "folder")
    labels = [one.label for one in _alike(word, asked.tally(), kinds)]
    words = english_words(key[0], len(key))
    turned = [one for one in words if sorted(one) == sorted(key)]
    labels += difflib.get_close_matches(key, turned, 1, _TURNED)
    labels += difflib.get_close_matches(key, words, 2, _ALIKE)
    for label in dict.fromkeys(labels[: _PROPOSED + 1]):
        other = text.replace(word, label, 1)
        count = asked.count(other, filters)
        if count:
            yield Nearest(word, "spelling", label, other, count)
