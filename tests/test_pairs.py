"""RAW beside JPEG, and Live Photos: several files, one photo."""

from __future__ import annotations

import json
from pathlib import Path

import photo_metadata as make
import pytest
from films import film, maker_note
from optional import leave_out, module
from photo_metadata import exif, jpeg, xmp
from PIL import Image

from index import Catalogue
from photosearch import Library
from photosearch.indexing.events import Event, Finished, Paired
from photosearch.indexing.pairs import groups
from photosearch.indexing.scan import Found, scan

BLUE = Image.new("RGB", (80, 60), "blue")
ID = "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0"
CONTENT = "com.apple.quicktime.content.identifier"


def raw(path: Path) -> Path:
    """A DNG: a TIFF whose suffix says that it is one, with a picture that LibRaw takes."""
    from test_formats import dng, mosaic

    sensor = mosaic(Image.new("RGB", (96, 64), "green"))
    return make.write(path, dng(jpeg(Image.new("RGB", (192, 128), "green")), sensor, 1))


def still(path: Path, identifier: str | None = ID, colour: str = "blue") -> Path:
    note = {} if identifier is None else {0x927C: maker_note(identifier)}
    picture = Image.new("RGB", (80, 60), colour)
    return make.write(path, jpeg(picture, exif=exif({0x010F: "Apple"}, note)))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def run(library: Library, folder: Path) -> list[Event]:
    return list(library.index([folder], workers=1))


def last(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def held(library: Library) -> dict[str, tuple[str, ...]]:
    """Names of the photos that can be found, with those of their companions."""
    with Catalogue.open(library.folder, readonly=True) as catalogue:
        return {
            Path(photo.path).name: tuple(Path(path).name for path in photo.companions)
            for photo in catalogue.photos(range(1, 30))
            if not photo.missing
        }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.CR2", "a.JPG"], {"a.CR2": "a.JPG", "a.JPG": None}),
        (["a.arw", "a.hif"], {"a.arw": "a.hif", "a.hif": None}),
        (["a.heic", "a.mov"], {"a.heic": None, "a.mov": "a.heic"}),
        (["a.dng", "a.jpg", "a.mov"], {"a.dng": "a.jpg", "a.jpg": None, "a.mov": "a.jpg"}),
        # An export beside the RAW is a picture of its own, and so are two RAW files.
        (["a.nef", "a.tif"], {"a.nef": None, "a.tif": None}),
        (["a.cr2", "a.dng"], {"a.cr2": None, "a.dng": None}),
        (["a.mov", "b.jpg"], {"a.mov": None, "b.jpg": None}),
    ],
)
def test_what_belongs_to_what_by_name(names: list[str], expected: dict[str, str | None]) -> None:
    assert {group.name: group.beside for group in groups(names)} == expected


def test_what_describes_a_raw_describes_its_jpeg(photos: Path) -> None:
    for name in ("a.jpg", "a.cr2", "a.cr2.xmp", "a.xmp"):
        make.write(photos / name, b"x")
    found = {item.path: item for item in scan(str(photos)) if isinstance(item, Found)}
    of_jpeg = [Path(sidecar.path).name for sidecar in found[str(photos / "a.jpg")].sidecars]
    assert of_jpeg == ["a.xmp", "a.cr2.xmp"]
    assert [Path(item.path).name for item in scan(str(photos / "a.jpg"))] == ["a.cr2", "a.jpg"]


def test_a_raw_and_its_jpeg_are_one_photo(library: Library, photos: Path) -> None:
    module("rawpy")
    raw(photos / "a.dng")
    raw(photos / "b.dng")
    make.write(photos / "a.jpg", jpeg(BLUE))
    make.write(photos / "a.dng.xmp", xmp("", 'xmp:Rating="4"'))
    events = run(library, photos)
    assert held(library) == {"a.jpg": ("a.dng",), "b.dng": ()}
    assert last(events).indexed == 2
    assert [event.paths for event in events if isinstance(event, Paired)] == [
        (str(photos / "a.dng"),)
    ]
    with Catalogue.open(library.folder, readonly=True) as catalogue:
        (photo_id,) = (p.id for p in catalogue.photos([1, 2, 3]) if p.path.endswith("a.jpg"))
        assert catalogue.metadata([photo_id])[photo_id].rating == 4
    again = last(run(library, photos))
    assert (again.indexed, again.missing, again.reread) == (0, 0, 0)
    assert held(library) == {"a.jpg": ("a.dng",), "b.dng": ()}


def test_a_pair_that_comes_and_goes(library: Library, photos: Path) -> None:
    module("rawpy")
    raw(photos / "a.dng")
    run(library, photos)
    assert held(library) == {"a.dng": ()}
    make.write(photos / "a.jpg", jpeg(BLUE))
    assert last(run(library, photos)).missing == 0
    assert held(library) == {"a.jpg": ("a.dng",)}
    make.write(photos / "a.jpg", jpeg(BLUE.rotate(90, expand=True)))
    run(library, photos)
    assert held(library) == {"a.jpg": ("a.dng",)}
    (photos / "a.jpg").unlink()
    run(library, photos)
    assert held(library) == {"a.dng": ()}
    make.write(photos / "a.jpg", jpeg(BLUE))
    (photos / "a.dng").unlink()
    run(library, photos)
    assert held(library) == {"a.jpg": ()}


def test_a_raw_is_found_while_its_jpeg_is_damaged(library: Library, photos: Path) -> None:
    module("rawpy")
    raw(photos / "a.dng")
    make.write(photos / "a.jpg", jpeg(BLUE)[:200])
    run(library, photos)
    assert held(library) == {"a.dng": ()}


def test_a_live_photo_is_one_photo(library: Library, photos: Path) -> None:
    module("av")
    still(photos / "a.jpg")
    film(photos / "a.mov", metadata={CONTENT: ID})
    # An editor took the name away, or the film came from elsewhere and is short.
    still(photos / "b.jpg", None)
    film(photos / "b.mov", metadata={CONTENT: ID[::-1]})
    still(photos / "c.jpg", None, "red")
    film(photos / "c.mp4")
    run(library, photos)
    assert held(library) == {"a.jpg": ("a.mov",), "b.jpg": ("b.mov",), "c.jpg": ("c.mp4",)}
    assert last(run(library, photos)).indexed == 0


def test_a_live_photo_is_known_by_its_id_whatever_its_names(library: Library, photos: Path) -> None:
    module("av")
    still(photos / "a.jpg")
    (photos / "films").mkdir()
    film(photos / "films" / "x.mov", metadata={CONTENT: ID})
    run(library, photos)
    assert held(library) == {"a.jpg": ("x.mov",)}


def test_a_still_that_comes_after_its_film(library: Library, photos: Path) -> None:
    module("av")
    film(photos / "x.mov", metadata={CONTENT: ID})
    run(library, photos)
    assert held(library) == {"x.mov": ()}
    still(photos / "a.jpg")
    run(library, photos)
    run(library, photos)
    assert held(library) == {"a.jpg": ("x.mov",)}


def test_a_film_that_only_shares_the_name_stays_a_film(library: Library, photos: Path) -> None:
    module("av")
    still(photos / "a.jpg", None)
    film(photos / "a.mov", seconds=11, rate=1)
    still(photos / "b.jpg", ID)
    film(photos / "b.mov", ["blue"], metadata={CONTENT: ID[::-1]})
    run(library, photos)
    assert held(library) == {"a.jpg": (), "a.mov": (), "b.jpg": (), "b.mov": ()}
    assert last(run(library, photos)).indexed == 0


def test_a_raw_that_is_indexed_by_itself_joins_its_jpeg(library: Library, photos: Path) -> None:
    module("rawpy")
    make.write(photos / "a.jpg", jpeg(BLUE))
    run(library, photos)
    run(library, raw(photos / "a.dng"))
    assert held(library) == {"a.jpg": ("a.dng",)}


def test_search_shows_a_pair_once(library: Library, photos: Path) -> None:
    module("rawpy")
    raw(photos / "a.dng")
    make.write(photos / "a.jpg", jpeg(BLUE))
    run(library, photos)
    assert [hit.path for hit in library.search("anything")] == [str(photos / "a.jpg")]


def test_companions_survive_a_name_that_is_no_text(library: Library, photos: Path) -> None:
    module("rawpy")
    try:
        raw(photos / "caf\udce9.dng")
    except OSError:
        leave_out("a file system that takes any name")
    make.write(photos / "caf\udce9.jpg", jpeg(BLUE))
    run(library, photos)
    assert list(held(library).values()) == [("caf\udce9.dng",)]
    assert json.dumps(list(held(library)))
