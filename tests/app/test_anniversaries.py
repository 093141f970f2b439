"""This day in earlier years, in made-up libraries."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from index import Catalogue, FileStamp, Metadata, NewPhoto
from photosearch import Anniversary, Library


def make_library(folder: Path, *photos: Metadata) -> None:
    """One photo for each, with the ids 1, 2, ..."""
    made = [
        NewPhoto(
            f"/photos/{number}.jpg", FileStamp(1, number), 4, 3, "JPEG", bytes([number] * 32), one
        )
        for number, one in enumerate(photos, 1)
    ]
    with Catalogue.open(folder) as catalogue:
        catalogue.record("none", made, np.ones((len(made), 2), np.float32))


def taken(*moments: str | None, rating: int | None = None) -> list[Metadata]:
    return [Metadata(taken_at=moment, rating=rating) for moment in moments]


def remembered(folder: Path, today: str) -> tuple[bool, list[tuple[int, str, str, int]]]:
    """Whether it is around the day, and of each year all but the photos."""
    with Library.open(folder) as library:
        found = library.photos.anniversaries(date.fromisoformat(today))
        years = [(one.years, one.first, one.last, one.count) for one in found.years]
        return found.around, years


def test_this_day_in_earlier_years_comes_latest_first(tmp_path: Path) -> None:
    make_library(
        tmp_path,
        *taken("2016-05-03", "2019-05-03T23:59:59", "2019-05-03T00:00:00", "2024-05-03T12:00:00"),
        *taken("2019-05-04", "2019-05", "2019", None, "2025-05-03"),
    )
    assert remembered(tmp_path, "2024-05-03") == (
        False,
        [(5, "2019-05-03", "2019-05-03", 2), (8, "2016-05-03", "2016-05-03", 1)],
    )


def test_without_any_on_the_day_it_is_the_days_around_it(tmp_path: Path) -> None:
    make_library(tmp_path, *taken("2019-05-06", "2019-05-02", "2020-05-07", "2020-04-29", "2019"))
    assert remembered(tmp_path, "2024-05-03") == (True, [(5, "2019-04-30", "2019-05-06", 2)])
    assert remembered(tmp_path, "2024-09-03") == (False, [])


def test_the_days_around_new_year_are_of_two_years(tmp_path: Path) -> None:
    make_library(tmp_path, *taken("2019-12-30", "2020-01-02", "2023-12-30"))
    assert remembered(tmp_path, "2024-01-01") == (True, [(4, "2019-12-29", "2020-01-04", 2)])
    assert remembered(tmp_path, "2024-12-31") == (
        True,
        [(1, "2023-12-28", "2024-01-03", 1), (5, "2019-12-28", "2020-01-03", 2)],
    )


@pytest.mark.parametrize(
    ("today", "years"),
    [
        ("2024-02-29", [(4, "2020-02-29", "2020-02-29", 1)]),
        ("2023-02-28", [(3, "2020-02-28", "2020-02-29", 1), (4, "2019-02-28", "2019-02-28", 1)]),
        ("2024-02-28", [(5, "2019-02-28", "2019-02-28", 1)]),
        ("2100-02-28", [(80, "2020-02-28", "2020-02-29", 1), (81, "2019-02-28", "2019-02-28", 1)]),
    ],
)
def test_29_february_is_remembered_each_year(
    tmp_path: Path, today: str, years: list[tuple[int, str, str, int]]
) -> None:
    make_library(tmp_path, *taken("2020-02-29T10:00:00", "2019-02-28"))
    assert remembered(tmp_path, today) == (False, years)


def test_the_days_around_29_february(tmp_path: Path) -> None:
    make_library(tmp_path, *taken("2021-03-02", "2021-03-04"))
    assert remembered(tmp_path, "2024-02-29") == (True, [(3, "2021-02-25", "2021-03-03", 1)])


def test_clocks_that_were_never_set_and_no_dates_at_all(tmp_path: Path) -> None:
    make_library(tmp_path / "odd", *taken("0001-01-01T00:00:00", "1904-01-01"))
    assert remembered(tmp_path / "odd", "2024-01-01")[1] == [(120, "1904-01-01", "1904-01-01", 1)]
    make_library(tmp_path / "undated", *taken(None))
    assert remembered(tmp_path / "undated", "2024-01-01") == (False, [])


def test_a_year_is_told_by_what_is_liked_and_else_by_all_of_the_day(tmp_path: Path) -> None:
    day = [f"2019-05-03T{hour:02}:00:00" for hour in range(9)]
    make_library(tmp_path, *taken(*day[:6]), *taken(day[6], rating=-1), *taken(*day[7:], rating=5))
    with Library.open(tmp_path) as library:
        today = date(2024, 5, 3)
        assert library.photos.anniversaries(today).years == (
            Anniversary(5, "2019-05-03", "2019-05-03", 9, (4, 8, 9)),
        )
        library.albums.add_photos([1, 2])
        assert library.photos.anniversaries(today).years[0].photos == (1, 2, 8)
