"""All photos of a catalogue by their days, and whereabouts they were taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from index import Catalogue, FileStamp, Metadata, NewPhoto, Place
from index.catalogue.days import Whereabouts

ROME = Place("Rome", "Lazio", "Italy")
OSTIA = Place("Ostia", "Lazio", "Italy")


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path) as catalogue:
        yield catalogue


def record(catalogue: Catalogue, *photos: Metadata, width: int = 4, height: int = 3) -> None:
    """Photos with the ids 1, 2 and so on."""
    start = len(catalogue.photos(range(1, 100)))
    new = [
        NewPhoto(
            str(Path(f"/photos/{start + number}.jpg").absolute()),
            FileStamp(1, start + number),
            width,
            height,
            "JPEG",
            (start + number).to_bytes(32, "big"),
            metadata,
        )
        for number, metadata in enumerate(photos, 1)
    ]
    catalogue.record("model", new, np.ones((len(new), 4), np.float32))


def test_without_photos_there_are_no_days(catalogue: Catalogue) -> None:
    found = catalogue.selection.days()
    assert (found.days, found.ids.tolist(), found.bursts) == ([], [], [])
    assert catalogue.selection.whereabouts() == []


def test_days_come_newest_first_and_what_has_none_last(catalogue: Catalogue) -> None:
    record(
        catalogue,
        Metadata(),
        Metadata(taken_at="2019"),
        Metadata(taken_at="2019-05"),
        Metadata(taken_at="2019-05-03T10:00:00", place=ROME),
        Metadata(taken_at="2019-05-03", place=OSTIA),
        Metadata(taken_at="2019-05-03T11:00:00", place=ROME),
        Metadata(taken_at="2020-01-01T00:00:00"),
    )
    catalogue.mark_missing([catalogue.photos([7])[0].path])
    record(catalogue, Metadata(taken_at="2018-01-01T10:00:00"), width=900, height=300)
    found = catalogue.selection.days()
    assert [(one.day, one.photos, one.city) for one in found.days] == [
        ("2019-05-03", 3, "Rome"),
        ("2019-05", 1, None),
        ("2019", 1, None),
        ("2018-01-01", 1, None),
        ("", 1, None),
    ]
    assert found.ids.tolist() == catalogue.shelves.members() == [6, 4, 5, 3, 2, 8, 1]
    assert found.ratios.tolist()[4:6] == [pytest.approx(4 / 3), 3.0]


def test_bursts_are_photos_of_one_camera_second_by_second(catalogue: Catalogue) -> None:
    def shot(second: int, camera: str | None = "X100", source: str = "exif") -> Metadata:
        taken = f"2019-05-03T10:00:{second:02}"
        return Metadata(taken_at=taken, camera=camera, taken_source=source)

    record(catalogue, shot(1), shot(2), shot(2), shot(3))
    # Two are none, nor are those of several cameras, or of none that is known.
    record(catalogue, shot(10), shot(11), shot(20), shot(21, "Pixel"), shot(21))
    record(catalogue, shot(30, None), shot(31, None), shot(31, None))
    # When a picture was worked on tells nothing.
    record(catalogue, *(shot(40, source="modified") for _ in range(4)))
    found = catalogue.selection.days()
    assert found.bursts == [(found.ids.tolist().index(4), 4)]


def test_whereabouts_are_places_of_a_day_with_the_best_photo(catalogue: Catalogue) -> None:
    def at(north: float | None, place: Place | None, rating: int | None = None) -> Metadata:
        return Metadata(
            "2019-05-03T10:00:00", latitude=north, longitude=north, place=place, rating=rating
        )

    record(catalogue, at(41.90, ROME, 4), at(41.91, ROME), at(41.90, ROME, -1), at(None, None))
    record(catalogue, Metadata(taken_at="2019-05"), Metadata())
    assert catalogue.selection.whereabouts() == [
        Whereabouts("2019-05-03", None, None, None, 1, 0, 4),
        Whereabouts("2019-05-03", 41.90, 41.90, ROME, 3, 4, 1),
    ]
