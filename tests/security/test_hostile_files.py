"""Two thousand damaged and hostile files: each is decoded or listed, and the run goes on."""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from shell import Shell

from photosearch.encoders import ImageSettings, Preprocess
from photosearch.indexing.decode import Decoded, prepare_decoders
from photosearch.indexing.limits import Limits
from photosearch.indexing.workers import DecodeWorkers, Trouble

pytestmark = pytest.mark.slow

HALF = (0.5, 0.5, 0.5)
PREPROCESS = Preprocess(ImageSettings(16, "squash", "none", "bicubic", HALF, HALF))
SUFFIXES = [".jpg", ".png", ".webp", ".gif", ".tif", ".bmp", ".heic", ".avif"]
OTHERS = [*SUFFIXES, ".dng", ".cr2", ".nef", ".mp4", ".mov", ".jxl"]
COUNT = 2000
# Of `bombs`: good pictures with a bad EXIF, and what is no picture at all.
EXIF = ("circle.jpg", "many.jpg", "typeless.jpg", "nowhere.jpg", "dated.jpg", "beyond.jpg")
NO_PICTURES = ("zip.jpg", "program.jpg", "page.png", "drawing.png", "print.tif", "script.gif")


@pytest.fixture(scope="module")
def seeds() -> dict[str, bytes]:
    """A small picture in every format, with EXIF."""
    prepare_decoders()
    shade = np.linspace(0, 255, 48 * 32 * 3).reshape(32, 48, 3).astype(np.uint8)
    image = Image.fromarray(shade)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Maker"
    contents = {}
    for suffix in SUFFIXES:
        content = io.BytesIO()
        kind = Image.registered_extensions()[suffix]
        image.save(content, kind, exif=exif.tobytes())
        contents[suffix] = content.getvalue()
    return contents


def mutate(content: bytes, how: random.Random) -> bytes:
    data = bytearray(content)
    kind = how.randrange(5)
    if kind == 0:
        return bytes(data[: how.randrange(len(data))])
    if kind == 1:  # a few bits
        for _ in range(how.randrange(1, 20)):
            data[how.randrange(len(data))] ^= 1 << how.randrange(8)
    elif kind == 2:  # where the formats keep sizes and offsets
        place = how.randrange(min(200, len(data)))
        data[place : place + 4] = how.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"])
    elif kind == 3:  # a stretch of something else
        start = how.randrange(len(data))
        data[start : start + how.randrange(1, 200)] = how.randbytes(how.randrange(200))
    else:  # a part twice
        start = how.randrange(len(data))
        data[start:start] = data[start : start + how.randrange(1, 500)]
    return bytes(data)


def png(width: int, height: int, data: bytes, *before: tuple[bytes, bytes]) -> bytes:
    """A file of these pixels, zlib's, with more chunks before them."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), *before, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, content) for kind, content in chunks)


def tiff(width: int, height: int, data: bytes, *, following: int = 0) -> bytes:
    """A file of one strip, deflated; `following` is where the next directory is said to be."""
    start = 8 + len(data) + len(data) % 2
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
        (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, len(data)),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in entries)
    directory += struct.pack("<I", following)
    return struct.pack("<2sHI", b"II", 42, start) + data.ljust(start - 8, b"\0") + directory


def with_exif(jpeg: bytes, *entries: tuple[int, int, int, int], tail: bytes = b"") -> bytes:
    """A JPEG whose EXIF has just these entries: tag, type, count, value or offset."""
    block = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(entries))
    block += b"".join(struct.pack(">HHII", *entry) for entry in entries) + b"\0\0\0\x08" + tail
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def bombs(seeds: dict[str, bytes]) -> dict[str, bytes]:
    """Files that would take gigabytes, EXIF that points in circles, and what is no picture."""
    huge = bytearray(seeds[".tif"])
    count = struct.unpack_from("<H", huge, struct.unpack_from("<I", huge, 4)[0])[0]
    start = struct.unpack_from("<I", huge, 4)[0] + 2
    for entry in range(start, start + 12 * count, 12):
        if struct.unpack_from("<H", huge, entry)[0] in (256, 257):
            struct.pack_into("<HII", huge, entry + 2, 4, 1, 90_000)
    jpeg = seeds[".jpg"]
    zeros = zlib.compress(b"\0" * (64 << 20))
    profile = (b"iCCP", b"bomb\0\0" + zeros)
    text = (b"zTXt", b"Comment\0\0" + zeros)
    xmp = (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zeros)
    pixels = zlib.compress(b"\0" * 25 * 8)
    exif, gps, longest = 0x8769, 0x8825, 2**32 - 1
    return {
        "huge.png": png(2**31 - 1, 2**31 - 1, zlib.compress(b"")),
        "bomb.png": png(12_000, 12_000, zeros),
        "overfull.png": png(8, 8, zeros),
        "profile.png": png(8, 8, pixels, profile),
        "text.png": png(8, 8, pixels, *[text] * 20),
        "xmp.png": png(8, 8, pixels, xmp),
        "huge.tif": bytes(huge),
        "bomb.tif": tiff(12_000, 12_000, zeros),
        "overfull.tif": tiff(8, 8, zeros),
        "again.tif": tiff(8, 8, zlib.compress(b"\0" * 64), following=8 + 16),
        "flat.tif": tiff(2**31, 1, zlib.compress(b"\0" * 64)),
        # A directory that is its own; more values than the file has bytes; a value of no type;
        # a position divided by nothing; a date of other letters; text that is none.
        "circle.jpg": with_exif(jpeg, (exif, 4, 1, 8)),
        "many.jpg": with_exif(jpeg, (0x010F, 2, longest, 8), (0x0112, 3, longest, 8)),
        "typeless.jpg": with_exif(jpeg, *((tag, 99, 1, 1) for tag in (0x0112, 0x010F, exif, gps))),
        "nowhere.jpg": with_exif(
            jpeg, (gps, 4, 1, 26), tail=struct.pack(">HHHII", 1, 2, 5, 3, 44) + bytes(28)
        ),
        "dated.jpg": with_exif(jpeg, (0x0132, 2, 20, 26), tail=b"\xff:\0\xfe:9e9 25:61:-1"),
        "beyond.jpg": with_exif(jpeg, (exif, 4, 1, longest), (0x010F, 2, 40, longest - 4)),
        "zip.jpg": b"PK\x03\x04" + b"\0" * 500,
        "program.jpg": b"\x7fELF" + b"\0" * 500,
        "page.png": b"<html><img src=x></html>",
        "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "print.tif": b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj",
        "script.gif": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run",
    }


def test_no_file_stops_the_run(tmp_path: Path, seeds: dict[str, bytes]) -> None:
    how = random.Random(8)
    special = bombs(seeds)
    for name, content in special.items():
        (tmp_path / name).write_bytes(content)
    for number in range(COUNT - len(special)):
        suffix = how.choice(SUFFIXES)
        name = f"{number}{how.choice(OTHERS) if how.random() < 0.2 else suffix}"
        (tmp_path / name).write_bytes(mutate(seeds[suffix], how))
    paths = sorted(str(path) for path in tmp_path.iterdir())
    assert len(paths) == COUNT

    outcomes: dict[str, Any] = {}
    limits = Limits(512 << 20, max_pixels=40_000_000)
    with DecodeWorkers(PREPROCESS, 2, limits) as pool:
        for result in pool.decode(paths):
            if result is not None:
                assert result.path not in outcomes
                outcomes[result.path] = result.outcome
    assert not multiprocessing.active_children()

    assert sorted(outcomes) == paths
    pictures = {path for path, outcome in outcomes.items() if isinstance(outcome, Decoded)}
    for path in outcomes.keys() - pictures:
        trouble = outcomes[path]
        assert isinstance(trouble, Trouble)
        assert trouble.reason.isprintable()
        assert "took longer" not in trouble.reason
    # The damage is neither always fatal nor never.
    assert COUNT // 10 < len(pictures) < COUNT * 9 // 10
    for name in ("huge.png", "bomb.png", "huge.tif", "bomb.tif", "flat.tif"):
        assert "megapixels; the limit is 40" in outcomes[str(tmp_path / name)].reason
    for name in EXIF:
        assert outcomes[str(tmp_path / name)].format == "JPEG"
    for name in NO_PICTURES:
        assert str(tmp_path / name) not in pictures


def test_what_is_not_indexed_is_listed_and_tried_again_when_asked(
    shell: Shell, seeds: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    names = [*EXIF, *NO_PICTURES, "bomb.png", "text.png", "bomb.tif"]
    special = bombs(seeds)
    for name in names:
        (folder / name).write_bytes(special[name])
    result = shell("index", "--workers", "1", folder)
    assert result.returncode == 0, result.stderr

    def listed() -> dict[str, str]:
        lines = shell("status", "--problems").stdout.decode().splitlines()
        found = dict(line.split(": ", 1) for line in lines if line.startswith(f"{folder}{os.sep}"))
        return {Path(path).name: reason for path, reason in found.items()}

    problems = listed()
    indexed = {Path(path).name for path in shell.photos()}
    assert problems.keys() | indexed == set(names)
    assert not problems.keys() & indexed
    assert indexed >= set(EXIF)
    assert problems.keys() >= set(NO_PICTURES)
    assert all(problems.values())

    (folder / "zip.jpg").write_bytes(seeds[".jpg"])  # it changes, so it is tried by itself
    assert b"Indexed 1 photo in" in shell("index").stdout
    retried = shell("index", "--retry")
    assert f"{len(problems) - 1} skipped".encode() in retried.stdout
    assert listed().keys() == problems.keys() - {"zip.jpg"}
