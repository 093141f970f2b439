"""Colours that the header of a JPEG XL file names by numbers."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from optional import module
from test_colour import PROPHOTO_PRIMARIES, WANTED, is_near, seen, stored

from photosearch.indexing.formats import jxl_header, profiles

codecs = module("imagecodecs")
pytestmark = pytest.mark.usefixtures("decoders")

Field = tuple[int, int]  # a value, and in how many bits
SRGB: list[Field] = [(1, 1)]


def enum(value: int) -> list[Field]:
    if value < 2:
        return [(value, 2)]
    return [(2, 2), (value - 2, 4)] if value < 18 else [(3, 2), (value - 18, 6)]


def point(x: float, y: float) -> list[Field]:
    """In millionths, which for these need the longest of four ways, or the first."""
    out: list[Field] = []
    for value in (x, y):
        number = 2 * round(value * 1e6)
        steps = ((19, 0), (19, 524288), (20, 1048576), (21, 2097152))
        way = next(way for way, (bits, least) in enumerate(steps) if number < least + (1 << bits))
        out += [(way, 2), (number - steps[way][1], steps[way][0])]
    return out


def colours(white: int, primaries: int, transfer: int) -> list[Field]:
    return [
        (0, 1),
        (0, 1),
        *enum(0),
        *enum(white),
        *enum(primaries),
        (0, 1),
        *enum(transfer),
        (1, 2),
    ]


def header(named: list[Field]) -> bytes:
    """What is before the frames: 160 by 120 pixels, RGB of 8 bits, not in a space of its own."""
    fields: list[Field] = [
        (1, 1), (120 // 8 - 1, 5), (3, 3),  # the width by a ratio of 4 to 3
        (0, 1), (0, 1), (0, 1), (0, 2), (1, 1), (0, 2), (0, 1), *named, (0, 2), (1, 1),
    ]  # fmt: skip
    bits = number = 0
    for value, count in fields:
        number |= value << bits
        bits += count
    return b"\xff\x0a" + number.to_bytes((bits + 7) // 8, "little")


def with_colours(
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], named: list[Field]
) -> bytes:
    """A lossless file of these pixels, of which the header names other colours."""
    content: bytes = codecs.jpegxl_encode(pixels, lossless=True, usecontainer=False)
    usual = header(SRGB)
    assert content.startswith(usual)
    return header(named) + content[len(usual) :]


CASES = {
    "Display P3": (profiles.of_codes(12, 13), colours(1, 11, 13)),
    "DCI P3": (profiles.of_codes(11, 17), colours(11, 11, 17)),
    "Rec. 2020, PQ": (profiles.of_codes(9, 16), colours(1, 9, 16)),
    "Rec. 2020, HLG": (profiles.of_codes(9, 18), colours(1, 9, 18)),
    "light": (profiles.of_codes(1, 8), colours(1, 1, 8)),
    "ProPhoto": (
        profiles.of_gamma(1.8, PROPHOTO_PRIMARIES),
        [
            (0, 1), (0, 1), *enum(0), *enum(2), *point(*PROPHOTO_PRIMARIES[0]), *enum(2),
            *(field for each in PROPHOTO_PRIMARIES[1:] for field in point(*each)),
            (1, 1), (round(1e7 / 1.8), 24), (1, 2),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("container", ["none", "whole", "in pieces"])
def test_colours_named_by_numbers(name: str, container: str) -> None:
    icc, named = CASES[name]
    assert icc is not None
    image = stored(icc)
    content = with_colours(np.asarray(image), named)
    signature = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl "
    if container == "whole":
        content = signature + struct.pack(">I", len(content) + 8) + b"jxlc" + content
    elif container == "in pieces":
        size = struct.pack(">I", len(content) + 12)
        content = signature + size + b"jxlp\x80\0\0\0" + content
    # Of light, eight bits hold but few dark levels.
    assert is_near(seen(content), WANTED, levels=4 if name == "light" else 2)


def test_what_is_srgb_or_unknown_stays_as_it_is() -> None:
    pixels = np.full((120, 160, 3), WANTED, np.uint8)
    for named in (SRGB, colours(1, 1, 13), colours(1, 1, 1)):
        assert is_near(seen(with_colours(pixels, named)), WANTED, levels=0)
    content = codecs.jpegxl_encode(pixels, level=95)
    assert is_near(seen(content), WANTED, levels=3)


def test_a_damaged_header_says_nothing() -> None:
    whole = with_colours(np.zeros((120, 160, 3), np.uint8), colours(1, 11, 13))
    for end in range(2, len(header(colours(1, 11, 13))) - 1):
        with pytest.raises(ValueError, match="ends within"):
            jxl_header.profile_of(whole[:end])
    with pytest.raises(ValueError, match="no JPEG XL"):
        jxl_header.profile_of(b"\0" * 40)
