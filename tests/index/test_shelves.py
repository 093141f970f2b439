"""Looking through a catalogue without a query, and the albums kept in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from index import Catalogue, FileStamp, Metadata, NewPhoto, Place
from index.catalogue.albums import FAVOURITES
from index.catalogue.browsing import place_key
from index.catalogue.shelves import Shelves

ROME = Place("Rome", "Lazio", "Italy")
FOLDER = os.path.join(os.sep, "photos")


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path) as catalogue:
        record(catalogue, "a/1.jpg", Metadata(taken_at="2021-05-03T10:00:00", camera="X100"))
        record(catalogue, "a/2.jpg", Metadata(taken_at="2021-05-04T10:00:00", place=ROME))
        record(catalogue, "a'b/3.jpg", Metadata(taken_at="2019-01-01T00:00:00", camera="X100"))
        record(catalogue, "4.jpg", Metadata())
        yield catalogue


def record(
    catalogue: Catalogue, name: str, metadata: Metadata | None = None, data: str | None = None
) -> None:
    content = (data or name).encode().ljust(32)
    photo = NewPhoto(
        os.path.join(FOLDER, *name.split("/")),
        FileStamp(len(data or ""), 1),
        4,
        3,
        "JPEG",
        content,
        metadata,
    )
    catalogue.record("model", [photo], np.ones((1, 4), np.float32))


def names(catalogue: Catalogue, ids: list[int]) -> list[str]:
    return [os.path.basename(photo.path) for photo in catalogue.photos(ids)]


def found(catalogue: Catalogue, name: str) -> int:
    (number,) = (
        photo
        for photo in catalogue.shelves.members()
        if catalogue.photos([photo])[0].path.endswith(name)
    )
    return number


def test_months_come_newest_first_and_photos_without_a_date_last(catalogue: Catalogue) -> None:
    shelves = catalogue.shelves

    months = shelves.groups("month")
    assert [(one.key, one.count) for one in months] == [("2021-05", 2), ("2019-01", 1), ("", 1)]
    assert names(catalogue, [months[0].cover]) == ["2.jpg"]
    assert names(catalogue, shelves.members()) == ["2.jpg", "1.jpg", "3.jpg", "4.jpg"]
    assert names(catalogue, shelves.members(offset=1, limit=2)) == ["1.jpg", "3.jpg"]
    assert names(catalogue, shelves.members("month", "2021-05")) == ["2.jpg", "1.jpg"]
    assert names(catalogue, shelves.members("month", "")) == ["4.jpg"]


def test_folders_cameras_and_places(catalogue: Catalogue) -> None:
    shelves = catalogue.shelves

    folders = {one.key: one.count for one in shelves.groups("folder")}
    odd = os.path.join(FOLDER, "a'b")
    assert folders == {os.path.join(FOLDER, "a"): 2, odd: 1, FOLDER: 1}
    assert names(catalogue, shelves.members("folder", odd)) == ["3.jpg"]
    assert [(one.key, one.count) for one in shelves.groups("camera")] == [("", 2), ("X100", 2)]
    assert names(catalogue, shelves.members("camera", "X100")) == ["1.jpg", "3.jpg"]
    key = place_key("Rome", "Lazio", "Italy")
    assert key in {one.key for one in shelves.groups("place")}
    assert names(catalogue, shelves.members("place", key)) == ["2.jpg"]


def test_missing_photos_are_on_no_shelf(catalogue: Catalogue) -> None:
    catalogue.mark_missing([os.path.join(FOLDER, "4.jpg")])

    assert len(catalogue.shelves.members()) == 3
    assert all(one.key for one in catalogue.shelves.groups("month"))


def test_a_favourite_stays_one_when_it_moves_or_is_edited_or_forgotten(
    catalogue: Catalogue,
) -> None:
    shelves = catalogue.shelves
    shelves.put_into([found(catalogue, "1.jpg")])
    shelves.put_into([found(catalogue, "1.jpg")])

    record(catalogue, "a/1.jpg", data="edited")
    assert names(catalogue, favourites(shelves)) == ["1.jpg"]
    catalogue.forget(FOLDER)
    assert favourites(shelves) == []
    record(catalogue, "elsewhere/5.jpg", data="edited")
    assert names(catalogue, favourites(shelves)) == ["5.jpg"]
    shelves.take_out(favourites(shelves))
    assert favourites(shelves) == []


def favourites(shelves: Shelves) -> list[int]:
    return shelves.members("album", str(FAVOURITES))


def test_albums_are_made_filled_renamed_and_dropped(catalogue: Catalogue) -> None:
    shelves = catalogue.shelves
    rome, other = shelves.make_album("Rome"), shelves.make_album("Other")
    one, two = found(catalogue, "1.jpg"), found(catalogue, "2.jpg")
    shelves.put_into([one, two], rome)
    shelves.put_into([one], other)

    assert shelves.make_album("rome") == rome
    assert [album.name for album in shelves.albums()] == ["", "Other", "Rome"]
    assert shelves.albums_of([one, two]) == {one: [rome, other], two: [rome]}
    assert {group.key: group.count for group in shelves.groups("album")} == {
        str(rome): 2,
        str(other): 1,
    }
    assert not shelves.rename_album(rome, "other")
    assert shelves.rename_album(rome, "Roma")
    shelves.take_out([two], rome)
    assert shelves.members("album", str(rome)) == [one]
    shelves.drop_album(rome)
    shelves.drop_album(FAVOURITES)
    assert [album.name for album in shelves.albums()] == ["", "Other"]
    assert len(shelves.members()) == 4


def test_what_is_not_an_album_holds_nothing(catalogue: Catalogue) -> None:
    shelves = catalogue.shelves
    shelves.put_into([found(catalogue, "1.jpg")], 999)

    assert shelves.albums_of([found(catalogue, "1.jpg")]) == {}
    assert shelves.members("album", "1 OR 1") == []
