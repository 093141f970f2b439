"""Dates in numbers: 2021-05-03, 3.5.2021, 04/05/2021, 05/2021, 20210503, 2019/20, 24.12."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from photosearch.search.dates.calendar import Calendar, Period, day, days, months, years
from photosearch.search.dates.point import Needs, Point
from photosearch.search.dates.tokens import Tokens

_SIGNS = ("-", "/", ".")


def year_at(tokens: Tokens, at: int) -> int | None:
    """The year in four digits that stands here."""
    number = tokens.number(at, 4)
    return number if number is not None and 1900 <= number < 2100 else None


def short_year(tokens: Tokens, at: int) -> int | None:
    """The year of which two digits stand after an apostrophe here: '21."""
    number = tokens.number(at + 1)
    if tokens.word(at) != "'" or number is None or not tokens.glued(at + 1):
        return None
    return number + (1900 if number >= 50 else 2000) if len(tokens.word(at + 1)) == 2 else None


def numeric(tokens: Tokens, at: int, calendar: Calendar) -> Point | None:
    """The longest date in numbers that begins here."""
    return max(_all(tokens, at, calendar), key=lambda point: point.end, default=None)


def _all(tokens: Tokens, at: int, calendar: Calendar) -> Iterator[Point]:
    word = tokens.word(at)
    if not word.isdecimal() or not word.isascii():
        return
    if len(word) == 8 and 1900 <= int(word[:4]) <= calendar.today.year + 1:
        found = day(int(word[:4]), int(word[4:6]), int(word[6:]))
        if found:
            yield Point(at + 1, found)
    second = _joined(tokens, at)
    if second is None:
        return
    sign = tokens.word(at + 1)
    yield from _two(tokens, at, sign, calendar)
    third = _joined(tokens, second)
    if third is not None and tokens.word(second + 1) == sign:
        three = _three(tokens, at, calendar)
        if three:
            yield three
    elif sign == "." and tokens.word(second + 1) == "." and tokens.glued(second + 1):
        yield from _without_year(tokens, at, second + 2, "nothing", calendar)


def _joined(tokens: Tokens, at: int) -> int | None:
    """The place of the number after a sign that follows the one here; a point may have a space."""
    if tokens.word(at + 1) not in _SIGNS or not tokens.glued(at + 1):
        return None
    if tokens.number(at + 2, 4) is None:
        return None
    return at + 2 if tokens.glued(at + 2) or tokens.word(at + 1) == "." else None


def _two(tokens: Tokens, at: int, sign: str, calendar: Calendar) -> Iterator[Point]:
    end = at + 3
    if not tokens.glued(at + 2):
        return
    year, month = year_at(tokens, at), tokens.number(at + 2)
    if year and month and month <= 12:
        yield Point(end, months(year, month))
    elif year and _next_year(tokens, at + 2, year) and sign == "/":
        yield Point(end, years(year, 2))
    month, year = tokens.number(at), year_at(tokens, at + 2)
    if month is not None and year:
        possible = 1 <= month <= 12
        yield Point(end, months(year, month) if possible else None, impossible=not possible)
    if sign != "-" and year is None:
        # 04/05 is a date, 4/5 rather a part of something.
        padded = sign == "/" and all(len(tokens.word(n)) == 2 for n in (at, at + 2))
        padded = padded and "0" in (tokens.word(at)[0], tokens.word(at + 2)[0])
        needs: Needs = "nothing" if padded else "a word"
        yield from _without_year(tokens, at, end, needs, calendar)


def _next_year(tokens: Tokens, at: int, year: int) -> bool:
    """Whether the year after stands here, whole or in two digits: 2019/2020, 2019/20."""
    return tokens.number(at, 4) in (year + 1, (year + 1) % 100)


def _without_year(
    tokens: Tokens, at: int, end: int, needs: Needs, calendar: Calendar
) -> Iterator[Point]:
    """24.12. and, after a word such as "on", 24.12 and 24/12, whichever is the month."""
    one, other = tokens.number(at), tokens.number(at + 2)
    if not one or not other:
        return
    month, number = (one, other) if _month_first(tokens, at, calendar) else (other, one)
    if month <= 12 and number <= 31:
        yield Point(end, in_year=lambda year: day(year, month, number), needs=needs)


def _month_first(tokens: Tokens, at: int, calendar: Calendar) -> bool:
    """Whether of two numbers, of which either may be the month, it is the first."""
    one, other = tokens.number(at) or 0, tokens.number(at + 2) or 0
    if tokens.word(at + 1) == ".":
        return False
    return one <= 12 and (calendar.locale.month_first or other > 12)


def _three(tokens: Tokens, at: int, calendar: Calendar) -> Point | None:
    end = at + 5
    glued = tokens.glued(at + 2) and tokens.glued(at + 4)
    year, month, number = year_at(tokens, at), tokens.number(at + 2), tokens.number(at + 4)
    if year and month is not None and number is not None and glued:
        return _possible(end, day(year, month, number))
    one, other = tokens.number(at), tokens.number(at + 2)
    year = year_at(tokens, at + 4)
    if one is None or other is None:
        return None
    short = year is None
    if short:
        digits = tokens.number(at + 4)
        if digits is None or len(tokens.word(at + 4)) != 2 or not glued:
            return None
        year = digits + (2000 if digits <= calendar.today.year % 100 else 1900)
    assert year is not None
    month, number = (one, other) if _month_first(tokens, at, calendar) else (other, one)
    found = day(year, month, number)
    return None if short and found is None else _possible(end, found)


def _possible(end: int, found: Period | None) -> Point:
    return Point(end, found, impossible=found is None)


def iso_week(year: int, week: int) -> Period | None:
    """The seven days from Monday of a week, counted as ISO 8601 does."""
    try:
        return days(date.fromisocalendar(year, week, 1), 7)
    except ValueError:
        return None
