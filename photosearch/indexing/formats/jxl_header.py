"""The colours that the header of a JPEG XL file names; libjxl's binding gives them not away."""

from __future__ import annotations

import io

from photosearch.indexing.formats import profiles
from photosearch.indexing.metadata.blocks import boxes

CODESTREAM = b"\xff\x0a"
# Bytes within which a header ends that is not made to be long.
_LONGEST = 4096
# How a number is written, by the two bits before it: so many bits, and what is added to them.
_ENUM = ((0, 0), (0, 1), (4, 2), (6, 18))
_SIZE = ((9, 1), (13, 1), (18, 1), (30, 1))
_BITS, _FLOAT_BITS = ((0, 8), (0, 10), (0, 12), (6, 1)), ((0, 32), (0, 16), (0, 24), (6, 1))
_CHANNELS = ((0, 0), (0, 1), (4, 2), (12, 1))
_SHIFT, _NAME = ((0, 0), (0, 3), (0, 4), (3, 1)), ((0, 0), (4, 0), (5, 16), (10, 48))
_POINT = ((19, 0), (19, 524288), (20, 1048576), (21, 2097152))
_CFA = ((0, 1), (2, 0), (4, 3), (8, 19))
_TICKS, _UNTICKS, _LOOPS = (
    ((0, 100), (0, 1000), (10, 1), (30, 1)),
    ((0, 1), (0, 1001), (8, 1), (10, 1)),
    ((0, 0), (3, 0), (16, 0), (32, 0)),
)
_ALPHA, _SPOT, _FILTER = 0, 2, 5
_RGB, _GREY = 0, 1
_CUSTOM = 2
_WHITES = {1: (0.3127, 0.329), 10: (1 / 3, 1 / 3), 11: (0.314, 0.351)}
_PRIMARIES: dict[int, profiles.Primaries] = {
    1: ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06)),
    9: ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    11: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}


class _Bits:
    """Reads bits, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._bits, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        """Raises `ValueError` behind the end."""
        if count > self._left:
            raise ValueError("ends within its header")
        self._left -= count
        value = self._bits & ((1 << count) - 1)
        self._bits >>= count
        return value

    def number(self, ways: tuple[tuple[int, int], ...]) -> int:
        count, more = ways[self.take(2)]
        return self.take(count) + more


def profile_of(content: bytes) -> bytes | None:
    """The ICC profile of the colours that a JPEG XL file names by numbers.

    None of sRGB, and where they are an ICC profile, which is packed. Raises `ValueError` of what is
    no such file.
    """
    bits = _Bits(_codestream(content)[len(CODESTREAM) :])
    _skip_size(bits)
    if bits.take(1):  # all is as usual
        return None
    if bits.take(1):
        bits.take(3)  # orientation
        if bits.take(1):
            _skip_size(bits)
        if bits.take(1):
            return None  # a preview, which nobody writes
        if bits.take(1):
            bits.number(_TICKS)
            bits.number(_UNTICKS)
            bits.number(_LOOPS)
            bits.take(1)
    _skip_depth(bits)
    bits.take(1)
    for _ in range(bits.number(_CHANNELS)):
        _skip_channel(bits)
    bits.take(1)  # whether the pixels are packed in a space of their own
    return _colours(bits)


def _codestream(content: bytes) -> bytes:
    if content.startswith(CODESTREAM):
        return content[:_LONGEST]
    for kind, start, stop in boxes(io.BytesIO(content), 0):
        # The parts of one in pieces are numbered.
        first = start + 4 * (kind == b"jxlp")
        if kind in (b"jxlc", b"jxlp") and content[first : first + 2] == CODESTREAM:
            return content[first : min(stop, first + _LONGEST)]
    raise ValueError("is no JPEG XL file")


def _skip_size(bits: _Bits) -> None:
    small = bits.take(1)

    def length() -> None:
        if small:
            bits.take(5)
        else:
            bits.number(_SIZE)

    length()
    if not bits.take(3):  # a ratio of height and width says the width
        length()


def _skip_depth(bits: _Bits) -> None:
    if bits.take(1):
        bits.number(_FLOAT_BITS)
        bits.take(4)
    else:
        bits.number(_BITS)


def _skip_channel(bits: _Bits) -> None:
    if bits.take(1):
        return
    kind = bits.number(_ENUM)
    _skip_depth(bits)
    bits.number(_SHIFT)
    bits.take(8 * bits.number(_NAME))
    if kind == _ALPHA:
        bits.take(1)
    elif kind == _SPOT:
        bits.take(64)
    elif kind == _FILTER:
        bits.number(_CFA)


def _colours(bits: _Bits) -> bytes | None:
    if bits.take(1) or bits.take(1):  # as usual, or a profile
        return None
    space = bits.number(_ENUM)
    if space not in (_RGB, _GREY):
        return None
    white = bits.number(_ENUM)
    whites = _point(bits) if white == _CUSTOM else _WHITES[white]
    points = _PRIMARIES[1]
    if space == _RGB:
        number = bits.number(_ENUM)
        points = tuple(_point(bits) for _ in range(3)) if number == _CUSTOM else _PRIMARIES[number]
    primaries = (whites, *points)
    if bits.take(1):
        return profiles.of_gamma(10_000_000 / max(1, bits.take(24)), primaries)
    return profiles.of_primaries(primaries, bits.number(_ENUM))


def _point(bits: _Bits) -> tuple[float, float]:
    """Two coordinates in millionths; the lowest bit is the sign."""
    x, y = (bits.number(_POINT) for _ in range(2))
    return (x >> 1 ^ -(x & 1)) / 1e6, (y >> 1 ^ -(y & 1)) / 1e6
