"""Dates as people write them, to periods of days. English, and local time.

    period("May 2021", today)       -> 2021-05-01 up to, and without, 2021-06-01
    phrases("dogs last summer", today)  -> where "last summer" stands, and its period

Seasons are those of the northern half of the Earth, of three whole months; weeks begin on Monday.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
# First day, and how many.
_FEASTS = {
    "christmas": (12, 24, 3),
    "halloween": (10, 31, 1),
    "new year's eve": (12, 31, 1),
    "new year": (12, 31, 2),
}
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}


@dataclass(frozen=True)
class Period:
    """From the day `start` up to, and without, the day `end`; None is without bound."""

    start: date | None
    end: date | None


@dataclass(frozen=True)
class Phrase:
    """A date found in a text, from character `start` to `end`; `month` when no year is named."""

    start: int
    end: int
    period: Period | None
    month: int | None = None


# Parts of the patterns. `may` and `march` are words too, which is why a month alone counts only
# after "in".
_MONTH = rf"(?:{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in MONTHS)}|sept)\b\.?"
_YEAR = r"(?:19|20)\d\d"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
_SEASON = "|".join(_SEASONS)
_FEAST = "|".join(sorted(_FEASTS, key=len, reverse=True))
_COUNT = r"(?:\d{1,3}|" + "|".join(_NUMBERS) + ")"
_UNIT = "(?:day|week|month|year)s?"
_NAMED = f"{_SEASON}|{_FEAST}|{'|'.join(_WEEKDAYS)}|weekend|week|month|year"


def _clean(text: str) -> str:
    return " ".join(text.lower().replace("\u2019", "'").replace(",", " ").split())


_Read = Callable[[re.Match[str], date], Period | None]
_FORMS: list[tuple[str, _Read]] = []


def _form(pattern: str) -> Callable[[_Read], _Read]:
    """Registers how the date that matches `pattern` is read."""

    def register(read: _Read) -> _Read:
        _FORMS.append((pattern, read))
        return read

    return register


def _month_number(name: str) -> int:
    return next(n for n, month in enumerate(MONTHS, 1) if month.startswith(name.rstrip(".")))


def _first(year: int, month: int) -> date:
    """The first day of a month, which may be counted on beyond December or back."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def _months(year: int, month: int, count: int = 1) -> Period:
    return Period(_first(year, month), _first(year, month + count))


def _days(first: date, count: int = 1) -> Period:
    return Period(first, first + timedelta(days=count))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _dated(year: str, month: int, day: str) -> Period | None:
    try:
        return _days(date(int(year), month, int(re.sub(r"\D", "", day))))
    except ValueError:  # such as 31 April
        return None


@_form(rf"({_YEAR})")
def _year(found: re.Match[str], today: date) -> Period:
    return _months(int(found[1]), 1, 12)


@_form(rf"(?:the )?({_YEAR[:-2]}0)s")
def _decade(found: re.Match[str], today: date) -> Period:
    return _months(int(found[1]), 1, 120)


@_form(rf"({_YEAR})[-/.](\d\d?)")
def _year_month(found: re.Match[str], today: date) -> Period | None:
    month = int(found[2])
    return _months(int(found[1]), month) if 1 <= month <= 12 else None


@_form(rf"({_YEAR})[-/.](\d\d?)[-/.](\d\d?)")
def _iso(found: re.Match[str], today: date) -> Period | None:
    return _dated(found[1], int(found[2]), found[3]) if int(found[2]) <= 12 else None


@_form(rf"(\d\d?)\.\s?(\d\d?)\.\s?({_YEAR})")
def _dotted(found: re.Match[str], today: date) -> Period | None:
    return _dated(found[3], int(found[2]), found[1])


@_form(rf"(\d\d?)/(\d\d?)/({_YEAR})")
def _slashed(found: re.Match[str], today: date) -> Period | None:
    """Only where it does not matter whether the day or the month comes first."""
    one, other = int(found[1]), int(found[2])
    if one <= 12 and other <= 12 and one != other:
        return None
    return _dated(found[3], min(one, other), str(max(one, other)))


@_form(rf"({_DAY}) (?:of )?({_MONTH}) ({_YEAR})")
def _day_month(found: re.Match[str], today: date) -> Period | None:
    return _dated(found[3], _month_number(found[2]), found[1])


@_form(rf"({_MONTH}) ({_DAY}) ({_YEAR})")
def _month_day(found: re.Match[str], today: date) -> Period | None:
    return _dated(found[3], _month_number(found[1]), found[2])


@_form(rf"({_MONTH}) (?:of )?({_YEAR})")
def _month_year(found: re.Match[str], today: date) -> Period:
    return _months(int(found[2]), _month_number(found[1]))


@_form(rf"({_SEASON}|{_FEAST}) (?:of |in )?({_YEAR})")
def _named_year(found: re.Match[str], today: date) -> Period:
    return _named(found[1], int(found[2]))


def _named(name: str, year: int) -> Period:
    if name in _SEASONS:
        return _months(year, _SEASONS[name], 3)
    if name in _FEASTS:
        month, day, count = _FEASTS[name]
        return _days(date(year, month, day), count)
    return _months(year, _month_number(name))


@_form("today")
def _today(found: re.Match[str], today: date) -> Period:
    return _days(today)


@_form("yesterday")
def _yesterday(found: re.Match[str], today: date) -> Period:
    return _days(today - timedelta(days=1))


@_form(rf"(this|last) ({_NAMED}|{_MONTH})")
def _relative(found: re.Match[str], today: date) -> Period:
    last, name = found[1] == "last", found[2]
    if name in ("year", "month", "week"):
        return _unit(name, int(last), today)
    if name == "weekend":
        saturday = _monday(today) + timedelta(days=5)
        return _days(saturday - timedelta(days=7 * last), 2)
    if name in _WEEKDAYS:
        back = (today.weekday() - _WEEKDAYS.index(name)) % 7
        return _days(today - timedelta(days=back or (7 if last else 0)))
    if not last:
        return _named(name, today.year)
    # The one that ended most recently; a winter begun in the year before may go on.
    past = (_named(name, year) for year in range(today.year, today.year - 3, -1))
    return next(one for one in past if one.end is not None and one.end <= today)


def _unit(name: str, back: int, today: date) -> Period:
    """The day, week, month or year that many before today's."""
    if name == "year":
        return _months(today.year - back, 1, 12)
    if name == "month":
        return _months(today.year, today.month - back)
    if name == "week":
        return _days(_monday(today) - timedelta(weeks=back), 7)
    return _days(today - timedelta(days=back))


@_form(rf"({_COUNT}) ({_UNIT}) ago")
def _ago(found: re.Match[str], today: date) -> Period:
    return _unit(found[2].rstrip("s"), _number(found[1]), today)


@_form(rf"(?:the )?(?:last|past) ({_COUNT}) ({_UNIT})")
def _lately(found: re.Match[str], today: date) -> Period:
    number, unit = _number(found[1]), found[2].rstrip("s")
    if unit in ("day", "week"):
        first = today - timedelta(days=number * (7 if unit == "week" else 1))
    else:
        month = _first(today.year, today.month - number * (12 if unit == "year" else 1))
        # The same day of that month, or its last.
        following = _first(month.year, month.month + 1)
        first = min(month + timedelta(days=today.day - 1), following - timedelta(days=1))
    return Period(first, today + timedelta(days=1))


def _number(text: str) -> int:
    return _NUMBERS[text] if text in _NUMBERS else int(text)


def period(text: str, today: date) -> Period | None:
    """The days that `text` means, or None when it is no date; two dates may be joined by ".."."""
    clean = _clean(text)
    for joint in ("..", " to ", " until "):
        first, found, last = clean.partition(joint)
        if found:
            start, end = period(first, today), period(last, today)
            return _span(start, end) if start and end else None
    years = re.fullmatch(rf"({_YEAR})-({_YEAR})", clean)
    if years:
        return _span(period(years[1], today), period(years[2], today))
    for pattern, read in _FORMS:
        found_form = re.fullmatch(pattern, clean)
        if found_form:
            try:
                return read(found_form, today)
            except (ValueError, OverflowError):  # a date before the year 1
                return None
    return None


def _span(start: Period | None, end: Period | None) -> Period | None:
    """From the beginning of one period to the end of another; None when that is before it."""
    if start is None or end is None or start.start is None or end.end is None:
        return None
    return Period(start.start, end.end) if start.start < end.end else None


# In a description a date counts with the words around it that make it one; a number that may be a
# year counts only after such a word, or as the last one.


def _either(forms: Iterable[str]) -> str:
    """A pattern for any of these, without groups, with more space or a comma between words."""
    joined = "|".join(re.sub(r"\((?!\?)", "(?:", form) for form in forms)
    return f"(?:{joined})".replace(" ", r"(?:\s*,\s*|\s+)")


# A date of any form has one of these. Most descriptions have none, and compiling the pattern that
# finds dates takes longer than comparing 100,000 photos.
_HINT = re.compile(
    rf"\d|\b(?:today|yesterday|this|last|past|{'|'.join(name[:3] for name in MONTHS)})|ago\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=1)
def _words() -> re.Pattern[str]:
    any_date = _either(form for form, _ in _FORMS)
    sure = _either(form for form, read in _FORMS if read is not _year)
    return re.compile(
        rf"\b(?:between\s+(?P<from1>{any_date})\s+and\s+(?P<to1>{any_date})"
        rf"|from\s+(?P<from2>{any_date})\s+(?:to|until|till)\s+(?P<to2>{any_date})"
        rf"|(?P<side>since|after|before|until|till)\s+(?P<bound>{any_date})"
        rf"|(?:in|on|during|from|of|at)\s+(?:the\s+)?(?P<plain>{any_date})"
        rf"|in\s+(?P<month>{_MONTH})"
        rf"|(?:the\s+)?(?P<sure>{sure})"
        rf"|(?P<year>{_YEAR})(?=\s*$))(?![\w:-])",
        re.IGNORECASE,
    )


def phrases(text: str, today: date) -> Iterator[Phrase]:
    """The dates in a description, in order, with the words that belong to them."""
    if not _HINT.search(text):
        return
    for found in _words().finditer(text.replace("\u2019", "'")):
        parts = {name: value for name, value in found.groupdict().items() if value}
        if "month" in parts:
            yield Phrase(*found.span(), None, _month_number(parts["month"].lower()))
            continue
        if "side" in parts:
            meant = bounded(parts["side"].lower(), period(parts["bound"], today))
        elif len(parts) == 2:
            first, last = parts.values()
            meant = _span(period(first, today), period(last, today))
        else:
            (words,) = parts.values()
            meant = period(words, today)
        if meant is not None:
            yield Phrase(*found.span(), meant)


def bounded(side: str, named: Period | None) -> Period | None:
    """The time before, after, since or until a period; the last two have the period in them."""
    if named is None:
        return None
    if side == "before":
        return Period(None, named.start)
    if side == "after":
        return Period(named.end, None)
    return Period(named.start, None) if side == "since" else Period(None, named.end)
