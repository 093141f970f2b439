"""The JPEGs inside a file, found without knowing the format around them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image

_START = b"\xff\xd8\xff"
# Sensor data hold the mark by chance, too.
_MARKS = 1000
# Bytes within which a JPEG says how large it is, and within which it ends.
_HEAD, _LONGEST = 1 << 18, 64 << 20


def jpegs(file: BinaryIO, least: int) -> Iterator[bytes]:
    """Each JPEG in `file` with a short side of `least` pixels or more, the largest first.

    What comes behind a JPEG is not cut off, since its decoder knows where it ends. A JPEG may be
    damaged behind its head.
    """
    file.seek(0)
    content = file.read()
    found = [(size, start) for start, size in _sizes(content) if min(size) >= least]
    for _, start in sorted(found, key=lambda one: one[0][0] * one[0][1], reverse=True):
        yield content[start : start + _LONGEST]


def _sizes(content: bytes) -> Iterator[tuple[int, tuple[int, int]]]:
    start = -1
    for _ in range(_MARKS):
        start = content.find(_START, start + 1)
        if start < 0:
            return
        try:
            with Image.open(io.BytesIO(content[start : start + _HEAD]), formats=("JPEG",)) as image:
                yield start, image.size
        except (OSError, SyntaxError, ValueError):
            continue
