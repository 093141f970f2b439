"""Spans of days, and the arithmetic of weeks, months and years that dates are made with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TypeAlias

from msgspec import Struct, field

from photosearch.search.dates.locales import Locale


class Period(Struct, frozen=True):
    """From the day `start` up to, and without, the day `end`; None is without bound."""

    start: date | None
    end: date | None


class Yearly(Struct, frozen=True):
    """The days from `first` to `last`, each a month and a day, of every year.

    Where `last` comes before `first`, it is that of the year after.
    """

    first: tuple[int, int]
    last: tuple[int, int]

    @property
    def month(self) -> int | None:
        """The month, 1 to 12, when it is all of one."""
        whole = self.first[1] == 1 and self.first[0] == self.last[0] and self.last[1] == 31
        return self.first[0] if whole else None


Span: TypeAlias = Period | Yearly


class Calendar(Struct, frozen=True):
    """What the meaning of a date depends on: the day it is, where, and on which half of the Earth.

    `southern` decides when seasons are. Years are counted from 1 to 9999.
    """

    today: date = field(default_factory=date.today)
    locale: Locale = field(default_factory=Locale)
    southern: bool = False


def first_of(year: int, month: int) -> date:
    """The first day of a month, which may be counted on beyond December or back."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def months(year: int, month: int, count: int = 1) -> Period:
    return Period(first_of(year, month), first_of(year, month + count))


def years(year: int, count: int = 1) -> Period:
    return months(year, 1, 12 * count)


def days(first: date, count: int = 1) -> Period:
    return Period(first, first + timedelta(days=count))


def day(year: int, month: int, number: int) -> Period | None:
    """One day, or None when there is none, as 31 April."""
    try:
        return days(date(year, month, number))
    except (ValueError, OverflowError):
        return None


def monday(of: date) -> date:
    return of - timedelta(days=of.weekday())


def same_day(of: date, months_back: int) -> date:
    """The same day so many months before, or the last of that month."""
    month = first_of(of.year, of.month - months_back)
    return min(month + timedelta(days=of.day - 1), last_of(month))


def last_of(month: date) -> date:
    """The last day of the month of which `month` is the first."""
    return first_of(month.year, month.month + 1) - timedelta(days=1)


def nth(weekday: int, number: int, of: Period) -> Period | None:
    """The first (1), second or last (-1) such weekday in a span of days; None when it has not."""
    assert of.start is not None
    assert of.end is not None
    if number < 0:
        last = of.end - timedelta(days=1)
        found = last - timedelta(days=(last.weekday() - weekday) % 7 + 7 * (-number - 1))
    else:
        ahead = (weekday - of.start.weekday()) % 7
        found = of.start + timedelta(days=ahead + 7 * (number - 1))
    return days(found) if of.start <= found < of.end else None


def weekend(about: date) -> Period:
    """The Saturday and Sunday next to a day: those ahead, or just past on Monday and Tuesday."""
    saturday = monday(about) + timedelta(days=5)
    return days(saturday - timedelta(days=7) if about.weekday() < 2 else saturday, 2)


def unit(name: str, back: int, today: date) -> Period:
    """The day, week, weekend, month or year that many before today's."""
    if name == "year":
        return years(today.year - back)
    if name == "month":
        return months(today.year, today.month - back)
    if name == "week":
        return days(monday(today) - timedelta(weeks=back), 7)
    if name == "weekend":
        return days(monday(today) + timedelta(days=5 - 7 * back), 2)
    return days(today - timedelta(days=back))


def span(start: Period | None, end: Period | None) -> Period | None:
    """From the beginning of one period to the end of another; None when that is before it."""
    if start is None or end is None or start.start is None or end.end is None:
        return None
    return Period(start.start, end.end) if start.start < end.end else None


def bounded(side: str, named: Period | None) -> Period | None:
    """The time before, after, since or until a period; the last two have the period in them."""
    if named is None:
        return None
    if side == "before":
        return Period(None, named.start)
    if side == "after":
        return Period(named.end, None)
    return Period(named.start, None) if side == "since" else Period(None, named.end)
