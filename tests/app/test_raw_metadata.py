"""What RAW files say of themselves, each by the structure of its maker."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import photo_metadata as make
import pytest
from photo_metadata import camera_exif, jpeg, xmp
from PIL import Image

from index import Metadata
from photosearch.indexing.decode import read_metadata

CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
ADOBE = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def directory(tags: dict[int, tuple[int, int, bytes]]) -> bytes:
    """A TIFF structure of its own, with one directory."""
    rows, values = b"", b""
    start = 8 + 2 + 12 * len(tags) + 4
    for tag, (kind, count, value) in sorted(tags.items()):
        field = value.ljust(4, b"\0")
        if len(value) > 4:
            field = struct.pack("<I", start + len(values))
            values += value + b"\0" * (len(value) % 2)
        rows += struct.pack("<HHI", tag, kind, count) + field
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + rows + b"\0\0\0\0" + values


def text(value: str) -> tuple[int, int, bytes]:
    content = value.encode() + b"\0"
    return 2, len(content), content


def cr3() -> bytes:
    first = directory({0x010F: text("Canon"), 0x0110: text("Canon EOS R5")})
    second = directory(
        {0x9003: text("2021:02:03 04:05:06"), 0x9011: text("-05:00"), 0xA434: text("RF 50mm")}
    )
    degrees = struct.pack("<6I", 48, 1, 30, 1, 0, 1)
    where = directory(
        {1: text("N"), 2: (5, 3, degrees), 3: text("W"), 4: (5, 3, degrees)},
    )
    inside = box(b"CMT1", first) + box(b"CMT2", second) + box(b"CMT4", where)
    packet = xmp("", 'xmp:Rating="3"')
    return (
        box(b"ftyp", b"crx \0\0\0\1crx isom")
        + box(b"moov", box(b"uuid", CANON + inside))
        + box(b"uuid", ADOBE + packet)
        + box(b"mdat", b"\0" * 100)
    )


def raf() -> bytes:
    preview = jpeg(exif=camera_exif())
    head = b"FUJIFILMCCD-RAW 0201FF129502X100V\0".ljust(84, b"\0")
    return head + struct.pack(">II", 92, len(preview)) + preview


def tiff(mark: bytes) -> bytes:
    """As in most others; Olympus and Panasonic have their own mark for a TIFF's 42."""
    content = io.BytesIO()
    about = camera_exif().tobytes()
    Image.new("RGB", (16, 12), "red").save(content, "TIFF", exif=about)
    return content.getvalue()[:2] + mark + content.getvalue()[4:]


def read(tmp_path: Path, name: str, content: bytes) -> Metadata:
    return read_metadata(str(make.write(tmp_path / name, content)))


def test_cr3(tmp_path: Path) -> None:
    found = read(tmp_path, "a.cr3", cr3())
    assert (found.taken_at, found.taken_offset_minutes) == ("2021-02-03T04:05:06", -300)
    assert (found.camera, found.lens, found.rating) == ("Canon EOS R5", "RF 50mm", 3)
    assert (found.latitude, found.longitude) == (48.5, -48.5)


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("a.cr2", b"*\0"),
        ("a.nef", b"*\0"),
        ("a.arw", b"*\0"),
        ("a.dng", b"*\0"),
        ("a.orf", b"RO"),
        ("a.rw2", b"U\0"),
    ],
)
def test_those_that_are_like_tiff(tmp_path: Path, name: str, mark: bytes) -> None:
    found = read(tmp_path, name, tiff(mark))
    assert (found.taken_at, found.taken_source) == ("2019-06-01T14:30:05", "exif")
    assert (found.camera, found.iso, found.rating) == ("NIKON D750", 400, 4)
    assert found.latitude == pytest.approx(41.891667, abs=1e-5)


def test_raf(tmp_path: Path) -> None:
    found = read(tmp_path, "a.raf", raf())
    assert (found.taken_at, found.camera) == ("2019-06-01T14:30:05", "NIKON D750")


@pytest.mark.parametrize("content", [cr3(), raf(), tiff(b"RO")], ids=["cr3", "raf", "orf"])
def test_one_that_is_cut_short_says_what_is_left(tmp_path: Path, content: bytes) -> None:
    for length in range(0, len(content), 37):
        found = read(tmp_path, "IMG_20200102_030405.raf", content[:length])
        assert found.taken_source in ("exif", "name")
