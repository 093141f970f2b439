"""Dates with names that lack a year: 3 May, early summer, Christmas, the first week of May."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from photosearch.search.dates import words
from photosearch.search.dates.calendar import (
    Calendar,
    Period,
    day,
    days,
    first_of,
    months,
    nth,
    span,
    unit,
    weekend,
)
from photosearch.search.dates.feasts import FEASTS, LONGEST, SURE_FEASTS, feast
from photosearch.search.dates.point import InYear, Needs, Point
from photosearch.search.dates.tokens import Tokens


class Undated:
    """Reads them from `tokens`; all positions are those of tokens."""

    def __init__(self, tokens: Tokens, calendar: Calendar) -> None:
        self._tokens, self._calendar = tokens, calendar

    def read(self, at: int) -> Iterator[Point]:
        """Those that begin here; one may be a part of another."""
        yield from self._days(at)
        yield from self._month(at)
        yield from self._season(at)
        yield from self._feast(at)
        yield from self._third(at)
        yield from self._whole(at)
        yield from self._nth(at)
        yield from self._week_of(at)

    def _ordinal(self, at: int) -> tuple[int, int, bool] | None:
        """A number from 1 to 31, where it ends, and whether it says that it counts: 3rd, 3."""
        number = self._tokens.number(at)
        if number is None or not 1 <= number <= 31:
            return None
        after = self._tokens.word(at + 1)
        if self._tokens.glued(at + 1) and (after in words.ENDINGS or after == "."):
            return number, at + 2, True
        return number, at + 1, False

    def _days(self, at: int) -> Iterator[Point]:
        """3 May, the 3rd of May, May 3, 3-5 May, 3. bis 5. Mai, May 3-5."""
        word = self._tokens.word
        if word(at) in words.MONTH:
            month, start = words.MONTH[word(at)], at + 1
            start += word(start) == "." and self._tokens.glued(start)
            found = self._numbers(start + (word(start) == "the"))
            sure = word(at) not in words.UNSURE_MONTHS
            if found and self._tokens.glued(found[2]) and word(found[2]) in (":", "-", "/"):
                return
        else:
            found = self._numbers(at)
            if found is None:
                return
            name_at = found[2] + (word(found[2]) in ("of", "im"))
            if word(name_at) not in words.MONTH:
                return
            month, sure = words.MONTH[word(name_at)], word(name_at) not in words.UNSURE_MONTHS
            found = (*found[:2], self._after_month(name_at), found[3])
        if found is None:
            return
        first, last, end, counts = found
        sure = sure or counts or last > first
        yield Point(end, None, _days_in(month, first, last), "nothing" if sure else "a word")

    def _numbers(self, at: int) -> tuple[int, int, int, bool] | None:
        """The first and last day, where they end, and whether they say that they count."""
        one = self._ordinal(at)
        if one is None:
            return None
        joint = self._tokens.word(one[1])
        other = self._ordinal(one[1] + 1) if joint in words.TO or joint == "-" else None
        if other is None or other[0] <= one[0]:
            return one[0], one[0], one[1], one[2]
        return one[0], other[0], other[1], one[2] or other[2]

    def _after_month(self, at: int) -> int:
        """Where the name of a month ends, which may be shortened: Sept."""
        dot = self._tokens.word(at + 1) == "." and self._tokens.glued(at + 1)
        goes_on = bool(self._tokens.word(at + 2))
        return at + 1 + (dot and goes_on and len(self._tokens.word(at)) <= 4)

    def _month(self, at: int) -> Iterator[Point]:
        name = self._tokens.word(at)
        if name in words.MONTH:
            month = words.MONTH[name]
            end = self._after_month(at)
            yield Point(end, None, lambda year: months(year, month), "month", name=name)

    def _season(self, at: int) -> Iterator[Point]:
        name = self._tokens.word(at)
        if name not in words.SEASON or self._tokens.word(at + 1) in words.NO_SEASON:
            return
        first = words.SEASON[name]
        if self._calendar.southern:
            first = (first + 5) % 12 + 1
        name = "over two years" if first == 12 else name
        yield Point(at + 1, None, lambda year: months(year, first, 3), "season", True, name=name)

    def _feast(self, at: int) -> Iterator[Point]:
        locale = self._calendar.locale
        country = locale.country or ("DE" if locale.language == "de" else "")
        name, end = self._counted_feast(at)
        for _ in range(LONGEST):
            while name and self._tokens.word(end) in (".", "-"):
                end += 1  # St. Patrick's, Eid al-Fitr
            if not self._tokens.word(end):
                return
            name = f"{name} {self._tokens.word(end)}".strip()
            end += 1
            if name in FEASTS:
                needs: Needs = "nothing" if name in SURE_FEASTS else "feast"
                yield Point(end, None, feast(name, country), needs, name=name)

    def _counted_feast(self, at: int) -> tuple[str, int]:
        """How the name of a feast begins that is counted: erster Advent, am 2. Weihnachtstag."""
        found = self._ordinal(at)
        number, end = words.ORDINAL.get(self._tokens.word(at), 0), at + 1
        if found is not None and found[2]:
            number, end = found[0], found[1]
        names = ("erster", "zweiter", "dritter", "vierter")
        return (names[number - 1], end) if 0 < number <= len(names) else ("", at)

    # Parts and groups of days

    def _third(self, at: int) -> Iterator[Point]:
        """Early May, Ende Mai, the middle of summer."""
        third = words.THIRD.get(self._tokens.word(at))
        if third is None:
            return
        at = self.skipped(at + 1)
        for point in (*self._month(at), *self._season(at)):
            whole = point.in_year
            assert whole is not None
            needs: Needs = "season" if point.seasonal else "nothing"
            yield Point(
                point.end,
                None,
                partial(_third_in, whole, third),
                needs,
                point.seasonal,
                name=point.name,
            )

    def skipped(self, at: int) -> int:
        """Past what may stand between a part and its whole: "of the", "des", a hyphen."""
        at += self._tokens.word(at) == "-"
        at += self._tokens.word(at) in words.OF
        return at + (self._tokens.word(at) in words.ARTICLE)

    def _whole(self, at: int) -> Iterator[Point]:
        """The whole of May, den ganzen Mai."""
        if self._tokens.word(at) not in words.WHOLE:
            return
        for point in (*self._month(self.skipped(at + 1)), *self._season(self.skipped(at + 1))):
            needs: Needs = "season" if point.seasonal else "nothing"
            yield Point(point.end, None, point.in_year, needs, point.seasonal, name=point.name)

    def _nth(self, at: int) -> Iterator[Point]:
        """The first week of May, the last weekend in May, der zweite Sonntag im Mai."""
        number, end = words.ORDINAL.get(self._tokens.word(at)), at + 1
        if number is None:
            counted = self._ordinal(at)
            if counted is None or not counted[2] or counted[0] > 5:
                return
            number, end = counted[0], counted[1]
        name = self._tokens.word(end)
        kind, weekday = words.UNIT.get(name), words.WEEKDAY.get(name)
        joined = self._tokens.word(end + 1) in words.OF
        if not joined or (kind not in ("day", "week", "weekend") and weekday is None):
            return
        for point in self._month(end + 2):
            whole = point.in_year
            assert whole is not None
            yield Point(
                point.end,
                None,
                partial(_part_in, whole, number, kind, weekday),
                name=point.name,
            )

    def _week_of(self, at: int) -> Iterator[Point]:
        """The weekend of 5 May, die Woche vom 5. Mai."""
        name, joined = self._tokens.word(at), self._tokens.word(at + 1) in words.OF
        if name not in words.WEEK_OF or not joined:
            return
        start = at + 2 + (self._tokens.word(at + 2) in words.ARTICLE)
        for point in self._days(start):
            in_year = point.in_year
            assert in_year is not None
            yield Point(
                point.end,
                None,
                partial(_week_in, in_year, name),
                latest=True,
            )


def week_about(period: Period | None, name: str) -> Period | None:
    """The week or weekend about a day, by what it is called."""
    if period is None or period.start is None:
        return None
    if words.UNIT[name] == "weekend":
        return weekend(period.start)
    return unit("week", 0, period.start)


def _days_in(month: int, first: int, last: int) -> InYear:
    return lambda year: span(day(year, month, first), day(year, month, last))


def third_of(whole: Period | None, third: int) -> Period | None:
    """The first (0), middle (1) or last (2) part: ten days of a month, a month of a season.

    Of a year the first and last are three months; of ten years three, four and three.
    """
    if whole is None or whole.start is None or whole.end is None:
        return None
    start, end = whole.start, whole.end
    length = (end.year - start.year) * 12 + end.month - start.month
    if length == 1:
        cuts = [start, start + timedelta(days=10), start + timedelta(days=20), end]
    else:
        part = {3: 1, 12: 3}.get(length, length * 3 // 10)
        cuts = [
            start,
            first_of(start.year, start.month + part),
            first_of(start.year, start.month + length - part),
            end,
        ]
    return Period(cuts[third], cuts[third + 1])


def _third_in(whole: InYear, third: int, year: int) -> Period | None:
    return third_of(whole(year), third)


def _week_in(days_of: InYear, name: str, year: int) -> Period | None:
    return week_about(days_of(year), name)


def _part_in(
    whole: InYear, number: int, kind: str | None, weekday: int | None, year: int
) -> Period | None:
    """The nth day, seven days, weekend or weekday of a month; counted from its end below 0."""
    month = whole(year)
    assert month is not None
    if weekday is not None:
        return nth(weekday, number, month)
    if kind == "weekend":
        saturday = nth(5, number, month)
        return None if saturday is None or saturday.start is None else days(saturday.start, 2)
    length = 7 if kind == "week" else 1
    assert month.start is not None
    assert month.end is not None
    if number < 0:
        return Period(month.end - timedelta(days=length), month.end)
    start = month.start + timedelta(days=length * (number - 1))
    return Period(start, min(start + timedelta(days=length), month.end))
