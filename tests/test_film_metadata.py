"""What films say of themselves."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import photo_metadata as make
import pytest
from films import film
from optional import module
from photo_metadata import xmp

from photosearch.indexing.decode import read_metadata
from photosearch.indexing.metadata import film_at

module("av")

APPLE = "com.apple.quicktime."


def test_what_a_phone_writes(tmp_path: Path) -> None:
    path = film(
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
    seen = film_at(str(path))
    assert seen is not None
    assert seen.seconds == pytest.approx(2, abs=0.3)


def test_what_android_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The header's clock is in universal time, the position in the older list."""
    import time

    monkeypatch.setenv("TZ", "Etc/GMT-2")
    time.tzset()
    try:
        content = bytearray(film(tmp_path / "a.mp4").read_bytes())
        header = content.index(b"mvhd") + 8
        # 2020-01-02T03:04:05Z
        content[header : header + 4] = struct.pack(">I", 1_577_934_245 + 2_082_844_800)
        point = b"+48.8584+002.2945/"
        body = struct.pack(">HH", len(point), 0x15C7) + point
        entry = struct.pack(">I4s", len(body) + 8, b"\xa9xyz") + body
        box = struct.pack(">I4s", len(entry) + 8, b"udta") + entry
        moov = content.index(b"moov") - 4
        (size,) = struct.unpack_from(">I", content, moov)
        content[moov : moov + 4] = struct.pack(">I", size + len(box))
        content[moov + size : moov + size] = box
        found = read_metadata(str(make.write(tmp_path / "b.mp4", bytes(content))))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (found.taken_at, found.taken_offset_minutes) == ("2020-01-02T05:04:05", 120)
    assert (found.latitude, found.longitude) == (48.8584, 2.2945)


def test_a_film_of_which_only_the_name_tells(tmp_path: Path) -> None:
    path = film(tmp_path / "VID_20220304_050607.mp4")
    found = read_metadata(str(path))
    assert (found.taken_at, found.taken_source) == ("2022-03-04T05:06:07", "name")


def test_the_sidecar_of_a_film(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mov")
    sidecar = make.write(tmp_path / "a.xmp", xmp(make.bag("dc:subject", "sea"), 'xmp:Rating="5"'))
    found = read_metadata(str(path), (str(sidecar),))
    assert (found.keywords, found.rating) == (("sea",), 5)


def test_random_damage_never_raises(tmp_path: Path) -> None:
    generator = random.Random(5)
    source = film(tmp_path / "a.mov", metadata={f"{APPLE}make": "Apple"}).read_bytes()
    for _ in range(200):
        content = bytearray(source)
        moov = content.index(b"moov")
        for _ in range(generator.randint(1, 12)):
            content[generator.randrange(moov, len(content))] = generator.randrange(256)
        path = make.write(tmp_path / "b.mov", bytes(content[: generator.randint(10, len(content))]))
        assert read_metadata(str(path)).taken_at is not None
