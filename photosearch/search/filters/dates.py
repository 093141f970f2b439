"""Filters by when photos were taken."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.catalogue.conditions import (
    Condition,
    Either,
    FileDated,
    Taken,
    TakenInMonth,
    TakenOnDays,
)
from photosearch.search.dates import (
    MONTHS,
    Period,
    Phrase,
    Span,
    bounded,
    meaning,
    outer,
    said,
)
from photosearch.search.filters.filter import Argument, Filter, Help, Read, Reader, Row
from photosearch.search.filters.world import World


def taken(spans: Sequence[Span]) -> Condition:
    """The condition that a photo is of any of these days."""
    each = tuple(map(_taken, spans))
    return each[0] if len(each) == 1 else Either(each)


def _taken(days: Span) -> Condition:
    if isinstance(days, Period):
        start, end = days.start, days.end
        return Taken(
            None if start is None else start.isoformat(), None if end is None else end.isoformat()
        )
    if days.month is not None:
        return TakenInMonth(days.month)
    first, last = (f"{month:02d}-{day:02d}" for month, day in (days.first, days.last))
    return TakenOnDays(first, last)


def _meant(value: str, world: World) -> Phrase:
    found = meaning(value, world.calendar)
    if found is not None and found.seasonal and world.southern is None:
        found = meaning(value, world.settled().calendar)
    if found is None:
        raise ValueError(
            f"{value!r} is no date; write it as 2021, 2021-05, 2021-05-03, May 2021 or last summer"
        )
    return found


def _on(value: str, world: World) -> Read:
    found = _meant(value, world)
    return Read(taken(found.spans), found.said, found.seasonal)


def _side(side: str) -> Reader:
    def read(value: str, world: World) -> Read:
        found = _meant(value, world)
        named = outer(found.spans, world.today)
        time = bounded(side, named)
        if time is None or found.side:  # the latest May, or Christmas
            found = _meant(f"{side} {value}", world)
            return Read(taken(found.spans), found.said, found.seasonal)
        language = world.locale.language
        return Read(_taken(time), said([time], language, side, named), found.seasonal)

    return read


def _year(value: str, world: World) -> Read:
    if not re.fullmatch(r"\d{4}(\s*(-|\.\.)\s*\d{4})?", value.strip()):
        raise ValueError(f"{value!r} is no year; write it as 2021, or 2019-2021")
    return _on(value, world)


def _month(value: str, world: World) -> Read:
    name = value.strip().lower()
    number = int(name) if name.isdecimal() else 0
    if 1 <= number <= 12:
        found = meaning(MONTHS[number - 1], world.calendar)
    else:
        found = meaning(name, world.calendar)
    if found is not None and len(found.spans) == 1 and _is_month(found.spans[0]):
        return Read(taken(found.spans), found.said)
    raise ValueError(f"{value!r} is no month; write it as may, 5 or 2021-05")


def _is_month(days: Span) -> bool:
    """Whether it is all of one month, of one year or of any."""
    if not isinstance(days, Period):
        return days.month is not None
    start, end = days.start, days.end
    if start is None or end is None or start.day != 1 or end.day != 1:
        return False
    return (end.year - start.year) * 12 + end.month - start.month == 1


def _date_of(value: str, world: World) -> Condition:
    if value.strip().lower() != "file":
        raise ValueError(
            f"{value!r} is not known; date:file asks for the dates of files, on:2021 for others"
        )
    return FileDated()


def _limit(name: str, help: Help, example: str, holds: str) -> Filter:
    """A date before or after which photos were taken."""
    return Filter(
        name=name,
        read=_side(name),
        metavar="DATE",
        help=help,
        examples=(f"{name}:{example}",),
        guide=(Row((f"`{name}:DATE`",), holds),),
        arguments=(Argument(name, "date | str | None"),),
        all_hold=True,
    )


_WITHOUT = "taken before the first moment of DATE, or after its last"
_WITH = "the same, with DATE in it"

FILTERS = (
    Filter(
        name="on",
        read=_on,
        metavar="DATE",
        help=Help(
            "Only photos taken in DATE, a day, a month, a season or a year.",
            "Nur Fotos aus DATE: ein Tag, ein Monat, eine Jahreszeit oder ein Jahr.",
            "Seulement les photos prises à cette DATE\u202f: jour, mois, saison, année.",
            "Solo fotos de esta DATE: un día, un mes, una estación o un año.",
        ),
        examples=('on:"last summer"',),
        guide=(
            Row(
                ("`on:DATE`",),
                "taken then: a day, a month, a season, a year, or two dates with `..` between",
            ),
        ),
        arguments=(Argument("on", "date | str | None"),),
    ),
    _limit(
        "before",
        Help(
            "Only photos taken before DATE, as in 2021, 2021-05, May 2021.",
            "Nur Fotos von vor DATE, etwa 2021, 2021-05, Mai 2021.",
            "Seulement les photos prises avant DATE\u202f: 2021, 2021-05.",
            "Solo fotos anteriores a DATE: 2021, 2021-05.",
        ),
        "2021",
        _WITHOUT,
    ),
    _limit(
        "after",
        Help(
            "Only photos taken after DATE, not in it.",
            "Nur Fotos von nach DATE, ohne DATE.",
            "Seulement les photos prises après DATE.",
            "Solo fotos posteriores a DATE.",
        ),
        "2015-06",
        _WITHOUT,
    ),
    _limit(
        "since",
        Help(
            "Only photos taken in DATE or after it.",
            "Nur Fotos ab DATE, einschließlich.",
            "Seulement les photos prises à partir de DATE.",
            "Solo fotos desde DATE, inclusive.",
        ),
        "2019",
        _WITH,
    ),
    _limit(
        "until",
        Help(
            "Only photos taken in DATE or before it.",
            "Nur Fotos bis DATE, einschließlich.",
            "Seulement les photos prises jusqu’à DATE.",
            "Solo fotos hasta DATE, inclusive.",
        ),
        "2022-03",
        _WITH,
    ),
    Filter(
        name="year",
        read=_year,
        metavar="YEAR",
        help=Help(
            "Only photos of this year, or of years, as in 2019-2021.",
            "Nur Fotos aus diesem Jahr oder aus Jahren, etwa 2019-2021.",
            "Seulement les photos de cette année, ou de plusieurs\u202f: 2019-2021.",
            "Solo fotos de este año, o de varios: 2019-2021.",
        ),
        examples=("year:2020",),
        guide=(Row(("`year:2021`", "`year:2019-2021`"), "taken in these years"),),
        arguments=(Argument("year", "int | Sequence[int] | str | None"),),
        repeated=True,
    ),
    Filter(
        name="month",
        read=_month,
        metavar="MONTH",
        help=Help(
            "Only photos of this month, as in may, of any year.",
            "Nur Fotos aus diesem Monat, etwa mai, aus jedem Jahr.",
            "Seulement les photos de ce mois, de toutes les années.",
            "Solo fotos de este mes, de cualquier año.",
        ),
        examples=("month:may",),
        guide=(Row(("`month:may`",), "taken in May, of any year"),),
        arguments=(Argument("month", "int | str | None"),),
        repeated=True,
    ),
    Filter(
        name="date",
        read=_date_of,
        metavar="file",
        choices=("file",),
        help=Help(
            "Only photos without a date; other date filters then go by that of their file.",
            "Nur Fotos ohne Datum; andere Datumsfilter richten sich dann nach dem der Datei.",
            "Seulement les photos sans date\u202f; les autres filtres suivent celle du fichier.",
            "Solo fotos sin fecha; los demás filtros de fecha usan entonces la del archivo.",
        ),
        examples=("date:file",),
        guide=(
            Row(
                ("`date:file`",),
                "without a date; other dates then mean that of the file, "
                "as in `date:file on:today`",
            ),
        ),
        arguments=(Argument("file_date", "bool | None", means="file"),),
    ),
)
