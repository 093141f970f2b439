"""Dates with names in them and a year: 3 May 2021, Christmas last year, early 2019, Q1 2020."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from photosearch.search.dates import words
from photosearch.search.dates.calendar import Calendar, days, months, years
from photosearch.search.dates.feasts import EVES, TURNS
from photosearch.search.dates.numeric import iso_week, numeric, short_year, year_at
from photosearch.search.dates.point import Point
from photosearch.search.dates.tokens import Tokens
from photosearch.search.dates.undated import Undated, third_of, week_about


class Named:
    """Reads them from `tokens`; all positions are those of tokens."""

    def __init__(self, tokens: Tokens, calendar: Calendar) -> None:
        self._tokens, self._calendar = tokens, calendar
        self._undated = Undated(tokens, calendar)

    def read(self, at: int) -> Iterator[Point]:
        """Those that begin here, also without a year; one may be a part of another."""
        start = self._after_weekday(at)
        yield from map(self._with_year, self._undated.read(start))
        numbers = numeric(self._tokens, start, self._calendar) if start > at else None
        if numbers is not None:
            yield numbers
        yield from self._plain_year(at)
        yield from self._decade(at)
        yield from self._year_first(at)
        yield from self._third(at)
        yield from self._fraction(at)
        yield from self._week(at)

    def _after_weekday(self, at: int) -> int:
        """Where a day begins of which the weekday stands before: Sa, 3. Mai."""
        word, end = self._tokens.word, at + 1
        if word(at) not in words.WEEKDAY and word(at) not in words.SHORT_WEEKDAY:
            return at
        while word(end) in (".", ",", "the", "der", "den", "dem"):
            end += 1
        return end if self._tokens.number(end) or word(end) in words.MONTH else at

    # Years

    def year(self, at: int) -> tuple[int, int] | None:
        """A year and where it ends: 2021, '21, "the year 2021", "last year"."""
        tokens = self._tokens
        plain = at + (words.UNIT.get(tokens.word(at)) == "year")
        number = year_at(tokens, plain)
        if number is not None:
            return number, plain + 1
        number = short_year(tokens, plain)
        return (number, plain + 2) if number is not None else self.relative_year(at)

    def relative_year(self, at: int) -> tuple[int, int] | None:
        """This year, last year, the year before last, and so on."""
        tokens, now = self._tokens, self._calendar.today.year
        at += tokens.word(at) in ("the", "des", "im", "in")
        before = tokens.words(at, "year", "before", "last")
        if before is not None:
            return now - 2, before
        back = words.BACK.get(tokens.word(at))
        if back is not None and words.UNIT.get(tokens.word(at + 1)) == "year":
            return now - back, at + 2
        return None

    def _plain_year(self, at: int) -> Iterator[Point]:
        if words.UNIT.get(self._tokens.word(at)) == "year":
            number = year_at(self._tokens, at + 1)
            if number is not None:
                yield Point(at + 2, years(number))
            return
        number = year_at(self._tokens, at)
        if number is not None:
            yield Point(at + 1, years(number), needs="year")
        number = short_year(self._tokens, at)
        if number is not None:
            yield Point(at + 2, years(number), needs="a word")

    def _decade(self, at: int) -> Iterator[Point]:
        """The 1990s, 90er, the nineties, die neunziger Jahre."""
        tokens, word = self._tokens, self._tokens.word(at)
        at += word == "'" and tokens.glued(at + 1)
        word, decade, end = tokens.word(at), words.DECADE.get(tokens.word(at)), at + 1
        if word.isdecimal() and tokens.word(end) == "'" and tokens.glued(end):
            end += 1  # 1990's
        if tokens.word(end) in words.DECADE_END and tokens.glued(end) and word.endswith("0"):
            number = year_at(tokens, at)
            if number is None and len(word) == 2:
                short = int(word)
                number = short + (2000 if short <= self._calendar.today.year % 100 else 1900)
            decade, end = number, end + 1
        if decade is not None:
            end += words.UNIT.get(tokens.word(end)) == "year" and tokens.word(end) != "year"
            yield Point(end, years(decade, 10), needs="decade")

    # A year and what is in it

    def _with_year(self, point: Point) -> Point:
        """The same in the year that follows, if one does."""
        assert point.in_year is not None
        for at in self._gaps(point.end):
            found = self.year(at)
            if found is None:
                continue
            year, end = found
            pair = self._second_year(end, year)
            if pair is not None and point.name in EVES:
                return Point(pair, days(date(year, 12, 31), 2))
            if pair is not None and point.name in TURNS:
                year, end = year + 1, pair
            if pair is not None and point.name == "over two years":
                end = pair
            period = point.in_year(year)
            return Point(end, period, seasonal=point.seasonal, impossible=period is None)
        return point

    def _gaps(self, at: int) -> Iterator[int]:
        """Where the year may begin after a date."""
        yield at
        at += self._tokens.word(at) == ","
        yield at
        if self._tokens.word(at) in words.OF:
            yield at + 1
            yield at + 1 + (self._tokens.word(at + 1) in words.ARTICLE)

    def _second_year(self, at: int, year: int) -> int | None:
        """Where a second year ends: 2019/2020, 2019/20, 2019-20."""
        if self._tokens.word(at) not in ("/", "-"):
            return None
        other = self._tokens.number(at + 1, 4)
        return at + 2 if other in (year + 1, (year + 1) % 100) else None

    def _year_first(self, at: int) -> Iterator[Point]:
        """2019 in May, last year at Christmas, 2019 summer."""
        found = self.year(at)
        if found is None:
            return
        year, end = found
        joined = self._tokens.word(end) in words.IN
        end += joined
        relative = year_at(self._tokens, at) is None
        for point in self._undated.read(end + (joined and self._tokens.word(end) == "the")):
            assert point.in_year is not None
            goes_on = self._tokens.word(point.end)
            free = not goes_on or goes_on in words.GOES_ON
            free = free and (not goes_on or point.name not in words.UNSURE_MONTHS)
            if joined or relative or free:
                yield Point(point.end, point.in_year(year), seasonal=point.seasonal)

    # Parts of years

    def _third(self, at: int) -> Iterator[Point]:
        """Early 2019, Ende 2019, the late 90s."""
        third = words.THIRD.get(self._tokens.word(at))
        if third is None:
            return
        start = self._undated.skipped(at + 1)
        found = self.year(start)
        if found is not None:
            yield Point(found[1], third_of(years(found[0]), third))
        for point in self._decade(start):
            yield Point(point.end, third_of(point.period, third), needs="decade")

    def _fraction(self, at: int) -> Iterator[Point]:
        """All of 2019, the first half of 2021, Q3 2020, 2. Quartal 2020."""
        word = self._tokens.word
        if word(at) in words.WHOLE or self._tokens.words(at, "all", "of"):
            found = self.year(self._undated.skipped(at + 1))
            if found is not None:
                yield Point(found[1], years(found[0]))
            return
        number, end = words.ORDINAL.get(word(at)), at + 1
        if word(at) == "q" and self._tokens.glued(at + 1):
            number, end, parts = self._tokens.number(at + 1), at + 2, 4
        else:
            if self._tokens.number(at, 1) and word(at + 1) in (".", "st", "nd", "rd", "th"):
                number, end = self._tokens.number(at, 1), at + 2
            parts = 2 if word(end) in words.HALF else 4 if word(end) in words.QUARTER else 0
            end += 1
        found = self.year(self._undated.skipped(end))
        if found is None or not parts or number is None or number > parts or number == 0:
            return
        length = 12 // parts
        first = 12 - length + 1 if number < 0 else length * (number - 1) + 1
        yield Point(found[1], months(found[0], first, length))

    def _week(self, at: int) -> Iterator[Point]:
        """Week 23 of 2021, KW 23/2021, 2021-W23, and the weekend of 5.5.2021."""
        tokens, word = self._tokens, self._tokens.word
        year = year_at(tokens, at)
        if year and tokens.words(at + 1, "-", "w") and tokens.number(at + 3):
            yield Point(at + 4, iso_week(year, tokens.number(at + 3) or 0))
        number = tokens.number(at + 1)
        if word(at) in words.WEEK_NUMBER and number:
            end = at + 2 + (word(at + 2) in ("/", ",", "of", "in"))
            year = year_at(tokens, end)
            if year:
                found = iso_week(year, number)
                yield Point(end + 1, found, impossible=found is None)
        if word(at) in words.WEEK_OF and word(at + 1) in words.OF:
            start = at + 2 + (word(at + 2) in words.ARTICLE)
            about = numeric(tokens, start, self._calendar)
            if about is not None and about.period is not None:
                yield Point(about.end, week_about(about.period, word(at)))
