"""Dates joined and bounded: from May to June 2018, in January or February 2020, seit Mai."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from photosearch.search.dates import words
from photosearch.search.dates.calendar import Calendar, Period, Span, Yearly, bounded, span
from photosearch.search.dates.named import Named
from photosearch.search.dates.numeric import numeric
from photosearch.search.dates.point import Point
from photosearch.search.dates.relative import Relative
from photosearch.search.dates.tokens import Tokens

# Whether a date, as far as it goes, is one where it stands.
Holds: TypeAlias = Callable[[Point], bool]

# After these a feast without a year is a date.
_FEAST_WORDS = frozenset(words.these("at over on during in an am im zu zum zur ueber waehrend"))


class Meant(Struct, frozen=True):
    """Up to the token `end`: days of any of `spans`, which are none for an impossible date.

    `side` tells that they are bounded by the period `bound`. `name` is that of a feast that moves.
    """

    end: int
    spans: tuple[Span, ...]
    seasonal: bool = False
    side: str = ""
    bound: Period | None = None
    name: str = ""


class Grammar:
    """Reads the dates in `text`; all positions are those of its `tokens`."""

    def __init__(self, text: str, calendar: Calendar) -> None:
        self.tokens = Tokens(text, calendar.locale.language)
        self._calendar = calendar
        self._named = Named(self.tokens, calendar)
        self._relative = Relative(self.tokens, calendar)

    def whole(self) -> Meant | None:
        """What all of the text means, which need not say that it is a date."""
        start = self._after_article(1 if self.tokens.word(0) in words.IN else 0)
        found = [self._bounded(0), self._from_to(0), *self._several(0), *self._several(start)]
        every = [one for one in found if one is not None and one.end == len(self.tokens)]
        return every[0] if every and every[0].spans else None

    def phrase(self, at: int) -> Meant | None:
        """The longest date in a description that begins here, with the words that belong to it."""
        if not self.tokens.may_start(at):
            return None
        found = [one for one in self._phrases(at) if self.tokens.may_end(one.end)]
        return max(found, key=lambda one: one.end, default=None)

    def _phrases(self, at: int) -> Iterator[Meant]:
        word = self.tokens.word(at)
        yield from filter(None, (self._from_to(at), self._bounded(at)))
        if word in words.EVERY:
            for point in self._points(at + 1):
                if point.needs == "month":
                    yield Meant(point.end, point.yearly(self._calendar))
        yield from self._several(at, self._stands_alone)
        after = self._after_article(at)
        if after > at:
            yield from self._several(after, self._stands_alone)
        if word in words.IN:
            for start in {at + 1, self._after_article(at + 1)}:
                yield from self._several(start, lambda point: self._stands_after(point, at))

    def _after_article(self, at: int) -> int:
        return at + (self.tokens.word(at) in words.ARTICLE)

    def _points(self, at: int) -> Iterator[Point]:
        """The single dates that begin here, the longest first."""
        numbers = numeric(self.tokens, at, self._calendar)
        every = chain([numbers] if numbers else [], self._named.read(at), self._relative.read(at))
        yield from sorted(every, key=lambda point: -point.end)

    def _point(self, at: int) -> Point | None:
        return next(self._points(at), None)

    # What makes it a date

    def _goes_on(self, at: int) -> bool:
        """Whether a noun follows to which the word before may belong: "may tree"."""
        word = self.tokens.word(at)
        return word.isalpha() and word not in words.GOES_ON

    def _stands_alone(self, point: Point) -> bool:
        """Whether it is a date although no word such as "in" comes before it."""
        start = point.start
        match point.needs:
            case "nothing":
                return True
            case "year":
                before, after = self.tokens.word(start - 1), self.tokens.word(point.end)
                number = before in words.ONE or before == "the" or after in words.COUNTED
                round_number = self.tokens.word(start) == "2000" and self._goes_on(point.end)
                return not number and not round_number
            case "decade":
                around = {self.tokens.word(start - 1), self.tokens.word(start - 2)}
                return not around & (words.OWN | words.ONE) and not self._goes_on(point.end)
            case "month":
                return point.name in words.SURE_MONTHS and not self.tokens.word(point.end)
        return False

    def _stands_after(self, point: Point, at: int) -> bool:
        """Whether it is a date after the word "in", or one like it, at `at`."""
        word, article = self.tokens.word(at), point.start > at + 1
        match point.needs:
            case "nothing" | "a word" | "year":
                return True
            case "decade":
                return self.tokens.word(at + 1) not in words.OWN
            case "month":
                march = point.name == "march" and self.tokens.word(point.end) == "of"
                german = self.tokens.word(at + 1) in ("dem", "den")
                return word in words.IN_MONTH and not march and (not article or german)
            case "weekday":
                return word in ("on", "am")
            case "feast":
                return word in _FEAST_WORDS and not self._goes_on(point.end)
        return False

    # Several

    def _several(self, at: int, holds: Holds = lambda point: True) -> Iterator[Meant]:
        """One date, a range, or any of several, of which the last may say the year for all."""
        for first in self._points(at):
            first = replace(first, start=at)
            ranged = self._range(first, holds)
            if ranged is not None:
                yield ranged
            if not holds(first) and first.in_year is None:
                continue
            listed = self._list(first, holds)
            if listed is not None:
                yield listed
            if holds(first):
                yield self._one(first)

    def _one(self, point: Point) -> Meant:
        if point.in_year is None or point.latest:
            period = point.recent(self._calendar)
            spans: tuple[Span, ...] = () if period is None else (period,)
            return Meant(point.end, spans, point.seasonal)
        spans = point.yearly(self._calendar)
        moves = len(spans) > 1
        return Meant(point.end, spans, point.seasonal, name=point.name if moves else "")

    def _joint(self, at: int) -> int | None:
        """Where the words "to", "bis", ".." or a hyphen end that join two dates."""
        for said in (("bis", "zum"), ("bis", "zur"), ("up", "to"), (".", "."), (".", ".", ".")):
            end = self.tokens.words(at, *said)
            if end is not None and self.tokens.word(end) != ".":
                return end
        word = self.tokens.word(at)
        return at + 1 if word in words.TO or word == "-" else None

    def _range(self, first: Point, holds: Holds) -> Meant | None:
        joint = self._joint(first.end)
        last = None if joint is None else self._point(self._after_article(joint))
        if last is None:
            return None
        months = first.needs == last.needs == "month"
        known = first.in_year is None or last.in_year is None
        return self._between(first, last) if months or known or holds(first) else None

    def _between(self, first: Point, last: Point) -> Meant | None:
        """From one date to another, the years of which may be said by either."""
        seasonal = first.seasonal or last.seasonal
        if first.in_year is None or last.in_year is None:
            found = span(*_with_years(first, last))
            return None if found is None else Meant(last.end, (found,), seasonal)
        one, other = first.yearly(self._calendar), last.yearly(self._calendar)
        if isinstance(one[0], Yearly) and isinstance(other[0], Yearly):
            return Meant(last.end, (Yearly(one[0].first, other[0].last),), seasonal)
        return None

    def _list(self, first: Point, holds: Holds) -> Meant | None:
        """In 2018, 2019 or 2020; in January or February 2020."""
        points, end = [first], first.end
        while True:
            comma = self.tokens.word(end) == ","
            joint = self.tokens.word(end + comma) in words.OR | words.AND
            joint = joint or (first.needs == "month" and self.tokens.word(end) == "/")
            start = end + comma + joint
            if not comma and not joint:
                break
            following = self._point(self._after_article(start))
            if following is None or (comma and not joint and following.needs != first.needs):
                break
            points.append(replace(following, start=start))
            end = following.end
        while len(points) > 1:
            found = self._any_of(points, holds)
            if found is not None:
                return found
            points.pop()
        return None

    def _any_of(self, points: Sequence[Point], holds: Holds) -> Meant | None:
        seasonal, end = any(point.seasonal for point in points), points[-1].end
        if all(point.in_year is not None for point in points):
            alike = len({point.needs for point in points}) == 1
            if not alike or not holds(points[0]):
                return None
            every = chain.from_iterable(point.yearly(self._calendar) for point in points)
            return Meant(end, tuple(every), seasonal)
        spans: list[Span] = []
        year = None
        for point in reversed(points):
            found = point.period
            if point.in_year is not None:
                if year is None:
                    return None
                found = point.in_year(year)
            if found is None or found.start is None:
                return None
            year = found.start.year
            spans.insert(0, found)
        return Meant(end, tuple(spans), seasonal)

    # From and to, before and after

    def _from_to(self, at: int) -> Meant | None:
        """From 2018 to 2020, between May and June 2020, von Mai bis Juni, from 2019 on."""
        word = self.tokens.word(at)
        between = word in ("between", "zwischen")
        if not between and word not in ("from", "von", "vom", "ab"):
            return None
        first = self._point(self._after_article(at + 1))
        if first is None:
            return None
        end = first.end
        if not between and self.tokens.word(end) in words.ONWARD:
            # "on" may begin what follows.
            followed = self._point(end + 1) or self.tokens.word(end + 1) in words.ARTICLE
            if not followed or word == "ab":
                return self._beside("since", replace(first, end=end + 1))
        joint = self.tokens.word(end) in words.AND if between else self._joint(end) is not None
        if not joint:
            return None
        start = end + 1 if between else self._joint(end)
        last = self._point(self._after_article(start or 0))
        return None if last is None else self._between(first, last)

    def _bounded(self, at: int) -> Meant | None:
        """Since May 2020, vor 2020, before last summer, bis zum 3. Mai."""
        side = words.SIDE.get(self.tokens.word(at))
        if side is None:
            return None
        start = at + 1
        start += self.tokens.word(start) in ("zu", "zum", "zur", "in", "im", "am")
        point = self._point(self._after_article(start))
        if point is None:
            return None
        if point.in_year is not None and self._goes_on(point.end):
            return None
        return self._beside(side, point)

    def _beside(self, side: str, point: Point) -> Meant | None:
        named = point.recent(self._calendar)
        found = bounded(side, named)
        if found is None:
            return Meant(point.end, ()) if point.impossible else None
        return Meant(point.end, (found,), point.seasonal, side, named)


def _with_years(first: Point, last: Point) -> tuple[Period | None, Period | None]:
    """Both periods, of which one may lack its year and has that of the other, or the next."""
    one, other = first.period, last.period
    if first.in_year is not None and other is not None and other.start is not None:
        one = first.in_year(other.start.year)
        if one and one.start and other.end and one.start >= other.end:
            one = first.in_year(other.start.year - 1)
    if last.in_year is not None and one is not None and one.start is not None:
        other = last.in_year(one.start.year)
        if other and other.end and other.end <= one.start:
            other = last.in_year(one.start.year + 1)
    return one, other
