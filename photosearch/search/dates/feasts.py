"""Feasts and holidays, in English and German, to their days in a year.

Those that go by Easter are dateutil's, those of other calendars the package holidays'. Where two
countries mean different days by one name, the locale's country decides.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from photosearch.search.dates.calendar import Period, days, months, nth

# The days of a feast in a year, in a country; None where there is none in it.
_Days = Callable[[int, str], Period | None]


def _fixed(month: int, day: int, count: int = 1) -> _Days:
    return lambda year, country: days(date(year, month, day), count)


def _easter(offset: int, count: int = 1) -> _Days:
    def days_of(year: int, country: str) -> Period:
        from dateutil.easter import easter

        return days(easter(year) + timedelta(days=offset), count)

    return days_of


def _nth(month: int, weekday: int, number: int) -> _Days:
    return lambda year, country: nth(weekday, number, months(year, month))


def _by_country(usual: _Days, **others: _Days) -> _Days:
    return lambda year, country: others.get(country, usual)(year, country)


def _advent(sunday: int, count: int = 1) -> _Days:
    """Sundays before Christmas, the fourth of which is the last; up to Christmas Eve for all."""

    def days_of(year: int, country: str) -> Period:
        christmas = date(year, 12, 25)
        fourth = christmas - timedelta(days=christmas.isoweekday())
        first = fourth - timedelta(weeks=4 - sunday)
        return days(first, count) if count == 1 else Period(first, christmas)

    return days_of


def _turn(year: int, country: str) -> Period:
    """New Year, to which both the last evening of the old and the first day belong."""
    return days(date(year - 1, 12, 31), 2)


def _between_the_years(year: int, country: str) -> Period:
    return Period(date(year, 12, 27), date(year + 1, 1, 1))


def _elsewhere(country: str, name: str, before: int = 0, count: int = 1) -> _Days:
    """A feast of another calendar by what holidays calls it; `count` days from so many before."""

    def days_of(year: int, _: str) -> Period | None:
        # Takes half a second to import, for the few who ask.
        from holidays import country_holidays

        categories = ("public", "school") if country == "IL" else ("public",)
        every = country_holidays(country, years=year, language="en_US", categories=categories)
        found = [day for day, said in sorted(every.items()) if name in said.lower()]
        return days(found[0] - timedelta(days=before), count) if found else None

    return days_of


_SUNDAY, _THURSDAY, _MONDAY, _FRIDAY = 6, 3, 0, 4
_mothers_day = _by_country(
    _nth(5, _SUNDAY, 2), GB=_easter(-21), IE=_easter(-21), FR=_nth(5, _SUNDAY, -1)
)
_fathers_day = _by_country(
    _nth(6, _SUNDAY, 3), DE=_easter(39), AU=_nth(9, _SUNDAY, 1), NZ=_nth(9, _SUNDAY, 1)
)
_national_day = _by_country(
    _fixed(7, 4),
    DE=_fixed(10, 3),
    AT=_fixed(10, 26),
    CH=_fixed(8, 1),
    FR=_fixed(7, 14),
    CA=_fixed(7, 1),
    AU=_fixed(1, 26),
    IN=_fixed(8, 15),
)

# Names as `tokens` writes them. In German they mean nothing else, so that a day needs no year;
# English ones are seen in photos too, and an unadorned "christmas tree" is a description.
_ENGLISH: dict[str, _Days] = {
    "christmas": _fixed(12, 24, 3),
    "xmas": _fixed(12, 24, 3),
    "christmas eve": _fixed(12, 24),
    "christmas day": _fixed(12, 25),
    "christmas time": _fixed(12, 24, 3),
    "boxing day": _fixed(12, 26),
    "st nicholas day": _fixed(12, 6),
    "new year": _turn,
    "new years": _turn,
    "new years eve": _fixed(12, 31),
    "new year eve": _fixed(12, 31),
    "nye": _fixed(12, 31),
    "new years day": _fixed(1, 1),
    "epiphany": _fixed(1, 6),
    "valentines": _fixed(2, 14),
    "valentines day": _fixed(2, 14),
    "valentine day": _fixed(2, 14),
    "carnival": _easter(-52, 6),
    "mardi gras": _easter(-47),
    "ash wednesday": _easter(-46),
    "st patricks day": _fixed(3, 17),
    "saint patricks day": _fixed(3, 17),
    "palm sunday": _easter(-7),
    "good friday": _easter(-2),
    "easter": _easter(-2, 4),
    "easter weekend": _easter(-2, 4),
    "easter sunday": _easter(0),
    "easter monday": _easter(1),
    "ascension day": _easter(39),
    "pentecost": _easter(48, 3),
    "whitsun": _easter(48, 3),
    "whit sunday": _easter(49),
    "whit monday": _easter(50),
    "corpus christi": _easter(60),
    "april fools day": _fixed(4, 1),
    "may day": _fixed(5, 1),
    "labour day": _by_country(_fixed(5, 1), CA=_nth(9, _MONDAY, 1), US=_nth(9, _MONDAY, 1)),
    "labor day": _nth(9, _MONDAY, 1),
    "memorial day": _nth(5, _MONDAY, -1),
    "independence day": _national_day,
    "fourth of july": _fixed(7, 4),
    "bastille day": _fixed(7, 14),
    "mothers day": _mothers_day,
    "fathers day": _fathers_day,
    "halloween": _fixed(10, 31),
    "all saints day": _fixed(11, 1),
    "bonfire night": _fixed(11, 5),
    "guy fawkes night": _fixed(11, 5),
    "thanksgiving": _by_country(_nth(11, _THURSDAY, 4), CA=_nth(10, _MONDAY, 2)),
    "thanksgiving day": _by_country(_nth(11, _THURSDAY, 4), CA=_nth(10, _MONDAY, 2)),
    "advent": _advent(1, 0),
    "chinese new year": _elsewhere("SG", "chinese new year"),
    "lunar new year": _elsewhere("SG", "chinese new year"),
    "diwali": _elsewhere("SG", "diwali"),
    "deepavali": _elsewhere("SG", "diwali"),
    "eid al fitr": _elsewhere("TR", "eid al-fitr", 0, 3),
    "eid al adha": _elsewhere("TR", "eid al-adha", 0, 4),
    "ramadan": _elsewhere("TR", "eid al-fitr", 29, 29),
    "rosh hashanah": _elsewhere("IL", "rosh hashanah", 0, 2),
    "yom kippur": _elsewhere("IL", "yom kippur"),
    "passover": _elsewhere("IL", "pesach", 0, 7),
    "hanukkah": _elsewhere("IL", "hanukkah", 1, 9),
}
_GERMAN: dict[str, _Days] = {
    "weihnachten": _fixed(12, 24, 3),
    "weihnachtszeit": _fixed(12, 24, 3),
    "heiligabend": _fixed(12, 24),
    "heilig abend": _fixed(12, 24),
    "heiliger abend": _fixed(12, 24),
    "heiligen abend": _fixed(12, 24),
    "erster weihnachtstag": _fixed(12, 25),
    "erster weihnachtsfeiertag": _fixed(12, 25),
    "zweiter weihnachtstag": _fixed(12, 26),
    "zweiter weihnachtsfeiertag": _fixed(12, 26),
    "weihnachtstag": _fixed(12, 25),
    "zwischen den jahren": _between_the_years,
    "nikolaus": _fixed(12, 6),
    "nikolaustag": _fixed(12, 6),
    "silvester": _fixed(12, 31),
    "sylvester": _fixed(12, 31),
    "neujahr": _fixed(1, 1),
    "neujahrstag": _fixed(1, 1),
    "jahreswechsel": _turn,
    "dreikoenig": _fixed(1, 6),
    "dreikoenigstag": _fixed(1, 6),
    "heilige drei koenige": _fixed(1, 6),
    "valentinstag": _fixed(2, 14),
    "karneval": _easter(-52, 6),
    "fasching": _easter(-52, 6),
    "fastnacht": _easter(-52, 6),
    "fasnacht": _easter(-52, 6),
    "weiberfastnacht": _easter(-52),
    "rosenmontag": _easter(-48),
    "faschingsdienstag": _easter(-47),
    "aschermittwoch": _easter(-46),
    "palmsonntag": _easter(-7),
    "gruendonnerstag": _easter(-3),
    "karfreitag": _easter(-2),
    "ostern": _easter(-2, 4),
    "osterwochenende": _easter(-2, 4),
    "ostersamstag": _easter(-1),
    "ostersonntag": _easter(0),
    "ostermontag": _easter(1),
    "walpurgisnacht": _fixed(4, 30),
    "tag der arbeit": _fixed(5, 1),
    "christi himmelfahrt": _easter(39),
    "himmelfahrt": _easter(39),
    "pfingsten": _easter(48, 3),
    "pfingstwochenende": _easter(48, 3),
    "pfingstsonntag": _easter(49),
    "pfingstmontag": _easter(50),
    "fronleichnam": _easter(60),
    "muttertag": _nth(5, _SUNDAY, 2),
    "vatertag": _by_country(_easter(39), AT=_nth(6, _SUNDAY, 2), CH=_nth(6, _SUNDAY, 1)),
    "nationalfeiertag": _national_day,
    "tag der deutschen einheit": _fixed(10, 3),
    "reformationstag": _fixed(10, 31),
    "allerheiligen": _fixed(11, 1),
    "allerseelen": _fixed(11, 2),
    "martinstag": _fixed(11, 11),
    "sankt martin": _fixed(11, 11),
    "advent": _advent(1, 0),
    "adventszeit": _advent(1, 0),
    "erster advent": _advent(1),
    "zweiter advent": _advent(2),
    "dritter advent": _advent(3),
    "vierter advent": _advent(4),
    "chinesisches neujahr": _elsewhere("SG", "chinese new year"),
    "zuckerfest": _elsewhere("TR", "eid al-fitr", 0, 3),
    "opferfest": _elsewhere("TR", "eid al-adha", 0, 4),
}
# By a word of our own, for what has one in Spanish: Semana Santa.
_SPANISH = {"holyweek": _easter(-7, 8)}
FEASTS = _ENGLISH | _GERMAN | _SPANISH
# At the turn of two years: of "Silvester 2019/2020" the first is meant, of "New Year" the second.
EVES = frozenset({"new years eve", "new year eve", "nye", "silvester", "sylvester"})
TURNS = frozenset(name for name, read in FEASTS.items() if read is _turn)
SURE_FEASTS = frozenset((*_GERMAN, *_SPANISH)) - {"advent"}
LONGEST = max(len(name.split()) for name in FEASTS)


def feast(name: str, country: str) -> Callable[[int], Period | None]:
    """The days of the feast `name` in a year, as people of that country ("DE", or "") have it."""
    read = FEASTS[name]

    def in_year(year: int) -> Period | None:
        return read(year, country)

    return in_year
