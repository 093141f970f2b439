"""Conditions on photos: those for which they hold now, alone and together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from catalogue_data import BUNDLE, unit_vectors

from index import Catalogue, FileStamp, Metadata, NewPhoto, PhotoFile, Place
from index.catalogue.conditions import (
    Chosen,
    Condition,
    Either,
    FileDated,
    InPlace,
    Not,
    OfFormat,
    Rated,
    Saying,
    Screenshot,
    Shaped,
    Tagged,
    Taken,
    TakenInMonth,
    TakenOnDays,
)
from index.catalogue.functions import folded

PATHS = (
    "/photos/café/IMG_1.jpg",
    "/photos/cafe/IMG_2.jpg",
    "/photos/party/Café Central.jpg",
    "/photos/party/CAFETERIA.JPG",
    "/photos/party/straße.jpg",
    "/photos/party/plain.png",
    "/photos/party/nothing known.jpg",
)
CAPTIONS = (None, "A quiet CAFÉ", None, None, None, "IMG_1", None)
KEYWORDS = (('"so" it\\is',), (), ("Straße",), ("central", "Ünï"), ("50%_off",), ("cafe",), ())


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path) as catalogue:
        photos = [
            NewPhoto(
                path,
                FileStamp(100 + number, 1),
                40,
                30,
                "PNG" if path.endswith("png") else "JPEG",
                metadata=None
                if "nothing" in path
                else Metadata(
                    caption=CAPTIONS[number],
                    keywords=KEYWORDS[number],
                    rating=number or None,
                    place=Place("Rome", "", "Italy") if number % 2 else None,
                ),
            )
            for number, path in enumerate(PATHS)
        ]
        catalogue.record(BUNDLE, photos, unit_vectors(len(photos)))
        yield catalogue


def found(catalogue: Catalogue, *conditions: Condition) -> list[int]:
    """Their numbers in `PATHS`."""
    return [photo - 1 for photo in catalogue.selection.ids(conditions).tolist()]


@pytest.mark.parametrize(
    "text",
    [
        "cafe",
        "CAFÉ",
        "img_1",
        "strasse",
        "STRAßE",
        "central",
        "uni",
        "party",
        "e",
        "/",
        "zz",
        "%",
        "0%_o",
        "_off",
        "!",
        '"SO"',
        "t\\i",
    ],
)
def test_words_are_found_whatever_their_case_and_accents(catalogue: Catalogue, text: str) -> None:
    expected = [
        number
        for number, path in enumerate(PATHS)
        if any(
            folded(text) in folded(said)
            for said in (path.rsplit("/", 1)[1], CAPTIONS[number] or "", *KEYWORDS[number])
        )
    ]
    assert found(catalogue, Saying(text)) == expected


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ((), lambda n: True),
        ((InPlace("rome"),), lambda n: n in (1, 3, 5)),
        ((Not(InPlace("rome")),), lambda n: n not in (1, 3, 5)),
        ((InPlace("italy"), Rated(2, 4)), lambda n: n == 3),
        ((Rated(0, 2),), lambda n: n in (0, 1, 2, 6)),
        ((Not(Rated(0, 2)),), lambda n: n in (3, 4, 5)),
        ((Either((OfFormat(("PNG",)), Rated(1, 1))),), lambda n: n in (1, 5)),
        ((Not(Either((OfFormat(("PNG",)), Not(InPlace("Rome"))))),), lambda n: n in (1, 3)),
        ((Either(()),), lambda n: False),
        ((InPlace("rome"), Not(InPlace("rome"))), lambda n: False),
    ],
)
def test_conditions_hold_together(
    catalogue: Catalogue, conditions: tuple[Condition, ...], holds: Callable[[int], bool]
) -> None:
    for missing in (None, 3):
        if missing is not None:
            catalogue.mark_missing([PATHS[missing]])
        expected = [number for number in range(len(PATHS)) if number != missing and holds(number)]
        assert found(catalogue, *conditions) == expected


def test_what_was_changed_since_counts(catalogue: Catalogue, tmp_path: Path) -> None:
    """Whoever changed it: this process, or another one."""
    assert found(catalogue, InPlace("oslo")) == []
    assert found(catalogue, Rated(1, 5)) == [1, 2, 3, 4, 5]
    with Catalogue.open(tmp_path) as other:
        for number, writer in ((0, catalogue), (4, other)):
            moved = Metadata(place=Place("Oslo", "", "Norway"))
            writer.record_metadata({PATHS[number]: (moved, "")})
            assert number in found(catalogue, InPlace("oslo"))
            assert number in found(other, InPlace("oslo"))
        assert found(catalogue, InPlace("oslo")) == [0, 4]
        assert found(catalogue, Rated(1, 5)) == [1, 2, 3, 5]
        other.forget("/photos/café")
        assert found(catalogue, InPlace("oslo")) == [4]


def test_many_different_conditions(catalogue: Catalogue) -> None:
    """More than are kept."""
    for _ in range(2):
        for number in range(1, 100):
            assert found(catalogue, Rated(number, number)) == ([number] if number < 6 else [])


DATES = (None, "1999-12-31T23:59:59", "2000-01-01", "2000-01-01T00:00:00", "2000-02-29T12:00:00")
DATES += ("2000-12-31T23:59:59", "2001-01-01T00:00:01", "2001-06-01T08:00:00", "2004-01-01")
DATES += ("1999", "1999-12", "2000", "2000-01", "2000-02", "2000-02-29", "2001", "2001-06", "2004")
BOUNDS = (None, "0999-07-01", "1999-12-31", "2000-01-01", "2000-01-01T00:00:01", "2000-03-01")
BOUNDS += ("2001-01-01", "2001-06-01T08:00:00", "2003-05-01", "2004-01-01", "9999-12-31")


def moments(date: str) -> tuple[str, str]:
    """The first and the last moment that a date may mean."""
    first, last = "0000-01-01T00:00:00", "0000-12-31T23:59:59"
    return date + first[len(date) :], date + last[len(date) :]


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("12-24", "12-31", {"12-31"}),
        ("12-31", "01-01", {"12-31", "01-01"}),
        ("02-29", "06-01", {"02-29", "06-01"}),
        ("03-01", "05-31", set()),
    ],
)
def test_days_of_any_year(tmp_path: Path, first: str, last: str, days: set[str]) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        photos = [
            NewPhoto(f"/{n}", FileStamp(n, 1), 4, 3, "JPEG", metadata=Metadata(taken_at=taken))
            for n, taken in enumerate(DATES)
        ]
        catalogue.record(BUNDLE, photos, unit_vectors(len(photos)))
        expected = [n for n, taken in enumerate(DATES) if taken and taken[5:10] in days]
        assert found(catalogue, TakenOnDays(first, last)) == expected


@pytest.mark.parametrize("start", BOUNDS)
def test_a_time_holds_from_its_start_and_before_its_end(tmp_path: Path, start: str | None) -> None:
    """Also where a date is known no better than to the year: all of it has to be in there."""
    with Catalogue.open(tmp_path) as catalogue:
        photos = [
            NewPhoto(f"/{n}", FileStamp(n, 1), 4, 3, "JPEG", metadata=Metadata(taken_at=taken))
            for n, taken in enumerate(DATES)
        ]
        catalogue.record(BUNDLE, photos, unit_vectors(len(photos)))
        for end in BOUNDS:
            expected = [
                number
                for number, taken in enumerate(DATES)
                if taken is not None
                and (start or "") <= moments(taken)[0]
                and moments(taken)[1] < (end or "~")
            ]
            assert found(catalogue, Taken(start, end)) == expected, end


def test_the_date_of_a_file_is_found_where_it_is_asked_for(tmp_path: Path) -> None:
    """By the clock on the wall here; and only of photos that do not say when they were taken."""
    changed = int(datetime(2021, 5, 3, 12).timestamp()) * 1_000_000_000
    with Catalogue.open(tmp_path) as catalogue:
        said = (None, Metadata(), Metadata(taken_source="mtime"), Metadata(taken_at="2021-05-03"))
        photos = [
            NewPhoto(f"/{n}", FileStamp(n, changed), 4, 3, "JPEG", metadata=metadata)
            for n, metadata in enumerate(said)
        ]
        photos.append(NewPhoto("/4", FileStamp(4, -1), 4, 3, "JPEG"))
        catalogue.record(BUNDLE, photos, unit_vectors(5))
        may, without = ("2021-05-01", "2021-06-01"), [0, 1, 2]
        assert found(catalogue, Taken(*may)) == [3]
        assert found(catalogue, Taken(*may, of_file=True)) == without
        assert found(catalogue, TakenInMonth(5)) == [3]
        assert found(catalogue, TakenInMonth(5, of_file=True)) == without
        assert found(catalogue, FileDated()) == [0, 1, 2, 4]
        assert found(catalogue, Taken(None, "2021-05-03", of_file=True)) == [4]
        assert found(catalogue, Taken("2020-07-01", "2022-03-01", of_file=True)) == without


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("rome", [0, 1]),
        ("Europe", [0]),
        ("places|europe|rome", [0]),
        ("Places/Europe", [0]),
        ("Europe|Rome", [0]),
        ("Places|Rome", []),
        ("Rom", []),
        ("romé", [0, 1]),
        ("AC/DC", [2]),
        ("AC", []),
        ('"', [2]),
    ],
)
def test_a_keyword_is_found_as_a_whole_and_each_level_of_a_path(
    tmp_path: Path, keyword: str, expected: list[int]
) -> None:
    words = (
        ("Places", "Europe", "Rome", "Places|Europe|Rome"),
        ("Rome",),
        ("AC/DC", '"'),
        ("Romeo",),
        (),
    )
    with Catalogue.open(tmp_path) as catalogue:
        photos = [
            NewPhoto(f"/{n}", FileStamp(n, 1), 4, 3, "JPEG", metadata=Metadata(keywords=said))
            for n, said in enumerate(words)
        ]
        catalogue.record(BUNDLE, photos, unit_vectors(len(photos)))
        assert found(catalogue, Tagged(keyword)) == expected


def test_nothing_is_found_in_an_empty_catalogue(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path / "empty") as catalogue:
        for conditions in ([], [InPlace("rome")], [Not(InPlace("rome"))], [Saying("a")]):
            assert catalogue.selection.ids(conditions).tolist() == []


SHAPES = {
    # Name: width, height, format, camera, and whether it is a panorama.
    "a phone's screenshot": (1080, 2400, "PNG", None, False),
    "one that scrolls": (1080, 9000, "JPEG", None, False),
    "one on its side": (2400, 1080, "PNG", None, False),
    "a narrow phone's on its side": (2520, 1080, "PNG", None, False),
    "a phone's panorama": (10800, 3900, "HEIC", "Apple iPhone 12", True),
    "a short one": (8000, 3900, "JPEG", "Pixel 6", True),
    "an upright one": (3900, 9500, "JPEG", "Pixel 6", True),
    "one that was sent on": (4000, 1400, "JPEG", None, True),
    "one that was stitched": (9000, 2000, "TIFF", None, True),
    "a photo": (4000, 3000, "JPEG", "Pixel 6", False),
    "a video for the cinema": (2048, 858, "VIDEO", "ARRI", False),
    "an upright video": (1080, 2400, "VIDEO", "Pixel 6", False),
}


def test_a_panorama_is_no_screenshot(tmp_path: Path) -> None:
    photos = [
        NewPhoto(
            f"/{name}",
            FileStamp(1, 1),
            width,
            height,
            form,
            metadata=Metadata(camera=camera),
        )
        for name, (width, height, form, camera, _) in SHAPES.items()
    ]
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, photos, unit_vectors(len(photos)))
        found = catalogue.photos(catalogue.selection.ids([Shaped("panorama")]).tolist())
    assert {photo.path[1:] for photo in found} == {
        name for name, (*_, wanted) in SHAPES.items() if wanted
    }


SCREENSHOTS = {
    "/p/Screenshot_20240101-120000_Chrome.jpg": True,
    "/p/Screenshot 2024-01-01 at 12.00.00.png": True,
    "/p/Screen Shot 2016-01-01 at 12.00.00 PM.png": True,
    "/p/Bildschirmfoto vom 2024-01-01 12-00-00.png": True,
    "/p/Capture d’écran 2024-01-01 à 12.00.00.png": True,
    "/p/Capture d'e\u0301cran (3).png": True,
    "/p/Captura de pantalla 2024-01-01.png": True,
    "/p/Skärmavbild 2024-01-01.png": True,
    "/p/Снимок экрана 2024-01-01.png": True,
    "/p/スクリーンショット 2024-01-01.png": True,
    "/p/\u30b9クリーンショット.png": True,
    "/p/스크린샷 2024.png": True,
    "/p/IMG_0042.PNG": True,
    "/DCIM/Screenshots/20240101.jpg": True,
    "C:\\Users\\anna\\Screenshots\\1.png": True,
    "/p/IMG_0042.JPG": False,
    "/p/IMG_0042_edited.PNG": False,
    "/screenshot-tool/holiday.jpg": False,
    "/Screenshots/sorted/beach.jpg": False,
    "/p/my Screenshot.png": False,
    "/p/screen door.jpg": False,
}


def test_screenshots_are_told_by_what_systems_call_them(tmp_path: Path) -> None:
    photos = [NewPhoto(path, FileStamp(1, 1), 1080, 2400, "PNG") for path in SCREENSHOTS]
    recorded = NewPhoto("/p/Screenshot recording.mp4", FileStamp(1, 1), 1080, 2400, "VIDEO")
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, [*photos, recorded], unit_vectors(len(photos) + 1))
        found = catalogue.photos(catalogue.selection.ids([Screenshot()]).tolist())
    assert {photo.path for photo in found} == {
        path for path, is_one in SCREENSHOTS.items() if is_one
    }


def test_photos_are_chosen_by_a_function(catalogue: Catalogue) -> None:
    asked: list[str] = []

    def even(file: PhotoFile, metadata: Metadata) -> bool:
        asked.append(file.path)
        return file.format == "JPEG" and (metadata.rating or 0) % 2 == 0

    assert found(catalogue, Chosen("even", even)) == [0, 2, 4, 6]
    assert sorted(asked) == sorted(PATHS)
    # One of the same name is the same, for as long as nothing changes.
    assert found(catalogue, Chosen("even", lambda file, metadata: False)) == [0, 2, 4, 6]
    catalogue.mark_missing([PATHS[0]])
    assert found(catalogue, Chosen("even", even)) == [2, 4, 6]
    assert len(asked) == 2 * len(PATHS) - 1
    assert found(catalogue, Not(Chosen("none", lambda file, metadata: False))) == [1, 2, 3, 4, 5, 6]
