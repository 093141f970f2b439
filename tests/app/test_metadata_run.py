"""Metadata through index runs: recorded with the photo, and kept up to date without encoding."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import photo_metadata as make
import pytest
from photo_metadata import camera_exif, jpeg, xmp
from PIL import Image

from index import Catalogue, Metadata, Place
from photosearch import Event, Finished, Library, Reread


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    make.write(folder / "a.jpg", jpeg(exif=camera_exif()))
    make.write(folder / "b.jpg", jpeg(Image.new("RGB", (40, 40), "blue")))
    return folder


def run(library: Library, folder: Path) -> list[Event]:
    return list(library.index([folder], workers=1))


def last(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def known(library: Library) -> dict[str, Metadata]:
    with Catalogue.open(library.folder, readonly=True) as catalogue:
        ids = range(1, 20)
        names = {photo.id: os.path.basename(photo.path) for photo in catalogue.photos(ids)}
        return {names[number]: about for number, about in catalogue.metadata(list(names)).items()}


def test_metadata_is_recorded_with_the_photo(library: Library, photos: Path) -> None:
    assert last(run(library, photos)).reread == 0
    about = known(library)["a.jpg"]
    assert (about.taken_at, about.camera, about.iso) == ("2019-06-01T14:30:05", "NIKON D750", 400)
    assert about.place == Place("Rome", "Lazio", "Italy")
    assert known(library)["b.jpg"].taken_source == "mtime"
    assert known(library)["b.jpg"].place is None


def test_photos_of_an_older_library_are_read_but_not_encoded(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(library, photos)
    before = known(library)
    with closing(sqlite3.connect(library.folder / "catalogue.db")) as database, database:
        database.execute("DELETE FROM metadata")

    def refuse(*_: object) -> None:
        raise AssertionError("nothing is to be encoded")

    monkeypatch.setattr(library.models.encoder, "encode_pixels", refuse)
    events = run(library, photos)
    assert last(events).reread == 2
    assert {path for event in events if isinstance(event, Reread) for path in event.paths} == {
        str(photos / "a.jpg"),
        str(photos / "b.jpg"),
    }
    assert known(library) == before
    assert last(run(library, photos)).reread == 0


@pytest.mark.slow
def test_a_sidecar_that_comes_changes_and_goes(library: Library, photos: Path) -> None:
    run(library, photos)
    sidecar = make.write(photos / "a.xmp", xmp("", 'xmp:Rating="5"'))
    assert last(run(library, photos)).reread == 1
    assert known(library)["a.jpg"].rating == 5
    make.write(sidecar, xmp(make.bag("dc:subject", "river"), 'xmp:Rating="1"'))
    assert last(run(library, photos)).reread == 1
    assert (known(library)["a.jpg"].rating, known(library)["a.jpg"].keywords) == (1, ("river",))
    assert last(run(library, photos)).reread == 0
    sidecar.unlink()
    assert last(run(library, photos)).reread == 1
    assert known(library)["a.jpg"].rating == 4


def test_a_single_picture_has_its_sidecar(library: Library, photos: Path) -> None:
    make.write(photos / "b.jpg.xmp", xmp("", 'xmp:Rating="3"'))
    run(library, photos / "b.jpg")
    assert known(library)["b.jpg"].rating == 3


@pytest.mark.slow
def test_a_copy_is_read_where_it_lies(library: Library, photos: Path) -> None:
    run(library, photos)
    shutil.copyfile(photos / "a.jpg", photos / "c.jpg")
    make.write(photos / "c.xmp", xmp("", 'xmp:Rating="2"'))
    assert last(run(library, photos)).recognised == 1
    assert (known(library)["a.jpg"].rating, known(library)["c.jpg"].rating) == (4, 2)
    assert last(run(library, photos)).reread == 0


def test_a_moved_photo_keeps_its_metadata(library: Library, photos: Path) -> None:
    run(library, photos)
    before = known(library)["a.jpg"]
    (photos / "a.jpg").rename(photos / "z.jpg")
    assert last(run(library, photos)).recognised == 1
    assert known(library)["z.jpg"] == before


def test_a_file_of_another_name_in_its_place_is_read(library: Library, photos: Path) -> None:
    run(library, photos)
    make.write(photos / "a.jpg", jpeg(Image.new("RGB", (30, 30), "green")))
    assert last(run(library, photos)).indexed == 1
    assert known(library)["a.jpg"].camera is None
