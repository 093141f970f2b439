"""What may be meant by what is being typed, with how many photos there are of each.

Names, filters and searches that were made before; the text of the box with one of them put in
where the caret is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Literal, TypeAlias

from index import Catalogue, SavedSearch
from index.catalogue.functions import folded, place_key
from photosearch.formats import formats
from photosearch.read_beside import ReadBeside
from photosearch.search.caret import Stretch, stretches
from photosearch.search.dates import Calendar, Locale, Period, meaning
from photosearch.search.dates import said as said_of
from photosearch.search.filters import Filter, filters
from photosearch.search.lexicon import SMALL, asking
from photosearch.search.tally import START, WITHIN, Name, NameKind, Tally

SuggestionKind: TypeAlias = Literal[
    "place", "year", "month", "folder", "camera", "album", "keyword", "person",
    "saved", "recent", "filter", "value",
]  # fmt: skip

# No more of one kind are shown, to leave room for others.
_OF_A_KIND = 4
_OF_SEARCHES = 2
# Which names are values of which filter; those that are written by themselves have none.
_VALUES: dict[str, tuple[NameKind, ...]] = {
    "in": ("place",),
    "near": ("place",),
    "folder": ("folder",),
    "camera": ("camera",),
    "keyword": ("keyword", "person"),
    "person": ("person",),
    "album": ("album",),
    **dict.fromkeys(("on", "before", "after", "since", "until"), ("year", "month")),
    "year": ("year",),
    "month": ("month",),
}
_FILTER_OF: dict[NameKind, str] = {
    "place": "in",
    "year": "on",
    "month": "on",
    "folder": "folder",
    "camera": "camera",
    "keyword": "keyword",
    "person": "person",
    "album": "album",
}
# What stands after "in" as it is: capitals, and no sign that means something in the box.
_SIMPLE = re.compile(r"[^\W\d_a-z][^\s\d:\"\\,;<>=]*(?: [^\W\d_][^\s\d:\"\\,;<>=]*){0,3}")


@dataclass(frozen=True)
class Suggestion:
    """Something that may be meant, and the `text` of the box with it, and the caret, in that.

    `label` names it, and `detail` says more. `count` photos are of it, and `cover` is the id of
    one; both are None where it is no name of photos. `sort` is that of a saved search.
    """

    kind: SuggestionKind
    label: str
    text: str
    caret: int
    detail: str = ""
    count: int | None = None
    cover: int | None = None
    sort: str = ""


class Suggester:
    """Suggests for one catalogue, and keeps its names until it has changed."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._names = ReadBeside(catalogue, Tally.of)

    def tally(self) -> Tally:
        """The names, as they are, or were a little while ago. Raises `CatalogueError`."""
        return self._names.now()

    def suggest(
        self,
        text: str,
        caret: int | None = None,
        *,
        recent: Sequence[str] = (),
        limit: int = 8,
        locale: str = "",
    ) -> list[Suggestion]:
        """See `Library.suggest`."""
        where = Locale.of(locale)
        caret = len(text) if caret is None else max(0, min(caret, len(text)))
        searches = list(_searches(text, self._catalogue.saved.all(), recent))
        if not text.strip():
            return searches[:limit]
        tally = self.tally()
        found: list[_Ranked] = []
        for stretch in stretches(text, caret):
            found += _of_stretch(text, stretch, tally, where, limit)
            # Of "new yo" more is meant than of "yo".
            if any(rank[0] < WITHIN for rank, _ in found):
                break
        found.sort(key=lambda one: one[0])
        # A name says more than that it was searched for.
        named = {one.text for _, one in found}
        before = (one for one in searches if one.kind == "saved" or one.text not in named)
        return _chosen(chain(_few(before), (one for _, one in found)), limit)


# How it ranks, and what it is: smaller ranks come first.
_Ranked: TypeAlias = tuple[tuple[float, ...], Suggestion]


def _of_stretch(
    text: str, stretch: Stretch, tally: Tally, locale: Locale, limit: int
) -> Iterator[_Ranked]:
    key = place_key(stretch.typed)
    if stretch.filter is not None:
        yield from _values(text, stretch, key, tally, locale, limit)
        return
    if not key:
        if stretch.after and " " not in stretch.after:  # "in the" is a description, mostly
            for rank, name in enumerate(tally.most(("place",))[:limit]):
                yield (START, rank), _named(text, stretch, name, locale)
        return
    words = key.split()
    # "an" may be the beginning of Anna, and "an an" is none.
    if words[0] in SMALL and (len(words) > 1 or len(key) < 2):
        return
    kinds: tuple[NameKind, ...] | None = tuple(_FILTER_OF) if stretch.sign else None
    for rank, (how, name) in enumerate(tally.met(key, kinds)[: 4 * limit]):
        yield (how, rank), _named(text, stretch, name, locale)
    if len(words) == 1 and not stretch.after:
        yield from _filters(text, stretch, locale)


def _values(
    text: str, stretch: Stretch, key: str, tally: Tally, locale: Locale, limit: int
) -> Iterator[_Ranked]:
    one = stretch.filter
    assert one is not None
    kinds = _VALUES.get(one.name)
    if kinds is None:
        for rank, value in enumerate(_known_values(one)):
            if folded(value).startswith(folded(stretch.typed)):
                written = stretch.sign + asking(one.name, value)
                yield (START, rank), _put("value", value, text, stretch, written)
        return
    names = [name for _, name in tally.met(key, kinds)] if key else tally.most(kinds)
    for rank, name in enumerate(names[:limit]):
        yield (START, rank), _named(text, stretch, name, locale)


def _known_values(one: Filter) -> Sequence[str]:
    if one.name == "type":
        return sorted(formats())
    examples = (value for example in one.examples for _, _, value in [example.partition(":")])
    return one.choices or [value.strip('"') for value in examples if value]


def _filters(text: str, stretch: Stretch, locale: Locale) -> Iterator[_Ranked]:
    """Filters whose names begin so, with an example."""
    typed = stretch.typed.lower()
    for rank, one in enumerate(filters().values()):
        if any(name.startswith(typed) for name in (one.name, *one.aliases)):
            example = one.examples[0]
            written = f"{stretch.sign}{one.name}:"
            yield (
                (START + 0.5, rank),
                _put(
                    "filter", example, text, stretch, written, detail=one.help.said(locale.language)
                ),
            )


def _named(text: str, stretch: Stretch, name: Name, locale: Locale) -> Suggestion:
    label = said(name, locale)
    if stretch.filter is not None:
        written = stretch.sign + asking(stretch.filter.name, name.value)
    elif stretch.sign:
        written = stretch.sign + asking(_FILTER_OF[name.kind], name.value)
    else:
        written = _in_words(name, label, stretch, locale)
    return _put(name.kind, label, text, stretch, written, name)


def said(name: Name, locale: Locale) -> str:
    """How it is called, months in the language of the locale."""
    if name.kind != "month":
        return name.label
    year, month = map(int, name.value.split("-"))
    if not 0 < year < 9999:
        return name.value
    end = date(year + month // 12, month % 12 + 1, 1)
    return said_of([Period(date(year, month, 1), end)], locale.language)


def _in_words(name: Name, label: str, stretch: Stretch, locale: Locale) -> str:
    """What is written of it beside other words."""
    if name.kind in ("year", "month"):
        return f"{stretch.after} {label}".strip()
    # Some towns are called like a month.
    if name.kind == "place" and _SIMPLE.fullmatch(label) and not _is_date(label, locale):
        return f"{stretch.after.split(' ')[0] or 'in'} {label}"
    return asking(_FILTER_OF[name.kind], name.value)


def _is_date(text: str, locale: Locale) -> bool:
    return meaning(text, Calendar(date.today(), locale, False)) is not None


def _put(
    kind: SuggestionKind,
    label: str,
    text: str,
    stretch: Stretch,
    written: str,
    name: Name | None = None,
    detail: str = "",
) -> Suggestion:
    before = text[: stretch.start] + written
    return Suggestion(
        kind,
        label,
        before + text[stretch.end :],
        len(before),
        detail if name is None else name.detail,
        None if name is None else name.count,
        None if name is None else name.cover,
    )


def _searches(
    text: str, saved: Iterable[SavedSearch], recent: Iterable[str]
) -> Iterator[Suggestion]:
    """Whole searches that begin with the text, or in which a word does."""
    typed = folded(" ".join(text.split()))
    for one in saved:
        if _begins(typed, one.name) or _begins(typed, one.text):
            detail = one.text if one.text != one.name else ""
            yield Suggestion("saved", one.name, one.text, len(one.text), detail, sort=one.sort)
    for other in recent:
        if _begins(typed, other) and folded(other) != typed:
            yield Suggestion("recent", other, other, len(other))


def _begins(typed: str, text: str) -> bool:
    whole = folded(text)
    inside = len(typed) > 1 and re.search(rf"\b{re.escape(typed)}", whole)
    return whole.startswith(typed) or bool(inside)


def _few(searches: Iterable[Suggestion]) -> Iterator[Suggestion]:
    counts = {"saved": 0, "recent": 0}
    for one in searches:
        counts[one.kind] += 1
        if counts[one.kind] <= _OF_SEARCHES:
            yield one


def _chosen(found: Iterable[Suggestion], limit: int) -> list[Suggestion]:
    """The first of them, each text once, and of none kind too many."""
    chosen: dict[str, Suggestion] = {}
    counts: dict[str, int] = {}
    left: list[Suggestion] = []
    for one in found:
        if not one.text or one.text in chosen:
            continue
        counts[one.kind] = counts.get(one.kind, 0) + 1
        if counts[one.kind] > _OF_A_KIND:
            left.append(one)
            continue
        chosen[one.text] = one
        if len(chosen) == limit:
            break
    for one in left[: limit - len(chosen)]:
        chosen.setdefault(one.text, one)
    return list(chosen.values())
