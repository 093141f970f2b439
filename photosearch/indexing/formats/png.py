"""The chunks of a PNG file: those on colour, and those without which there is no picture."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from photosearch.indexing.formats import profiles

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Bytes of a profile; presses' take 4 MB.
_LONGEST = 16 << 20
_ON_COLOUR = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
_NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND")
# The gamma that is meant to be sRGB, and how far others may be from it.
_SRGB_GAMMA, _NEAR = 1 / 0.45455, 0.05


def profile_of(file: BinaryIO) -> bytes | None:
    """The ICC profile that the chunks name; of several, by their rank in the standard.

    None of sRGB, and where nothing is said. Raises whatever damaged chunks trip the reading over.
    """
    found: dict[bytes, bytes] = {}
    for kind, size in _chunks(file):
        if kind in (b"IDAT", b"IEND"):
            break
        if kind in _ON_COLOUR and size <= _LONGEST:
            found.setdefault(kind, file.read(size))
    if len(codes := found.get(b"cICP", b"")) == 4:
        return profiles.of_codes(codes[0], codes[1])
    if b"iCCP" in found:
        _, _, packed = found[b"iCCP"].partition(b"\0")
        return zlib.decompressobj().decompress(packed[1:], _LONGEST)
    if b"sRGB" in found or len(found.get(b"gAMA", b"")) != 4:
        return None
    gamma = 100_000 / int.from_bytes(found[b"gAMA"], "big")
    primaries = None
    if len(points := found.get(b"cHRM", b"")) == 32:
        values = [value / 100_000 for value in struct.unpack(">8I", points)]
        primaries = tuple(zip(values[::2], values[1::2], strict=True))
    if primaries is None and abs(gamma - _SRGB_GAMMA) < _NEAR:
        return None
    return profiles.of_gamma(gamma, primaries)


def bare(file: BinaryIO) -> BinaryIO:
    """The same picture without texts, profiles and whatever else Pillow may refuse it for.

    Of an animation that is the picture for programs that know none.
    """
    out = io.BytesIO()
    out.write(SIGNATURE)
    for kind, size in _chunks(file):
        if kind in _NEEDED:
            out.write(struct.pack(">I4s", size, kind))
            out.write(file.read(size + 4))
        if kind == b"IEND":
            break
    out.seek(0)
    return out


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Kind and bytes of each, with `file` at its content."""
    place = len(SIGNATURE)
    while True:
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head)
        yield kind, size
        place += size + 12
