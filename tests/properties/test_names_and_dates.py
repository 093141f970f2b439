"""Names and dates of any kind: what is written can be read again, and is the same."""

from __future__ import annotations

import ntpath
import os
import unicodedata
from datetime import date
from pathlib import PureWindowsPath

from hypothesis import assume, example, given
from hypothesis import strategies as st

from index.catalogue.functions import composed, folded, kilometres, place_key, place_keys, same_name
from index.paths import path_to_text, text_to_path
from photosearch.portable.mapping import PathMap
from photosearch.portable.names import portable_name
from photosearch.search.dates import Calendar, Locale, Period, Yearly, meaning, said
from photosearch.search.dates.calendar import days, months, same_day, years
from photosearch.sharing.naming import Names
from photosearch.words.folding import SHELVES, fold, plain, shelf

DAYS = st.dates(date(1950, 1, 1), date(2099, 12, 31))
LANGUAGES = st.sampled_from(("en-GB", "en-US", "de"))
NAMES = st.text(min_size=1, max_size=20).filter(lambda name: "/" not in name and "\0" not in name)
DATE_WORDS = [
    "last", "first", "this", "early", "late", "of", "the", "in", "from", "to", "until", "before",
    "summer", "winter", "may", "feb", "29", "31", "2019", "2020", "week", "weekend", "year",
    "month", "day", "days", "ago", "3", "999", "vor", "seit", "bis", "jahren", "easter", "advent",
    "silvester", "'99", "90er", "24.12.", "2021-W53", "05/2021", "Q4", "/", "-", ",", ".", "or",
    "and", "monday", "past", "few",
]  # fmt: skip
DEVICES = st.sampled_from(("CON", "nul", "com1", "LPT9", "aux", "prn", "CONIN$", "conout$"))


def is_reserved(name: str) -> bool:
    """As Windows has it; newer versions of Python know more such names."""
    known = getattr(ntpath, "isreserved", None)
    return bool(known(name)) if known else PureWindowsPath(name).is_reserved()


@given(st.tuples(st.one_of(NAMES, DEVICES), st.text(" .:x", max_size=4)).map("".join))
@example("nul .jpg")
@example("CONIN$")
@example("com\N{SUPERSCRIPT ONE}.txt")
@example("a\N{FULLWIDTH COLON}b.")
def test_a_portable_name_is_one_that_windows_takes(name: str) -> None:
    portable = portable_name(name)
    assert portable_name(portable) == portable
    as_path = PureWindowsPath(portable)
    assert as_path.name == portable
    assert not as_path.drive
    assert not is_reserved(portable)
    assert not portable.endswith((".", " "))
    assert len(portable) <= len(name) + 1


@given(st.lists(NAMES, max_size=6))
def test_free_names_stay_apart_where_capitals_and_accents_do_not_count(names: list[str]) -> None:
    taken = Names()
    free = [taken.free(name) for name in names]
    keys = {unicodedata.normalize("NFC", name).casefold() for name in free}
    assert len(keys) == len(names)


@given(st.text())
@example("\udcff\U0010f0ff\U0010f800")
def test_a_path_comes_back_from_the_catalogue(path: str) -> None:
    text = path_to_text(path)
    text.encode()
    assert text_to_path(text) == path


@given(st.text())
@example("\u0130")
@example("l\u00b4\u00e9glise \u00a8")
@example("\ufb01\u0345")
@example("\N{SERVICE MARK}")
@example("\N{MODIFIER LETTER CAPITAL AE}")
@example("\N{LATIN SMALL LETTER AE WITH MACRON}")
def test_folding_twice_is_folding_once(text: str) -> None:
    for change in (folded, place_key, composed, fold, lambda one: plain(fold(one))):
        assert change(change(text)) == change(text)
    assert place_key(text) in place_keys(text)
    assert same_name(text, unicodedata.normalize("NFD", text))
    assert 0 <= shelf(fold(text)) < SHELVES


@given(st.lists(NAMES.filter(lambda name: "=" not in name), min_size=1, max_size=4))
def test_a_map_leads_back(names: list[str]) -> None:
    assume(all(name not in (".", "..") for name in names))
    path = "/".join(["/old", *names])
    there = PathMap([("/old", "/new/place")], "/")(path)
    assert there == os.sep.join(["/new/place", *names])
    if os.sep == "/":
        assert PathMap([("/new/place", "/old")], "/")(there) == path


degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(degrees, degrees)
def test_no_distance_is_longer_than_half_around(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    there = kilometres(*one, *other)
    assert 0 <= there <= 20016
    assert abs(there - kilometres(*other, *one)) < 1e-6


def periods() -> st.SearchStrategy[Period]:
    return st.one_of(
        st.builds(days, DAYS, st.integers(1, 60)),
        st.builds(months, st.integers(1950, 2098), st.integers(1, 12), st.integers(1, 20)),
        st.builds(years, st.integers(1950, 2060), st.integers(1, 20)),
    )


@given(periods(), LANGUAGES, DAYS)
def test_what_is_said_of_days_means_these_days(period: Period, tag: str, today: date) -> None:
    locale = Locale.of(tag)
    text = said([period], locale.language)
    found = meaning(text.replace("\N{EN DASH}", "-"), Calendar(today, locale))
    assert found is not None, text
    assert found.spans == (period,), text


@given(
    st.lists(st.sampled_from(DATE_WORDS), min_size=1, max_size=6).map(" ".join),
    DAYS,
    LANGUAGES,
    st.booleans(),
)
def test_no_period_ends_before_it_begins(text: str, today: date, tag: str, southern: bool) -> None:
    found = meaning(text, Calendar(today, Locale.of(tag), southern))
    if found is None:
        return
    assert found.spans
    assert found.said
    for span in found.spans:
        if isinstance(span, Yearly):
            assert all(
                1 <= month <= 12 and 1 <= day <= 31 for month, day in (span.first, span.last)
            )
        elif span.start is not None and span.end is not None:
            assert span.start < span.end


@given(DAYS, st.integers(0, 600))
def test_the_same_day_of_another_month(day: date, back: int) -> None:
    found = same_day(day, back)
    assert (day.year * 12 + day.month) - (found.year * 12 + found.month) == back
    assert found.day == day.day or (found.day < day.day and found.day >= 28)
