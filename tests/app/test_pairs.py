"""RAW beside JPEG, and Live Photos: several files, one photo."""

from __future__ import annotations

import json
from pathlib import Path

import photo_metadata as make
import pytest
from optional import leave_out, module
from photo_metadata import exif, jpeg, xmp
from PIL import Image
from videos import maker_note, video

from index import Catalogue, Metadata
from photosearch import Event, Finished, Library, Paired
from photosearch.indexing.pairs import groups
from photosearch.indexing.same_moment import share_moment
from photosearch.indexing.scan import Found, scan

pytestmark = pytest.mark.slow

BLUE = Image.new("RGB", (80, 60), "blue")
GREEN = Image.new("RGB", (96, 64), "green")
ID = "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0"
CONTENT = "com.apple.quicktime.content.identifier"


def raw(path: Path) -> Path:
    """A green DNG: a TIFF whose suffix says that it is one, with a picture that LibRaw takes."""
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
        (
            ["PXL_1.RAW-01.COVER.jpg", "PXL_1.RAW-02.ORIGINAL.dng"],
            {
                "PXL_1.RAW-01.COVER.jpg": None,
                "PXL_1.RAW-02.ORIGINAL.dng": "PXL_1.RAW-01.COVER.jpg",
            },
        ),
        (
            ["PXL_1.RAW-01.MP.COVER(1).jpg", "PXL_1.RAW-02.ORIGINAL(1).dng"],
            {
                "PXL_1.RAW-01.MP.COVER(1).jpg": None,
                "PXL_1.RAW-02.ORIGINAL(1).dng": "PXL_1.RAW-01.MP.COVER(1).jpg",
            },
        ),
        (
            ["PXL_1.RAW-01.COVER.jpg", "PXL_2.RAW-02.ORIGINAL.dng"],
            {"PXL_1.RAW-01.COVER.jpg": None, "PXL_2.RAW-02.ORIGINAL.dng": None},
        ),
        # Two pictures of one shot, of which neither is a RAW.
        (
            ["PXL_1.PORTRAIT-01.COVER.jpg", "PXL_1.PORTRAIT-02.ORIGINAL.jpg"],
            {"PXL_1.PORTRAIT-01.COVER.jpg": None, "PXL_1.PORTRAIT-02.ORIGINAL.jpg": None},
        ),
        (["PXL_1.MP.jpg", "PXL_1.mp4"], {"PXL_1.MP.jpg": None, "PXL_1.mp4": "PXL_1.MP.jpg"}),
        (["PXL_1.MP", "PXL_1.MP.jpg"], {"PXL_1.MP": "PXL_1.MP.jpg", "PXL_1.MP.jpg": None}),
        (["MVIMG_1.MP4", "MVIMG_1.jpg"], {"MVIMG_1.MP4": "MVIMG_1.jpg", "MVIMG_1.jpg": None}),
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
    make.write(photos / "a.jpg", jpeg(GREEN))
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
    make.write(photos / "a.jpg", jpeg(GREEN))
    assert last(run(library, photos)).missing == 0
    assert held(library) == {"a.jpg": ("a.dng",)}
    make.write(photos / "a.jpg", jpeg(GREEN.rotate(90, expand=True)))
    run(library, photos)
    assert held(library) == {"a.jpg": ("a.dng",)}
    (photos / "a.jpg").unlink()
    run(library, photos)
    assert held(library) == {"a.dng": ()}
    make.write(photos / "a.jpg", jpeg(GREEN))
    (photos / "a.dng").unlink()
    run(library, photos)
    assert held(library) == {"a.jpg": ()}


def test_a_raw_is_found_while_its_jpeg_is_damaged(library: Library, photos: Path) -> None:
    module("rawpy")
    raw(photos / "a.dng")
    make.write(photos / "a.jpg", jpeg(GREEN)[:200])
    run(library, photos)
    assert held(library) == {"a.dng": ()}


def test_a_live_photo_is_one_photo(library: Library, photos: Path) -> None:
    module("av")
    still(photos / "a.jpg")
    video(photos / "a.mov", metadata={CONTENT: ID})
    # An editor took the name away, or the video came from elsewhere and is short.
    still(photos / "b.jpg", None)
    video(photos / "b.mov", ["blue"], metadata={CONTENT: ID[::-1]})
    still(photos / "c.jpg", None, "red")
    video(photos / "c.mp4")
    run(library, photos)
    assert held(library) == {"a.jpg": ("a.mov",), "b.jpg": ("b.mov",), "c.jpg": ("c.mp4",)}
    assert last(run(library, photos)).indexed == 0


def test_a_live_photo_is_known_by_its_id_whatever_its_names(library: Library, photos: Path) -> None:
    module("av")
    still(photos / "a.jpg")
    (photos / "videos").mkdir()
    video(photos / "videos" / "x.mov", metadata={CONTENT: ID})
    run(library, photos)
    assert held(library) == {"a.jpg": ("x.mov",)}


def test_a_still_that_comes_after_its_video(library: Library, photos: Path) -> None:
    module("av")
    video(photos / "x.mov", metadata={CONTENT: ID})
    run(library, photos)
    assert held(library) == {"x.mov": ()}
    still(photos / "a.jpg")
    run(library, photos)
    run(library, photos)
    assert held(library) == {"a.jpg": ("x.mov",)}


def test_a_video_that_only_shares_the_name_stays_a_video(library: Library, photos: Path) -> None:
    module("av")
    still(photos / "a.jpg", None)
    video(photos / "a.mov", seconds=11, rate=1)
    still(photos / "b.jpg", ID)
    video(photos / "b.mov", ["blue"], metadata={CONTENT: ID[::-1]})
    run(library, photos)
    assert held(library) == {"a.jpg": (), "a.mov": (), "b.jpg": (), "b.mov": ()}
    assert last(run(library, photos)).indexed == 0


def test_one_name_alone_makes_no_pair(library: Library, photos: Path) -> None:
    """Else a short video, or a RAW of another camera, could not be found any more."""
    module("av")
    module("rawpy")
    make.write(photos / "a.jpg", jpeg(BLUE))
    raw(photos / "a.dng")
    make.write(photos / "b.jpg", jpeg(BLUE))
    video(photos / "b.mp4", ["red"])
    events = run(library, photos)
    own: dict[str, tuple[str, ...]] = {"a.jpg": (), "a.dng": (), "b.jpg": (), "b.mp4": ()}
    assert held(library) == own
    # Two of them are the same bytes.
    assert (last(events).indexed, last(events).recognised) == (3, 1)
    assert last(run(library, photos)).unchanged == 4
    assert held(library) == own


def test_a_pair_shows_the_same_or_is_of_one_moment(library: Library, photos: Path) -> None:
    module("av")
    module("rawpy")
    # The camera saw it in other colours, but at the same time.
    for name, taken in (("a", "2023:05:06 14:34:57"), ("b", "2023:05:06 14:40:00")):
        said = exif({}, {0x9003: taken})
        make.write(photos / f"{name}.jpg", jpeg(BLUE, exif=said))
        video(photos / f"{name}.mp4", ["red"], metadata={"creation_time": "2023-05-06T12:34:56Z"})
    make.write(photos / "IMG_20230506_143456.jpg", jpeg(BLUE))
    raw(photos / "IMG_20230506_143456.dng")
    # Of no time at all, and the same to see.
    make.write(photos / "PXL_9.MP.jpg", jpeg(BLUE))
    video(photos / "PXL_9.mp4", ["blue"]).rename(photos / "PXL_9.MP")
    make.write(photos / "PXL_8.RAW-01.COVER.jpg", jpeg(GREEN))
    raw(photos / "PXL_8.RAW-02.ORIGINAL.dng")
    events = run(library, photos)
    assert held(library) == {
        "a.jpg": ("a.mp4",),
        "b.jpg": (),
        "b.mp4": (),
        "IMG_20230506_143456.jpg": ("IMG_20230506_143456.dng",),
        "PXL_9.MP.jpg": ("PXL_9.MP",),
        "PXL_8.RAW-01.COVER.jpg": ("PXL_8.RAW-02.ORIGINAL.dng",),
    }
    assert (last(events).indexed, last(events).recognised) == (5, 1)
    again = last(run(library, photos))
    assert (again.indexed, again.unchanged, again.recognised) == (0, 6, 0)


@pytest.mark.parametrize(
    ("still", "other", "lasts", "expected"),
    [
        (("12:00:00", None, "exif"), ("12:00:02", None, "exif"), 0, True),
        (("12:00:00", None, "exif"), ("12:00:09", None, "exif"), 0, False),
        # A video is dated by its end.
        (("12:00:00", None, "exif"), ("12:00:09", None, "exif"), 8, True),
        (("12:00:00", 120, "exif"), ("10:00:00", 0, "exif"), 0, True),
        (("12:00:00", None, "exif"), ("10:00:00", None, "exif"), 0, False),
        # In universal time, of which the still says nothing.
        (("12:00:00", None, "exif"), ("10:00:01", None, "clock"), 0, True),
        (("12:00:00", None, "exif"), ("10:07:00", None, "clock"), 0, False),
        (("12:00:00", None, "name"), ("12:00:00", None, "name"), 0, True),
        # What was written beside both, and what copying leaves.
        (("12:00:00", None, "sidecar"), ("12:00:00", None, "sidecar"), 0, False),
        (("12:00:00", None, "mtime"), ("12:00:00", None, "mtime"), 0, False),
        ((None, None, "exif"), (None, None, "exif"), 0, False),
    ],
)
def test_files_of_one_moment(
    still: tuple[str | None, int | None, str],
    other: tuple[str | None, int | None, str],
    lasts: float,
    expected: bool,
) -> None:
    one, two = (
        Metadata(
            taken_at="2023-05-06" + (f"T{time}" if time else ""),
            taken_offset_minutes=offset,
            taken_source=source,
        )
        for time, offset, source in (still, other)
    )
    assert share_moment(one, two, lasts=lasts) is expected


def test_a_raw_that_is_indexed_by_itself_joins_its_jpeg(library: Library, photos: Path) -> None:
    module("rawpy")
    make.write(photos / "a.jpg", jpeg(GREEN))
    run(library, photos)
    run(library, raw(photos / "a.dng"))
    assert held(library) == {"a.jpg": ("a.dng",)}


def test_search_shows_a_pair_once(library: Library, photos: Path) -> None:
    module("rawpy")
    raw(photos / "a.dng")
    make.write(photos / "a.jpg", jpeg(GREEN))
    run(library, photos)
    assert [hit.path for hit in library.search("anything")] == [str(photos / "a.jpg")]


def test_companions_survive_a_name_that_is_no_text(library: Library, photos: Path) -> None:
    module("rawpy")
    try:
        raw(photos / "caf\udce9.dng")
    except OSError:
        leave_out("a file system that takes any name")
    make.write(photos / "caf\udce9.jpg", jpeg(GREEN))
    run(library, photos)
    assert list(held(library).values()) == [("caf\udce9.dng",)]
    assert json.dumps(list(held(library)))
