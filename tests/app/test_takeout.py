"""The JSON of Google Takeout beside a photo: whose it is, and what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from photo_metadata import beside, camera_exif, exif, jpeg, xmp

from index import Metadata
from photosearch.indexing.exports import exports

LONG = "a" * 60
NEW = ".supplemental-metadata"


@pytest.mark.parametrize(
    ("picture", "other"),
    [
        ("IMG.jpg", "IMG.jpg.json"),
        ("IMG.JPG", "IMG.JPG.json"),
        *(("IMG.jpg", f"IMG.jpg{NEW[:length]}.json") for length in range(1, len(NEW) + 1)),
        ("IMG(1).jpg", "IMG.jpg(1).json"),
        ("IMG(1).jpg", f"IMG.jpg{NEW}(1).json"),
        ("IMG(1).jpg", "IMG.jpg.supplemental-me(1).json"),
        ("IMG(1).jpg", "IMG(1).jpg.json"),
        ("IMG(12).HEIC", "IMG.HEIC(12).json"),
        ("IMG.jpg", "IMG.json"),
        # Cut: the JSON's name, the picture's, or both.
        (f"{LONG[:47]}.jpg", f"{LONG[:46]}.json"),
        (f"{LONG[:47]}.jpg", f"{LONG[:51]}.json"),
        (f"{LONG[:44]}.jpg", f"{(LONG[:44] + '.jpg')[:46]}.json"),
        (f"{LONG[:40]}.jpg", f"{(LONG[:40] + '.jpg' + NEW)[:46]}.json"),
        (f"{LONG[:41]}.jpg", f"{(LONG[:41] + '.jpg' + NEW)[:46]}.json"),
        (f"{LONG[:43]}.jpg", f"{(LONG[:43] + '.jpg' + NEW)[:46]}.json"),
        (f"{LONG[:45]}.jpg", f"{(LONG[:45] + '.jpg' + NEW)[:46]}.json"),
        (f"{LONG[:40]}.jpg", f"{(LONG[:40] + '.jpg' + NEW)[:51]}.json"),
        (f"{LONG[:47]}(1).jpg", f"{LONG[:46]}(1).json"),
        # Changed by Google Photos.
        *((f"IMG-{word}.jpg", "IMG.jpg.json") for word in (
            "edited", "bearbeitet", "modifié", "modifie\u0301", "modificato", "editado",
            "ha editado", "editada", "editat", "bewerkt", "edytowane", "effects", "smile", "mix",
            "編集済み", "COLLAGE", "redigerad", "muokattu", "изменено", "수정됨", "已修改",
        )),
        ("IMG-edited.jpg", f"IMG.jpg{NEW}.json"),
        ("IMG-edited(1).jpg", "IMG.jpg(1).json"),
        ("IMG(1)-edited.jpg", "IMG.jpg(1).json"),
        (f"{LONG[:42]}-edit.jpg", f"{LONG[:42]}.jpg.json"),
    ],
)  # fmt: skip
def test_the_json_of_a_picture(picture: str, other: str) -> None:
    others = [other, "other.jpg.json", "metadata.json", "a.txt", "IMG_2.jpg.json"]
    assert exports([picture], others) == {picture: other}


@pytest.mark.parametrize(
    ("pictures", "others", "expected"),
    [
        # Its own goes before that of another.
        (("IMG.jpg", "IMG(1).jpg"), ("IMG.jpg.json", "IMG.jpg(1).json"),
         {"IMG.jpg": "IMG.jpg.json", "IMG(1).jpg": "IMG.jpg(1).json"}),
        (("IMG(1).jpg",), ("IMG.jpg.json",), {}),
        (("IMG-edited.jpg",), ("IMG.jpg.json", "IMG-edited.jpg.json"),
         {"IMG-edited.jpg": "IMG-edited.jpg.json"}),
        (("IMG_10.jpg",), ("IMG_1.jpg.json",), {}),
        (("IMG.jpg", "IMG.mp4"), ("IMG.jpg.json", "IMG.mp4.json"),
         {"IMG.jpg": "IMG.jpg.json", "IMG.mp4": "IMG.mp4.json"}),
        (("sea-side.jpg",), ("sea.jpg.json",), {}),
        (("a.jpg",), (), {}),
    ],
)  # fmt: skip
def test_which_json_is_whose(
    pictures: Sequence[str], others: Sequence[str], expected: dict[str, str]
) -> None:
    assert exports(pictures, others) == expected


def takeout(**said: Any) -> bytes:
    # 2013-08-03T12:00:00Z
    known = {"title": "a.jpg", "photoTakenTime": {"timestamp": "1375531200"}}
    return json.dumps(known | said).encode()


HERE = {"latitude": 41.9, "longitude": 12.5, "altitude": 20.0}


def test_what_takeout_says(tmp_path: Path) -> None:
    found = beside(
        tmp_path,
        takeout(
            description="Anna at the lake",
            geoData=HERE,
            people=[{"name": "Anna"}, {"name": "Ben"}, {}, "x"],
            favorited=True,
        ),
    )
    assert (found.taken_at, found.taken_offset_minutes) == ("2013-08-03T14:00:00", 120)
    assert (found.taken_source, found.latitude, found.longitude) == ("takeout", 41.9, 12.5)
    assert (found.caption, found.people) == ("Anna at the lake", ("Anna", "Ben"))
    assert (found.keywords, found.favourite) == (("Anna", "Ben"), True)


@pytest.mark.parametrize(
    ("said", "name", "taken", "offset", "source"),
    [
        # Universal time, unless something tells what the clock on the wall had.
        ({}, "a.jpg", "2013-08-03T12:00:00", 0, "takeout"),
        ({}, "IMG_20130803_140000.jpg", "2013-08-03T14:00:00", 120, "takeout"),
        ({}, "IMG_20130901_140000.jpg", "2013-08-03T12:00:00", 0, "takeout"),
        ({"geoData": HERE}, "IMG_20130803_080000.jpg", "2013-08-03T14:00:00", 120, "takeout"),
        ({"photoTakenTime": {"timestamp": "-157766400"}}, "a.jpg", "1965-01-01T00:00:00", 0,
         "takeout"),
        # The time of an upload is no more than a last resort.
        ({"creationTime": {"timestamp": "1375531230"}}, "IMG_20110102_030405.jpg",
         "2011-01-02T03:04:05", None, "name"),
        ({"creationTime": {"timestamp": "1375531230"}}, "a.jpg", "2013-08-03T12:00:00", 0,
         "takeout"),
        ({"photoTakenTime": {"timestamp": "many"}}, "a.jpg", None, None, "mtime"),
        ({"photoTakenTime": {"timestamp": "9" * 30}}, "a.jpg", None, None, "mtime"),
        ({"photoTakenTime": 5}, "a.jpg", None, None, "mtime"),
    ],
)  # fmt: skip
def test_when_takeout_says_it_was(
    tmp_path: Path, said: Any, name: str, taken: str | None, offset: int | None, source: str
) -> None:
    found = beside(tmp_path, takeout(**said), name=name)
    assert (found.taken_at, found.taken_offset_minutes) == (taken, offset)
    assert found.taken_source == source


@pytest.mark.parametrize(
    ("clock", "zone", "taken", "offset", "source"),
    [
        ("2013:08:03 14:00:00", None, "2013-08-03T14:00:00", 120, "exif"),
        ("2013:08:03 12:00:00", None, "2013-08-03T12:00:00", None, "exif"),
        ("2013:08:03 14:00:00", "+02:00", "2013-08-03T14:00:00", 120, "exif"),
        # Its owner corrected the date.
        ("2002:01:05 10:20:30", None, "2013-08-03T12:00:00", 0, "takeout"),
        ("2013:08:03 14:07:00", None, "2013-08-03T12:00:00", 0, "takeout"),
    ],
)
def test_takeout_and_the_camera(
    tmp_path: Path, clock: str, zone: str | None, taken: str, offset: int | None, source: str
) -> None:
    second = {0x9003: clock} | ({} if zone is None else {0x9011: zone})
    found = beside(tmp_path, takeout(), photo=jpeg(exif=exif(second=second)))
    assert (found.taken_at, found.taken_offset_minutes) == (taken, offset)
    assert found.taken_source == source


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"geoData": {"latitude": 0.0, "longitude": 0.0}}, None),
        ({"geoData": {"latitude": 0.0, "longitude": 0.0}, "geoDataExif": HERE}, (41.9, 12.5)),
        ({"geoData": HERE, "geoDataExif": {"latitude": 1.0, "longitude": 1.0}}, (41.9, 12.5)),
        ({"geoData": {"latitude": "x", "longitude": None}}, None),
        ({"geoData": [1, 2]}, None),
        ({}, None),
    ],
)
def test_where_takeout_says_it_was(
    tmp_path: Path, said: Any, expected: tuple[float, float] | None
) -> None:
    found = beside(tmp_path, takeout(**said))
    assert (found.latitude, found.longitude) == (expected or (None, None))
    # What is written into the file itself counts after it.
    corrected = beside(tmp_path, takeout(geoData=HERE), photo=jpeg(exif=camera_exif()))
    assert (corrected.latitude, corrected.longitude) == (41.9, 12.5)


@pytest.mark.parametrize(
    "content",
    [b"{", b"[1, 2]", b"{}", b'{"name": "x", "description": "of a program"}', b"[" * 100_000,
     b'{"photoTakenTime": {"timestamp": ' + b"9" * 10_000 + b"}}", b'{"photoTakenTime": null}'],
    ids=["cut", "list", "empty", "another's", "deep", "long", "null"],
)  # fmt: skip
def test_json_that_says_nothing(tmp_path: Path, content: bytes) -> None:
    found: Metadata = beside(tmp_path, content, photo=jpeg(exif=camera_exif()))
    assert (found.taken_source, found.caption, found.people) == ("exif", "By the river", ())


def test_a_sidecar_goes_before_takeout(tmp_path: Path) -> None:
    packet = xmp("<dc:description>Mine</dc:description>", 'exif:DateTimeOriginal="1998-01-02"')
    found = beside(tmp_path, packet, takeout(description="Theirs", geoData=HERE))
    assert (found.taken_at, found.caption, found.latitude) == ("1998-01-02", "Mine", 41.9)
