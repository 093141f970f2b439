"""Whatever is typed is understood, or refused at a character of it; nothing else happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.catalogue.conditions import Condition
from photosearch.errors import UsageError
from photosearch.photo import photo_named
from photosearch.search.dates import Locale
from photosearch.search.filters import FILTERS, World, names, read
from photosearch.search.filters.places import area_of
from photosearch.search.parse import parse
from photosearch.search.query import Described, Query, QueryError
from photosearch.search.typed import Typed

Result = TypeVar("Result")
Refusal = TypeVar("Refusal", bound=Exception)

WORDS = (
    "dogs", "beach", "without", "no", "and", "in", "the", "last", "summer", "May", "2021", "31",
    ".", "/", "ago", "years", "3", "seit", "vor", "Jahren", "zwischen", "from", "to", "Rome",
    "Turkey", "today", "easter", "'21", "0", "999", "first", "week", "of", "early", "KW", "Q",
    "half", "..", "\u00bd", "\u00b2", "\u0663", "\u00df", "\u0130", "e\u0301", "\u3000", "\u00a0",
    "\u2028", "\0", "\ud800", "\U0001f600",
)  # fmt: skip
SIGNS = (
    '"', "\u201c", "\u300d", "-", "\u2013", "+", "\\", ":", "\uff1a", "\uff02", "2:", ".5:",
    "1001:", "photo:", "image:", "image:1", "photo:99999999999999999999", "~/a.jpg", "C:\\a.jpg",
    "en:", "de:", "rating>=", "\u2265", "near:", "41.9,12.5", "5km",
    *(f"{name}:" for name in names()),
)  # fmt: skip
PIECES = st.sampled_from((*WORDS, *SIGNS, *(" " * 40)))
TEXTS = st.one_of(st.lists(PIECES, max_size=20).map("".join), st.text(max_size=8))
TODAY = st.dates(date(1970, 1, 1), date(2099, 12, 31))
LOCALES = st.sampled_from(("en-US", "de-AT", "en-ZA"))


def world(today: date = date(2024, 7, 10), locale: str = "en-US") -> World:
    return World(
        today=today,
        locale=Locale.of(locale),
        places=frozenset({"rome", "new york", "turkey"}),
        locate=lambda name: (41.9, 12.5) if name.lower() == "rome" else None,
    )


def understood(text: str, today: date = date(2024, 7, 10), locale: str = "en-US") -> Query | None:
    found = tried(lambda: parse(text, world(today, locale)), QueryError)
    if isinstance(found, Query):
        return found
    assert found.text == text
    assert 0 <= found.position <= len(text)
    assert found.reason
    shown, caret = found.pointer.splitlines()
    assert len(shown) == len(text) + 2
    assert caret.index("^") == found.position + 2
    return None


def tried(run: Callable[[], Result], error: type[Refusal]) -> Result | Refusal:
    try:
        return run()
    except error as refusal:
        return refusal


@given(TEXTS, TODAY, LOCALES)
@example("dogs \\ 1998", date(2024, 7, 10), "en-US")
@example("photo:photo:", date(2024, 7, 10), "en-US")
@example("2019 \u2028 2021-05", date(2024, 7, 10), "en-US")
@example("2:last summer dogs", date(2024, 7, 10), "en-US")
def test_each_part_stands_in_what_was_typed(text: str, today: date, locale: str) -> None:
    query = understood(text, today, locale)
    if query is None:
        return
    assert query.text == text
    assert all(isinstance(one, Condition) for one in query.conditions)
    last = 0
    for part in query.parts:
        assert last <= part.start < part.end <= len(text)
        last = part.end
        assert part.meaning
    for term in query.terms:
        assert not isinstance(term.content, Described) or term.content.text.split()


@given(TEXTS)
def test_a_part_alone_means_the_same(text: str) -> None:
    """The page takes parts out of the box, and leaves the others as they are."""
    query = understood(text)
    for part in query.parts if query is not None else ():
        if part.kind == "filter" and part.name not in ("in", "date", "month", "before", "after"):
            again = parse(text[part.start : part.end], world())
            assert [(one.kind, one.name, one.meaning) for one in again.parts] == [
                (part.kind, part.name, part.meaning)
            ]


@given(TEXTS)
def test_what_is_escaped_is_a_description(text: str) -> None:
    """A backslash before each word makes the whole a plain description."""
    plain = Typed.of(text).text.split()
    escaped = " ".join(f"\\{word}" for word in plain)
    query = understood(escaped)
    if query is not None and not any(part.name == "photo" for part in query.parts):
        assert query.conditions == ()
        assert [term.content for term in query.terms] == (
            [Described(" ".join(plain))] if plain else []
        )


@given(TEXTS)
def test_a_literal_text_is_never_refused(text: str) -> None:
    query = parse(text, world(), literal=True)
    assert query.conditions == ()
    assert len(query.terms) == bool(text.split())


@given(st.text())
@example("\u2265e\u0301\uff01")
def test_plain_characters_stand_where_they_were_typed(text: str) -> None:
    typed = Typed.of(text)
    assert len(typed.starts) == len(typed.text) + 1
    assert list(typed.starts) == sorted(typed.starts)
    assert typed.said(0, len(typed.text)) == text
    assert Typed.of(typed.text).text == typed.text


@given(st.sampled_from(sorted(FILTERS)), TEXTS, TODAY, LOCALES)
def test_a_filter_takes_its_value_or_says_why_not(
    name: str, value: str, today: date, locale: str
) -> None:
    found = tried(lambda: read(FILTERS[name], value, world(today, locale)), ValueError)
    assert str(found) if isinstance(found, ValueError) else found.said


EDGES = st.one_of(
    st.floats(-200, 200, allow_nan=False).map(lambda edge: f"{edge:.4f}"),
    st.sampled_from(("", "-90", "90", "180", "-180", "nan", "inf", "1e3", "+5", " 7 ", "\u0663")),
)


@given(st.lists(EDGES, max_size=6))
@example(["-17.2", "179.9", "-16.8", "-179.9"])
def test_an_area_is_one_of_the_earth_or_is_refused(edges: list[str]) -> None:
    area = tried(lambda: area_of(",".join(edges)), ValueError)
    if isinstance(area, ValueError):
        assert str(area)
        return
    assert len(edges) == 4
    assert -90 <= area.south <= area.north <= 90
    assert abs(area.west) <= 180 >= abs(area.east)
    assert 0 <= area.width <= 360
    middle, east = area.centre
    assert area.holds(np.array([middle]), np.array([east])).all()


@given(TEXTS)
def test_a_photo_is_named_or_refused(text: str) -> None:
    found = tried(lambda: photo_named(text), UsageError)
    assert str(found)


def test_every_filter_is_tried() -> None:
    assert {f"{name}:" for name in FILTERS} <= set(SIGNS)
    with pytest.raises(QueryError):
        parse("nothere:1", world())
