"""Spans of days in words, as short as they can be: 2019, May 2021, 3-5 May 2021, before 2020."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from photosearch.search.dates.calendar import Period, Span, Yearly
from photosearch.search.dates.point import date_before

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
    ),
}
_TO = "\N{EN DASH}"
_SIDES = {
    "en": {"before": "before", "after": "after", "since": "since", "until": "until"},
    "de": {"before": "vor", "after": "nach", "since": "seit", "until": "bis"},
    "fr": {"before": "avant", "after": "après", "since": "depuis", "until": "jusqu’à"},
    "es": {"before": "antes de", "after": "después de", "since": "desde", "until": "hasta"},
}
# Where it differs before a day.
_SIDES_OF_A_DAY = {
    "de": {"before": "vor dem", "after": "nach dem", "since": "seit dem", "until": "bis zum"},
    "fr": {"before": "avant le", "after": "après le", "since": "depuis le", "until": "jusqu’au"},
    "es": {"before": "antes del", "after": "después del", "since": "desde el", "until": "hasta el"},
}
# Between a month and its year, and a day and its month.
_OF = {"es": " de "}
_OR = {"en": "or", "de": "oder", "fr": "ou", "es": "o"}
_ANY_YEAR = {
    "en": "any year",
    "de": "jedes Jahr",
    "fr": "toutes les années",
    "es": "cualquier año",
}
# More than this would not fit on a chip.
_SHOWN = 4


def said(spans: Sequence[Span], language: str, side: str = "", bound: Period | None = None) -> str:
    """What these days are, in a language of `SPOKEN`.

    With a side they are those beside the period `bound`.
    """
    if side and bound is not None:
        return _beside(side, _edge(bound, side, language), language)
    every = [
        _yearly(one, language) if isinstance(one, Yearly) else _period(one, language)
        for one in spans
    ]
    if all(isinstance(one, Yearly) for one in spans):
        return any_year(_joined(every, language), language)
    if len(every) > _SHOWN:
        return f"{every[0]}, …, {every[-1]}"
    return _joined(every, language)


def any_year(name: str, language: str) -> str:
    """What comes every year, marked as that."""
    return f"{name} ({_ANY_YEAR[language]})"


def _joined(every: Sequence[str], language: str) -> str:
    *first, last = every
    # The year once, at the end.
    year = last[last.rfind(" ") :]
    if of := _OF.get(language, "").rstrip():
        year = of * last.removesuffix(year).endswith(of) + year
    if " " in last and all(one.endswith(year) for one in first):
        first = [one.removesuffix(year) for one in first]
    return f"{', '.join(first)} {_OR[language]} {last}" if first else last


def _month(number: int, language: str) -> str:
    return _MONTHS[language].split()[number - 1]


def _day(number: int, language: str) -> str:
    if language == "fr" and number == 1:
        return "1er"
    return f"{number}." if language == "de" else str(number)


def _of(part: str, whole: str | int, language: str) -> str:
    """A day of a month, or a month of a year."""
    return f"{part}{_OF.get(language, ' ')}{whole}"


def _yearly(days: Yearly, language: str) -> str:
    (month, first), (last_month, last) = days.first, days.last
    whole = first == 1 and last == 31
    if whole:
        names = [_month(month, language), _month(last_month, language)]
        return names[0] if month == last_month else _TO.join(names)
    start = _day(first, language)
    end = _of(_day(last, language), _month(last_month, language), language)
    if month == last_month:
        return end if first == last else f"{start}{_TO}{end}"
    return f"{_of(start, _month(month, language), language)} {_TO} {end}"


def _period(period: Period, language: str) -> str:
    start, end = period.start, period.end
    if start is None or end is None:
        bound = start or end
        assert bound is not None
        side = "before" if start is None else "since"
        return _beside(side, _shortest(bound, language), language)
    last = date_before(period)
    if start.day == 1 and end.day == 1:
        return _months(start, last, language)
    if start == last:
        return _full(start, language)
    if start.year != last.year:
        return f"{_full(start, language)} {_TO} {_full(last, language)}"
    if start.month != last.month:
        first = _of(_day(start.day, language), _month(start.month, language), language)
        return f"{first} {_TO} {_full(last, language)}"
    return f"{_day(start.day, language)}{_TO}{_full(last, language)}"


def _beside(side: str, edge: str, language: str) -> str:
    """With the preposition, which may differ before a day: vor 2020, vor dem 3. Mai."""
    of_day = _SIDES_OF_A_DAY.get(language)
    starts_with_day = re.match(r"\d{1,2}\D", edge) is not None
    said_so = of_day[side] if of_day and starts_with_day else _SIDES[language][side]
    return f"{said_so} {edge}"


def _edge(period: Period, side: str, language: str) -> str:
    """A year, month or day as it is; of anything longer only the end that counts."""
    start, end = period.start, period.end
    if start is None or end is None:
        return _period(period, language)
    last = date_before(period)
    whole = start.day == end.day == 1
    if start == last or (whole and (start.year, start.month) == (last.year, last.month)):
        return _period(period, language)
    if whole and start.month == end.month == 1 and end.year == start.year + 1:
        return _period(period, language)
    day = start if side in ("before", "since") else last
    return _months(day.replace(day=1), day, language) if whole else _full(day, language)


def _full(day: date, language: str) -> str:
    month = _month(day.month, language)
    return _of(_of(_day(day.day, language), month, language), day.year, language)


def _months(start: date, last: date, language: str) -> str:
    """A period of whole months, from the first day of one to the last of another."""
    if start.month == 1 and last.month == 12:
        return str(start.year) if start.year == last.year else f"{start.year}{_TO}{last.year}"
    end = _of(_month(last.month, language), last.year, language)
    if start.year != last.year:
        first = _of(_month(start.month, language), start.year, language)
        return f"{first} {_TO} {end}"
    return end if start.month == last.month else f"{_month(start.month, language)}{_TO}{end}"


def _shortest(day: date, language: str) -> str:
    """A day, as a year or month where it is the first of it."""
    if day.day > 1:
        return _full(day, language)
    if day.month == 1:
        return str(day.year)
    return _of(_month(day.month, language), day.year, language)
