"""Dates as people write them in four languages, to spans of days in local time.

    meaning("May 2021", calendar)            -> 2021-05-01 up to, and without, 2021-06-01
    phrases("dogs last summer", calendar)    -> where "last summer" stands, and its days

Seasons are three whole months long; weeks begin on Monday. No photo is of the future: a date
without a year is the latest one, or that of any year.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from msgspec import Struct

from photosearch.search.dates.calendar import Calendar, Period, Span, Yearly, bounded
from photosearch.search.dates.grammar import Grammar, Meant
from photosearch.search.dates.locales import Locale
from photosearch.search.dates.saying import any_year, said
from photosearch.search.dates.words import MONTH, MONTHS

__all__ = [
    "MONTH",
    "MONTHS",
    "Calendar",
    "Locale",
    "Period",
    "Phrase",
    "Span",
    "Yearly",
    "bounded",
    "meaning",
    "outer",
    "phrases",
    "said",
]


class Phrase(Struct, frozen=True):
    """A date found in a text, from character `start` to `end`: days of any of `spans`.

    There are none when the text looks like a date but is no day, as 31/02/2021. `said` is
    short, in the locale's language. `side` is "before", "after", "since" or "until" where they are
    bounded by a date. `seasonal` tells that it depends on the half of the Earth.
    """

    start: int
    end: int
    spans: tuple[Span, ...]
    said: str
    side: str = ""
    seasonal: bool = False


def phrases(text: str, calendar: Calendar) -> Iterator[Phrase]:
    """The dates in a description, in order, with the words that belong to them."""
    grammar = Grammar(text, calendar)
    at = 0
    while at < len(grammar.tokens):
        found = grammar.phrase(at)
        if found is not None:
            yield _phrase(found, grammar, at, text, calendar)
        at = found.end if found is not None else at + 1


def meaning(text: str, calendar: Calendar) -> Phrase | None:
    """The days that all of `text` means, or None when it is no date."""
    grammar = Grammar(text, calendar)
    found = grammar.whole()
    return None if found is None else _phrase(found, grammar, 0, text, calendar)


def outer(spans: tuple[Span, ...], today: date) -> Period | None:
    """From the first to the last of these days; None for those of any year."""
    periods = [one for one in spans if isinstance(one, Period)]
    if len(periods) < len(spans) or not periods:
        return None
    starts, ends = [one.start for one in periods], [one.end for one in periods]
    return Period(
        None if None in starts else min(start for start in starts if start),
        None if None in ends else max(end for end in ends if end),
    )


def _phrase(found: Meant, grammar: Grammar, at: int, text: str, calendar: Calendar) -> Phrase:
    start, end = grammar.tokens[at].start, grammar.tokens[found.end - 1].end
    language = calendar.locale.language
    if found.name:
        words = text[start:end].split()
        short = any_year(words[-1] if len(words) < 3 else " ".join(words[1:]), language)
    else:
        short = said(found.spans, language, found.side, found.bound) if found.spans else ""
    return Phrase(start, end, found.spans, short, found.side, found.seasonal)
