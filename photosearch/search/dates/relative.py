"""Dates that go by today: yesterday, last summer, vor drei Jahren, today last year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from photosearch.search.dates import words
from photosearch.search.dates.calendar import Calendar, Period, days, same_day, unit
from photosearch.search.dates.point import Point
from photosearch.search.dates.tokens import Tokens
from photosearch.search.dates.undated import Undated

_DAYS_OF = {"day": 1, "week": 7, "weekend": 7}


class Relative:
    """Reads them from `tokens`; all positions are those of tokens."""

    def __init__(self, tokens: Tokens, calendar: Calendar) -> None:
        self._tokens, self._calendar = tokens, calendar
        self._undated = Undated(tokens, calendar)

    def read(self, at: int) -> Iterator[Point]:
        """Those that begin here; one may be a part of another."""
        yield from self._day(at)
        yield from self._last(at)
        yield from self._weekday(at)
        yield from self._ago(at)
        yield from self._lately(at)

    @property
    def _today(self) -> date:
        return self._calendar.today

    def _day(self, at: int) -> Iterator[Point]:
        """Today, vorgestern, yesterday evening, heute vor einem Jahr, today last year."""
        for name, back in words.DAY_BACK.items():
            end = self._tokens.words(at, *name)
            if end is None:
                continue
            end += self._tokens.word(end) in words.HOURS
            yield Point(end, unit("day", back, self._today))
            if back == 0:
                yield from self._years_before(end)
        end = self._tokens.words(at, "this", "day")
        if end is not None:
            yield from self._years_before(end)

    def _years_before(self, at: int) -> Iterator[Point]:
        """This day so long ago, when that follows."""
        ago = self._how_long_ago(at)
        if ago is not None:
            yield Point(ago[2], days(self._before(ago[0], ago[1])))
            return
        at += self._tokens.word(at) in ("in", "im", "of")
        back = words.BACK.get(self._tokens.word(at))
        kind = words.UNIT.get(self._tokens.word(at + 1))
        if back and kind in ("week", "month", "year"):
            yield Point(at + 2, days(self._before(back, kind)))

    def _before(self, number: int, kind: str) -> date:
        if kind in _DAYS_OF:
            return self._today - timedelta(days=number * _DAYS_OF[kind])
        return same_day(self._today, number * (12 if kind == "year" else 1))

    def _last(self, at: int) -> Iterator[Point]:
        """Last week, this summer, letzten Montag, vorletztes Jahr, the week before last."""
        word = self._tokens.word
        yield from self._before_last(at + (word(at) == "the"))
        back = words.BACK.get(word(at))
        if back is None:
            return
        if word(at) == "this" and word(at + 1) == "past":
            at, back = at + 1, 1
        name = word(at + 1)
        kind = words.UNIT.get(name)
        if kind and kind != "day" and (name in _ONE_OF or back == 0):
            yield Point(at + 2, unit(kind, back, self._today))
        elif name in words.WEEKDAY:
            past = (self._today.weekday() - words.WEEKDAY[name]) % 7
            past = past + 7 * (back - 1) if past and back else past + 7 * back
            yield Point(at + 2, unit("day", past, self._today))
        for point in self._undated.read(at + 1):
            if point.needs in ("month", "season", "feast", "nothing") and self._is_date(point):
                yield Point(point.end, point.past(self._calendar, back), seasonal=point.seasonal)

    def _before_last(self, at: int) -> Iterator[Point]:
        """The week before last, summer before last."""
        kind, end = words.UNIT.get(self._tokens.word(at)), at + 1
        before = self._tokens.words(end, "before", "last")
        if kind and before is not None:
            yield Point(before, unit(kind, 2, self._today))
        for point in self._undated.read(at):
            before = self._tokens.words(point.end, "before", "last")
            if before is not None:
                yield Point(before, point.past(self._calendar, 2), seasonal=point.seasonal)

    def _weekday(self, at: int) -> Iterator[Point]:
        """On Monday, which is the latest."""
        weekday = words.WEEKDAY.get(self._tokens.word(at))
        if weekday is not None:
            back = (self._today.weekday() - weekday) % 7
            yield Point(at + 1, unit("day", back, self._today), needs="weekday")

    def _is_date(self, point: Point) -> bool:
        """Not in "this may be", nor in "the last march of the ants"."""
        after = self._tokens.word(point.end)
        return point.name not in words.UNSURE_MONTHS or after in words.GOES_ON - {"of"} | {"", ","}

    # Numbers of days, weeks, months and years

    def _count(self, at: int) -> tuple[int, int, int] | None:
        """A number, the most that it may be, and where it ends: 3, three, a few, einem."""
        number = self._tokens.number(at, 3)
        if number is not None:
            return number, number, at + 1
        start = at + (self._tokens.word(at) in words.ONE)
        few = words.FEW.get(self._tokens.word(start))
        if few is not None:
            return *few, start + 1 + (self._tokens.word(start + 1) == "of")
        number = words.NUMBER.get(self._tokens.word(at))
        return None if number is None else (number, number, at + 1)

    def _how_long_ago(self, at: int) -> tuple[int, str, int] | None:
        """A number, its unit and where it ends: 3 years ago, vor drei Jahren."""
        word = self._tokens.word
        german = word(at) == "vor"
        count = self._count(at + german)
        if count is None:
            return None
        kind = words.UNIT.get(word(count[2]))
        end = count[2] + 1
        if kind is None or kind == "weekend" or not (german or word(end) in words.AGO):
            return None
        return count[0], kind, end + (not german)

    def _ago(self, at: int) -> Iterator[Point]:
        """3 years ago, vor drei Jahren, a few days ago, half a year ago, a year ago today."""
        word = self._tokens.word
        half = self._half_a_year(at)
        if half is not None:
            yield Point(half, unit("month", 6, self._today))
        ago = self._how_long_ago(at)
        if ago is None:
            return
        number, kind, end = ago
        if word(end) in ("today", "heute"):
            yield Point(end + 1, days(self._before(number, kind)))
            return
        count = self._count(at + (word(at) == "vor"))
        assert count is not None
        first = unit(kind, count[1], self._today)
        last = unit(kind, count[0], self._today)
        yield Point(end, Period(first.start, last.end))

    def _half_a_year(self, at: int) -> int | None:
        for said in (("half", "a", "year", "ago"), ("vor", "einem", "halben", "jahr")):
            end = self._tokens.words(at, *said)
            if end is not None:
                return end
        return None

    def _lately(self, at: int) -> Iterator[Point]:
        """The last 10 days, die letzten drei Wochen, the past few months."""
        if self._tokens.word(at) not in words.RECENT:
            return
        count = self._count(at + 1)
        if count is None or self._tokens.word(at + 1) in words.ONE:
            return
        kind = words.UNIT.get(self._tokens.word(count[2]))
        if kind is not None:
            start = self._before(count[1], kind)
            yield Point(count[2] + 1, Period(start, self._today + timedelta(days=1)))


# "Last years" and "the last days" are no single ones.
_ONE_OF = frozenset(
    words.these("week weekend month year woche wochenende wochenendes monat monats jahr jahres")
)
