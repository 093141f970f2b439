"""Two thousand damaged and hostile files: each is decoded or listed, and the run goes on."""

from __future__ import annotations

import io
import multiprocessing
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photosearch.encoders import ImageSettings, Preprocess
from photosearch.indexing.decode import Decoded, prepare_decoders
from photosearch.indexing.limits import Limits
from photosearch.indexing.workers import DecodeWorkers, Trouble

HALF = (0.5, 0.5, 0.5)
PREPROCESS = Preprocess(ImageSettings(16, "squash", "none", "bicubic", HALF, HALF))
SUFFIXES = [".jpg", ".png", ".webp", ".gif", ".tif", ".bmp", ".heic", ".avif"]
OTHERS = [*SUFFIXES, ".dng", ".cr2", ".nef", ".mp4", ".mov", ".jxl"]
COUNT = 2000


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


def png(width: int, height: int, data: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    ends = chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + ends


def bombs(seeds: dict[str, bytes]) -> dict[str, bytes]:
    """Files that would take gigabytes, and EXIF that points in circles."""
    huge = bytearray(seeds[".tif"])
    count = struct.unpack_from("<H", huge, struct.unpack_from("<I", huge, 4)[0])[0]
    start = struct.unpack_from("<I", huge, 4)[0] + 2
    for entry in range(start, start + 12 * count, 12):
        if struct.unpack_from("<H", huge, entry)[0] in (256, 257):
            struct.pack_into("<HII", huge, entry + 2, 4, 1, 90_000)
    block = b"Exif\0\0MM\0*\0\0\0\x08" + b"\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08" + b"\0\0\0\x08"
    jpeg = seeds[".jpg"]
    circle = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]
    return {
        "huge.png": png(2**31 - 1, 2**31 - 1, zlib.compress(b"")),
        "bomb.png": png(12_000, 12_000, zlib.compress(b"\0" * (64 << 20))),
        "overfull.png": png(8, 8, zlib.compress(b"\0" * (64 << 20))),
        "huge.tif": bytes(huge),
        "circle.jpg": circle,
        "zip.jpg": b"PK\x03\x04" + b"\0" * 500,
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
    for name in ("huge.png", "bomb.png", "huge.tif"):
        assert "megapixels; the limit is 40" in outcomes[str(tmp_path / name)].reason
    assert outcomes[str(tmp_path / "circle.jpg")].format == "JPEG"
    assert str(tmp_path / "zip.jpg") not in pictures
