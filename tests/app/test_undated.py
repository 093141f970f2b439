"""Photos without a date, and those of which no more than a year or a month is known."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import photo_metadata as make
import pytest
from in_browser import watched_page
from optional import needs_chromium
from photo_metadata import camera_exif, exif, jpeg
from PIL import Image
from served import Served, served_here
from test_metadata_run import known, last, run

from index import Catalogue
from index.catalogue import migrations
from photosearch import Library
from photosearch.api import answers
from photosearch.search.filters import Filters
from photosearch.search.report import report

pytestmark = pytest.mark.slow

OLDER, NEWER = datetime(2020, 2, 3, 12, 30), datetime(2021, 2, 3, 12, 30)


def make_photos(folder: Path) -> None:
    """Two scans without a date, and photos that are known to the year, month, day and second."""
    colours = iter(("red", "green", "blue", "yellow", "black", "white"))

    def photo(name: str, **options: Any) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        make.write(path, jpeg(Image.new("RGB", (40, 40), next(colours)), **options))
        changed = OLDER if name == "old scan.jpg" else NEWER
        os.utime(path, (changed.timestamp(),) * 2)

    photo("old scan.jpg")
    photo("scan.jpg")
    photo("exact.jpg", exif=exif(second={0x9003: "1985:07:04 12:30:00"}))
    photo("IMG-19850705-WA0001.jpg")
    photo("1985-07 Lake/month.jpg")
    photo("Summer 1985/year.jpg")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    place = tmp_path_factory.mktemp("undated")
    make_photos(place / "photos")
    with Library.open(place / "library", model=tiny_bundle) as library:
        run(library, place / "photos")
    return place


@pytest.fixture
def undated(place: Path, tiny_bundle: Path) -> Iterator[Library]:
    with Library.open(place / "library", model=tiny_bundle) as library:
        yield library


def names(library: Library, text: str, **options: Any) -> list[str]:
    return [Path(hit.path).stem for hit in library.search(text, **options)]


OF_1985 = ["exact", "IMG-19850705-WA0001", "month", "year"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("year:1985", OF_1985),
        ("on:1985", OF_1985),
        ("in 1985", OF_1985),
        ("before:2000", OF_1985),
        ("since:1985", OF_1985),
        ("on:1980..1990", OF_1985),
        ("on:1985-07", OF_1985[:3]),
        ("before:1985-08", OF_1985[:3]),
        ("since:1985-07", OF_1985[:3]),
        ("month:july", OF_1985[:3]),
        ("on:1985-07-05", OF_1985[1:2]),
        ("on:1985-07-04", OF_1985[:1]),
        ("on:1985-01", []),
        ("on:1985-07-01", []),
        ("before:1985", []),
        ("after:1985", []),
        ("-on:1985-07", ["year", "old scan", "scan"]),
        # The date of a file is none, unless it is asked for.
        ("on:2021", []),
        ("since:2000", []),
        ("month:february", []),
        ("date:file", ["old scan", "scan"]),
        ("date:file on:2021", ["scan"]),
        ("date:file since:2000", ["old scan", "scan"]),
        ("date:file month:february before:2021", ["old scan"]),
        ("date:file -on:2021", ["old scan"]),
        ("date:file on:2020-02-03", ["old scan"]),
        ("date:file year:1985", []),
        ("-date:file", OF_1985),
        ("has:date", OF_1985),
        ("-has:date", ["old scan", "scan"]),
    ],
)
def test_dates_find_what_is_surely_of_them(
    undated: Library, text: str, expected: list[str]
) -> None:
    assert sorted(names(undated, text)) == sorted(expected)


def test_filters_as_arguments(undated: Library) -> None:
    assert sorted(names(undated, "", filters=Filters(file_date=True))) == ["old scan", "scan"]
    asked = Filters(file_date=True, on="2021-02")
    assert names(undated, "", filters=asked) == ["scan"]
    assert names(undated, "on:2021-02", filters=Filters(file_date=True)) == ["scan"]
    assert sorted(names(undated, "", filters=Filters(has_date=True))) == sorted(OF_1985)
    like = undated.photos.similar(1, filters=Filters(file_date=True, on="2021-02"))
    assert {Path(hit.path).stem for hit in like} <= {"scan"}


def test_nothing_that_was_copied_today_was_taken_today(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    make.write(folder / "scan of 1962.jpg", jpeg())
    # By the clock that says what today is, which need not be that of the drive.
    os.utime(folder / "scan of 1962.jpg", (time.time(), time.time()))
    run(library, folder)
    for text in ("on:today", "today", "this week", "since:yesterday"):
        assert names(library, text) == [], text
    # Not "on:today": midnight may have passed.
    assert names(library, "date:file since:yesterday") == ["scan of 1962"]


def test_what_is_wrong_about_a_date_filter_is_said(undated: Library) -> None:
    with pytest.raises(Exception, match="date:file asks for the dates of files"):
        undated.search("date:2021")


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("newest", ["IMG-19850705-WA0001", "exact", "month", "year", "scan", "old scan"]),
        ("oldest", ["year", "month", "exact", "IMG-19850705-WA0001", "old scan", "scan"]),
    ],
)
def test_by_date_those_without_one_come_last(
    undated: Library, sort: Any, expected: list[str]
) -> None:
    """By that of their file; and a year or a month stands where it begins."""
    assert names(undated, "type:jpeg", sort=sort) == expected
    assert names(undated, "a photo", sort=sort, everything=True) == expected


def test_the_timeline_ends_with_no_date(undated: Library) -> None:
    groups = [(group.key, group.count) for group in undated.photos.groups("month")]
    assert groups == [("1985-07", 3), ("1985", 1), ("", 2)]
    photos = [photo for key, _ in groups for photo in undated.photos.browse("month", key)]
    assert photos == undated.photos.browse()


def test_days_and_events_of_what_is_known_to_the_month(undated: Library) -> None:
    for by in ("day", "event"):
        hits = undated.search("type:jpeg", sort="oldest", group=by)
        titles = [group.title for group, _ in hits.groups]
        assert titles == ["1985", "1985-07", "1985-07-04", "1985-07-05", ""], by


def test_where_a_date_is_from_is_told(undated: Library) -> None:
    found = report(undated.search("type:jpeg"))["hits"]
    told = {Path(hit["path"]).stem: (hit["taken_at"], hit["taken_source"]) for hit in found}
    assert told == {
        "exact": ("1985-07-04T12:30:00", "exif"),
        "IMG-19850705-WA0001": ("1985-07-05", "name"),
        "month": ("1985-07", "folder"),
        "year": ("1985", "folder"),
        "old scan": (None, "mtime"),
        "scan": (None, "mtime"),
    }
    (scan,) = (hit["photo_id"] for hit in found if Path(hit["path"]).stem == "scan")
    about = answers.photo(undated, scan)
    assert about["file_date"] == "2021-02-03T12:30:00"
    assert about["metadata"]["taken_at"] is None
    assert about["metadata"]["taken_source"] == "mtime"


def test_show_calls_it_the_date_of_the_file(place: Path, shell: Any) -> None:
    def told(*options: str) -> str:
        photo = place / "photos" / "scan.jpg"
        return str(shell("--library", place / "library", "show", *options, photo).stdout.decode())

    assert "File date 2021-02-03 12:30:00 (the photo itself has no date)" in told()
    assert "Taken" not in told()
    said = json.loads(told("--json"))
    assert (said["taken_at"], said["taken_source"]) == (None, "mtime")
    assert said["file_date"] == "2021-02-03T12:30:00"


@pytest.fixture(scope="module")
def server(place: Path, tiny_bundle: Path) -> Iterator[Served]:
    with served_here(place / "library", tiny_bundle) as server:
        yield server


@needs_chromium
@pytest.mark.parametrize(
    ("locale", "timeline", "exact", "vague", "without"),
    [
        (
            "en-GB",
            ["July 1985", "1985", "No date"],
            "(from the camera)",
            "1985 (from the folder name)",
            "(the photo itself has no date)",
        ),
        (
            "de-DE",
            ["Juli 1985", "1985", "Ohne Datum"],
            "12:30 (von der Kamera)",
            "1985 (aus dem Ordnernamen)",
            "(das Foto selbst hat kein Datum)",
        ),
    ],
)
def test_the_page_shows_dates_as_they_are_known(
    browser: Any,
    server: Served,
    locale: str,
    timeline: list[str],
    exact: str,
    vague: str,
    without: str,
) -> None:
    # In a zone where a day that is read as universal time would be the one before.
    with watched_page(browser, server, locale=locale, timezone_id="America/New_York") as page:
        page.get_by_role("tab").nth(1).click()
        page.locator("#browse .tile").first.wait_for()
        assert page.locator("#browse h2.month").all_text_contents() == timeline
        details = page.get_by_role("dialog").locator(".details")
        for name, text in (("exact", exact), ("year", vague), ("scan", without)):
            page.locator(f'#browse .tile[title="{name}.jpg"]').click()
            details.get_by_text(text).wait_for()
            page.keyboard.press("Escape")


# Libraries of before


def test_a_library_of_before_forgets_the_dates_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = migrations.add_sources_of_dates
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[: migrations.STEPS.index(step)])
        Catalogue.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "catalogue.db")) as database, database:
        database.execute("INSERT INTO contents (id) VALUES (1)")
        for number, source in enumerate(("exif", "mtime"), 1):
            database.execute(
                "INSERT INTO photos (id, path, size, mtime_ns, width, height, format, indexed_at, "
                "content_id) VALUES (?, ?, 1, 1, 4, 3, 'JPEG', '', 1)",
                [number, f"/{number}"],
            )
            database.execute(
                "INSERT INTO metadata (photo_id, taken_at, taken_source, keywords, state) "
                "VALUES (?, '2021-05-03T10:00:00', ?, '[\"sea\"]', 'old')",
                [number, source],
            )
    with Catalogue.open(tmp_path) as catalogue:
        of_camera, of_file = (catalogue.metadata([1, 2])[number] for number in (1, 2))
        assert (of_camera.taken_at, of_camera.taken_source) == ("2021-05-03T10:00:00", "exif")
        assert (of_file.taken_at, of_file.taken_source) == (None, "mtime")
        assert (of_camera.keywords, of_camera.people, of_camera.favourite) == (("sea",), (), False)


# Index runs


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    make.write(folder / "scan.jpg", jpeg())
    make.write(folder / "b.jpg", jpeg(Image.new("RGB", (40, 40), "blue"), exif=camera_exif()))
    return folder


def test_a_photo_that_gets_a_name_with_a_date_gets_the_date(library: Library, photos: Path) -> None:
    run(library, photos)
    assert known(library)["scan.jpg"].taken_at is None
    (photos / "scan.jpg").rename(photos / "1985-07-04 Oma.jpg")
    assert last(run(library, photos)).recognised == 1
    assert known(library)["1985-07-04 Oma.jpg"].taken_at == "1985-07-04"
    (photos / "1985").mkdir()
    (photos / "1985-07-04 Oma.jpg").rename(photos / "1985" / "Oma.jpg")
    run(library, photos)
    assert known(library)["Oma.jpg"].taken_at == "1985"
    assert last(run(library, photos)).reread == 0


def test_takeouts_json_is_read_when_it_comes(library: Library, photos: Path) -> None:
    run(library, photos)
    said = {"photoTakenTime": {"timestamp": "1375531200"}, "description": "At the lake"}
    beside = make.write(photos / "scan.jpg.supplemental-met.json", json.dumps(said).encode())
    make.write(photos / "metadata.json", b"{}")
    done = last(run(library, photos))
    assert (done.reread, done.indexed, done.failed) == (1, 0, 0)
    assert known(library)["scan.jpg"].caption == "At the lake"
    beside.unlink()
    assert last(run(library, photos)).reread == 1
    assert known(library)["scan.jpg"].caption is None


def favourites(library: Library) -> list[str]:
    album = str(library.albums.FAVOURITES)
    return [Path(photo.path).name for photo in library.photos.browse("album", album)]


def test_a_favourite_of_google_photos_is_one_until_somebody_says_otherwise(
    library: Library, photos: Path
) -> None:
    said = {"photoTakenTime": {"timestamp": "1375531200"}, "favorited": True}
    beside = make.write(photos / "scan.jpg.json", json.dumps(said).encode())
    run(library, photos)
    assert favourites(library) == ["scan.jpg"]
    album = str(library.albums.FAVOURITES)
    library.albums.remove_photos([photo.id for photo in library.photos.browse("album", album)])
    make.write(beside, json.dumps(said | {"description": "At the lake"}).encode())
    assert last(run(library, photos)).reread == 1
    assert favourites(library) == []
    # It comes later, to a photo that is known.
    make.write(photos / "b.jpg.json", json.dumps(said).encode())
    run(library, photos)
    assert favourites(library) == ["b.jpg"]
