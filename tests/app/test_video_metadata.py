"""What videos say of themselves."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import photo_metadata as make
import pytest
from optional import module
from photo_metadata import xmp
from videos import video

from photosearch.indexing.decode import read_metadata
from photosearch.indexing.metadata import video_at

module("av")

APPLE = "com.apple.quicktime."


def test_what_a_phone_writes(tmp_path: Path) -> None:
    path = video(
        tmp_path / "a.mov",
        seconds=2,
        metadata={
            f"{APPLE}creationdate": "2021-07-08T09:10:11+0300",
            f"{APPLE}location.ISO6709": "-33.8568+151.2153+004.000/",
            f"{APPLE}make": "Apple",
            f"{APPLE}model": "iPhone 15",
            f"{APPLE}content.identifier": "ABC",
            f"{APPLE}description": "Waves",
        },
    )
    found = read_metadata(str(path))
    assert (found.taken_at, found.taken_offset_minutes) == ("2021-07-08T09:10:11", 180)
    assert (found.taken_source, found.live_id) == ("exif", "ABC")
    assert (found.latitude, found.longitude) == (-33.8568, 151.2153)
    assert (found.camera, found.caption) == ("Apple iPhone 15", "Waves")
    seen = video_at(str(path))
    assert seen is not None
    assert seen.seconds == pytest.approx(2, abs=0.3)


# 2020-01-02T03:04:05Z
CLOCK = 1_577_934_245


def clocked(
    folder: Path, name: str = "b.mp4", point: bytes | None = None, clock: int = CLOCK
) -> Path:
    """A video as Android writes it: the header's clock, and the position in the older list."""
    content = bytearray(video(folder / "plain.mp4").read_bytes())
    header = content.index(b"mvhd") + 8
    content[header : header + 4] = struct.pack(">I", clock + 2_082_844_800)
    if point is not None:
        body = struct.pack(">HH", len(point), 0x15C7) + point
        entry = struct.pack(">I4s", len(body) + 8, b"\xa9xyz") + body
        box = struct.pack(">I4s", len(entry) + 8, b"udta") + entry
        moov = content.index(b"moov") - 4
        (size,) = struct.unpack_from(">I", content, moov)
        content[moov : moov + 4] = struct.pack(">I", size + len(box))
        content[moov + size : moov + size] = box
    return make.write(folder / name, bytes(content))


@pytest.fixture(params=["UTC", "Asia/Tokyo"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("point", "taken", "offset"),
    [
        (b"+48.8584+002.2945/", "2020-01-02T04:04:05", 60),
        (b"+40.7580-073.9855/", "2020-01-01T22:04:05", -300),
        (b"-33.8568+151.2153+004.000/", "2020-01-02T14:04:05", 660),
        (b"+27.7172+085.3240/", "2020-01-02T08:49:05", 345),
    ],
)
def test_a_video_that_says_where_has_the_time_of_that_place(
    tmp_path: Path, point: bytes, taken: str, offset: int
) -> None:
    found = read_metadata(str(clocked(tmp_path, point=point)))
    assert (found.taken_at, found.taken_offset_minutes) == (taken, offset)
    assert found.taken_source == "exif"
    assert found.latitude is not None


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("name", "taken", "offset", "source"),
    [
        # The name has the wall's clock, and what is between the two is the zone.
        ("VID_20200102_040405.mp4", "2020-01-02T04:04:05", 60, "name"),
        ("VID_20200101_220404.mp4", "2020-01-01T22:04:04", -300, "name"),
        # Where they are no zone apart, or the same, nothing is known of it.
        ("VID_20200105_101112.mp4", "2020-01-05T10:11:12", None, "name"),
        ("VID_20200102_030405.mp4", "2020-01-02T03:04:05", None, "name"),
        ("VID-20200102-WA0001.mp4", "2020-01-02", None, "name"),
        ("clip.mp4", "2020-01-02T03:04:05", None, "clock"),
    ],
)
def test_a_video_that_says_not_where(
    tmp_path: Path, name: str, taken: str, offset: int | None, source: str
) -> None:
    found = read_metadata(str(clocked(tmp_path, name)))
    assert (found.taken_at, found.taken_offset_minutes) == (taken, offset)
    assert found.taken_source == source


def test_a_clock_that_was_never_set_gives_way_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "2019").mkdir()
    found = read_metadata(str(clocked(tmp_path / "2019", clock=3)))
    assert (found.taken_at, found.taken_source) == ("2019", "folder")


def test_a_video_of_which_only_the_name_tells(tmp_path: Path) -> None:
    path = video(tmp_path / "VID_20220304_050607.mp4")
    found = read_metadata(str(path))
    assert (found.taken_at, found.taken_source) == ("2022-03-04T05:06:07", "name")


def test_the_sidecar_of_a_video(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mov")
    sidecar = make.write(tmp_path / "a.xmp", xmp(make.bag("dc:subject", "sea"), 'xmp:Rating="5"'))
    found = read_metadata(str(path), (str(sidecar),))
    assert (found.keywords, found.rating) == (("sea",), 5)


def test_random_damage_never_raises(tmp_path: Path) -> None:
    generator = random.Random(5)
    source = video(tmp_path / "a.mov", metadata={f"{APPLE}make": "Apple"}).read_bytes()
    for _ in range(200):
        content = bytearray(source)
        moov = content.index(b"moov")
        for _ in range(generator.randint(1, 12)):
            content[generator.randrange(moov, len(content))] = generator.randrange(256)
        path = make.write(tmp_path / "b.mov", bytes(content[: generator.randint(10, len(content))]))
        assert read_metadata(str(path)).taken_source is not None
