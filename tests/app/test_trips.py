"""Trips, of made-up lives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from index import Catalogue, FileStamp, Metadata, NewPhoto, Place
from index.catalogue.days import Whereabouts
from photosearch import Library
from photosearch.browsing.trips import Trip, find_trips

WHERE = {
    "Berlin": (52.52, 13.40),
    "Potsdam": (52.40, 13.07),
    "Hamburg": (53.55, 9.99),
    "Munich": (48.14, 11.58),
    "Rome": (41.89, 12.48),
    "Florence": (43.77, 11.25),
    "Siena": (43.32, 11.33),
    "Lisbon": (38.72, -9.14),
    "Auckland": (-36.85, 174.76),
    "Honolulu": (21.31, -157.86),
}
COUNTRY = {
    **dict.fromkeys(("Berlin", "Potsdam", "Hamburg", "Munich"), "Germany"),
    **dict.fromkeys(("Rome", "Florence", "Siena"), "Italy"),
    "Lisbon": "Portugal",
    "Auckland": "New Zealand",
    "Honolulu": "United States",
}
REGION = {"Florence": "Tuscany", "Siena": "Tuscany", "Rome": "Lazio"}


class Life:
    """Photos that somebody took, day by day; `usual` are those of days without anything else."""

    def __init__(self, usual: Life | None = None) -> None:
        self.usual = usual.taken if usual else []
        self.taken: list[Whereabouts] = []

    def there(
        self, city: str | None, first: str, days: int = 1, *, every: int = 1, photos: int = 10
    ) -> Life:
        """So many photos on each of some days in a city; None for a camera that does not know."""
        for number in range(0, days, every):
            day = (date.fromisoformat(first) + timedelta(number)).isoformat()
            north, east = (None, None) if city is None else WHERE[city]
            place = None if city is None else Place(city, REGION.get(city, ""), COUNTRY[city])
            number = len(self.taken) + 1
            self.taken.append(Whereabouts(day, north, east, place, photos, 0, number))
        return self

    @property
    def whereabouts(self) -> list[Whereabouts]:
        busy = {one.day for one in self.taken}
        usual = [one for one in self.usual if one.day not in busy]
        return sorted([*self.taken, *usual], key=lambda one: one.day)

    @property
    def trips(self) -> list[Trip]:
        return find_trips(self.whereabouts)

    @property
    def told(self) -> list[str]:
        return [
            f"{trip.first} to {trip.last}: "
            + ", ".join(place.city or place.region or place.country for place in trip.places)
            for trip in self.trips
        ]


def at_home(city: str = "Berlin", first: str = "2019-01-01", days: int = 365) -> Life:
    """A few photos a week, and many days without."""
    return Life(Life().there(city, first, days, every=9, photos=2))


def test_a_trip_is_days_away_from_home_named_by_its_places() -> None:
    life = at_home().there("Rome", "2019-05-03", 4, photos=30).there("Florence", "2019-05-07", 3)
    (trip,) = life.trips
    assert (trip.first, trip.last) == ("2019-05-03", "2019-05-09")
    assert [place.city for place in trip.places] == ["Rome", "Florence"]
    assert trip.count == 4 * 30 + 3 * 10
    assert trip.cover in {one.best for one in life.taken if one.place and one.place.city == "Rome"}


def test_the_best_rated_photo_is_the_cover() -> None:
    life = at_home().there("Rome", "2019-05-03", 3)
    best = Whereabouts("2019-05-04", *WHERE["Siena"], Place("Siena", "Tuscany", "Italy"), 1, 5, 999)
    life.taken.append(best)
    assert [trip.cover for trip in life.trips] == [999]


def test_without_home_there_are_no_trips() -> None:
    assert Life().trips == []
    # All of it is one journey, or who knows whether they live there.
    assert Life().there("Rome", "2019-05-03", 7).there("Lisbon", "2019-05-10", 7).trips == []


def test_without_positions_there_are_no_trips() -> None:
    assert Life().there(None, "2019-01-01", 365, every=2).trips == []


def test_photos_without_a_position_belong_to_the_trip_around_them() -> None:
    life = at_home().there("Rome", "2019-05-03").there("Rome", "2019-05-07")
    (trip,) = life.there(None, "2019-05-04", 3, photos=5).trips
    assert (trip.first, trip.last, trip.count) == ("2019-05-03", "2019-05-07", 35)


def test_who_moves_is_at_home_in_both_places() -> None:
    life = at_home(days=540)
    life.usual += at_home("Munich", "2020-06-25", 700).usual
    life.there("Rome", "2019-05-03", 3).there("Rome", "2021-05-03", 3)
    # A visit to where they used to live is a trip, a year later.
    life.there("Berlin", "2021-10-01", 3)
    assert life.told == [
        "2019-05-03 to 2019-05-05: Rome",
        "2021-05-03 to 2021-05-05: Rome",
        "2021-10-01 to 2021-10-03: Berlin",
    ]


def test_who_commutes_is_not_on_trips() -> None:
    life = at_home().there("Hamburg", "2019-01-07", 350, every=7)
    life.there("Hamburg", "2019-01-08", 350, every=7)
    assert life.trips == []


def test_near_home_is_no_trip() -> None:
    assert at_home().there("Potsdam", "2019-06-01", 5).trips == []


def test_a_weekend_away_is_a_trip_and_a_day_out_is_none() -> None:
    life = at_home().there("Hamburg", "2019-06-01", 2, photos=2).there("Munich", "2019-08-03")
    assert life.told == ["2019-06-01 to 2019-06-02: Hamburg"]


def test_one_photo_abroad_is_no_trip() -> None:
    life = at_home().there("Lisbon", "2019-06-01", photos=1)
    assert life.there("Lisbon", "2019-06-03", photos=1).trips == []


def test_a_journey_with_more_photos_than_all_the_year_is_not_home() -> None:
    life = Life().there("Berlin", "2019-01-01", 365, every=20, photos=1)
    assert life.there("Rome", "2019-07-01", 40, photos=100).told == [
        "2019-07-01 to 2019-08-09: Rome"
    ]


def test_a_trip_goes_on_over_new_year() -> None:
    life = at_home(days=730).there("Lisbon", "2019-12-28", 8)
    assert life.told == ["2019-12-28 to 2020-01-04: Lisbon"]


def test_two_trips_with_a_day_at_home_between_are_two() -> None:
    life = at_home().there("Rome", "2019-05-03", 3).there("Berlin", "2019-05-06")
    life.there("Lisbon", "2019-05-07", 3)
    assert life.told == ["2019-05-03 to 2019-05-05: Rome", "2019-05-07 to 2019-05-09: Lisbon"]


def test_a_week_without_photos_ends_a_trip() -> None:
    life = at_home(days=120).there("Rome", "2019-06-03", 3).there("Rome", "2019-06-14", 3)
    assert life.told == ["2019-06-03 to 2019-06-05: Rome", "2019-06-14 to 2019-06-16: Rome"]


def test_on_the_day_of_travel_most_photos_count() -> None:
    life = at_home().there("Rome", "2019-05-03", 3).there("Berlin", "2019-05-03", photos=1)
    life.there("Berlin", "2019-05-05", photos=50)
    assert life.told == ["2019-05-03 to 2019-05-04: Rome"]


def test_days_are_those_of_the_clock_where_photos_were_taken() -> None:
    """Over the date line the day before comes twice, and positions jump by 330 degrees."""
    life = at_home("Auckland").there("Honolulu", "2019-05-02", 6)
    life.there("Auckland", "2019-05-02", photos=2)
    assert life.told == ["2019-05-02 to 2019-05-07: Honolulu"]


def test_a_round_trip_is_named_by_regions_or_by_the_country() -> None:
    life = at_home()
    for number in range(12):
        day = f"2019-06-{number + 1:02}"
        region = "Tuscany" if number < 8 else "Lazio"
        place = Place(f"Village {number}", region, "Italy")
        life.taken.append(Whereabouts(day, *WHERE["Siena"], place, 5, 0, 500 + number))
    (trip,) = life.trips
    assert trip.places == (Place("", "Tuscany", "Italy"), Place("", "Lazio", "Italy"))

    life.taken = [
        Whereabouts(one.day, one.latitude, one.longitude, scattered(number, one.place), 5, 0, 1)
        for number, one in enumerate(life.taken)
    ]
    (trip,) = life.trips
    assert trip.places == (Place("", "", "Italy"),)


def scattered(number: int, place: Place | None) -> Place | None:
    if place is None or place.country != "Italy":
        return place
    return Place(f"Village {number}", f"Region {number}", "Italy")


def recorded(life: Life) -> Iterator[NewPhoto]:
    for number, one in enumerate(life.whereabouts):
        metadata = Metadata(
            f"{one.day}T10:00:00",
            latitude=one.latitude,
            longitude=one.longitude,
            place=one.place,
            rating=5 if one.day == "2019-05-04" else None,
        )
        digest = number.to_bytes(32, "big")
        path = str(Path("/photos", f"{number}.jpg").absolute())
        yield NewPhoto(path, FileStamp(1, 1), 4, 3, "JPEG", digest, metadata)


def test_a_library_tells_its_trips_again_when_it_has_changed(tmp_path: Path) -> None:
    life = at_home().there("Rome", "2019-05-03", 5)
    photos = list(recorded(life))
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record("model", photos, np.ones((len(photos), 4), np.float32))
        with Library.open(tmp_path) as library:
            (trip,) = library.photos.trips()
            assert (trip.first, trip.last, trip.count) == ("2019-05-03", "2019-05-07", 5)
            assert [place.city for place in trip.places] == ["Rome"]
            (cover,) = library.photos.listed([trip.cover])
            assert cover.taken_at == "2019-05-04T10:00:00"
            assert library.photos.trips() is library.photos.trips()

            catalogue.mark_missing(
                [
                    one.path
                    for one in photos
                    if one.metadata and one.metadata.place == trip.places[0]
                ]
            )
            assert library.photos.trips() == []
