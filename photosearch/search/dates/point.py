"""One date that was read: its days, or how to get them from a year that may follow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct

from photosearch.search.dates.calendar import Calendar, Period, Yearly

# What makes a date of it in a description: nothing more; a word such as "in"; or, for numbers that
# may be years, months, weekdays and feasts, rules of their own. A season without a year never is
# one: it is what one sees.
Needs: TypeAlias = Literal[
    "nothing", "a word", "year", "decade", "month", "weekday", "feast", "season"
]

InYear: TypeAlias = Callable[[int], Period | None]

# Feasts that move are looked for from this year on.
_OLDEST = 1950


class Point(Struct, frozen=True):
    """From the token `start` up to `end`; its `period`, or what gives that in a year.

    `seasonal` tells that it depends on the half of the Earth. `impossible` is set when it has the
    form of a date and is none, as 31/02/2021. `name` is what it was called. `latest` tells that
    without a year that of the latest is meant, and not those of all years.
    """

    end: int
    period: Period | None = None
    in_year: InYear | None = None
    needs: Needs = "nothing"
    seasonal: bool = False
    impossible: bool = False
    name: str = ""
    latest: bool = False
    start: int = 0

    def recent(self, calendar: Calendar) -> Period | None:
        """Its days, of the latest year in which it has begun when none is named."""
        if self.in_year is None:
            return self.period
        for year in range(calendar.today.year + 1, calendar.today.year - 5, -1):
            found = self.in_year(year)
            if found and found.start and found.start <= calendar.today:
                return found
        return None

    def past(self, calendar: Calendar, back: int) -> Period | None:
        """Of those that have ended the last, or the one `back` - 1 before; of 0 this year's."""
        assert self.in_year is not None
        if not back:
            return self.in_year(calendar.today.year)
        ended = [
            found
            for year in range(calendar.today.year + 1, calendar.today.year - 6, -1)
            if (found := self.in_year(year)) and found.end and found.end <= calendar.today
        ]
        return ended[back - 1] if len(ended) >= back else None

    def yearly(self, calendar: Calendar) -> tuple[Yearly | Period, ...]:
        """Its days in any year: as days of each year, or, of a feast that moves, in all years."""
        assert self.in_year is not None
        one, other = _days_of(self.in_year(2001)), _days_of(self.in_year(2003))
        if one is not None and one == other:
            return (one,)
        every = range(_OLDEST, calendar.today.year + 1)
        return tuple(found for year in every if (found := self.in_year(year)))


def _days_of(period: Period | None) -> Yearly | None:
    if period is None or period.start is None or period.end is None:
        return None
    last = date_before(period)
    first = (period.start.month, period.start.day)
    if (last.month, last.day) == (2, 28):
        return Yearly(first, (2, 31))
    whole = first[1] == 1 and period.end.day == 1
    return Yearly(first, (last.month, 31 if whole else last.day))


def date_before(period: Period) -> date:
    """The last day of a period that has an end."""
    assert period.end is not None
    return period.end - timedelta(days=1)
