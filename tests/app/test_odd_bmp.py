"""BMPs of unusual layouts: fields of any width, OS/2's, pictures inside, profiles."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decoded import read
from numpy.typing import NDArray
from PIL import Image
from test_colour import WIDE, stored

from photosearch.indexing.formats import MAX_PIXELS, DecodeError, open_picture

pytestmark = pytest.mark.usefixtures("decoders")
WIDTH, HEIGHT = 21, 10
# A picture of few enough levels that five bits hold them.
RNG = np.random.default_rng(5)
RGB = (RNG.integers(0, 32, (HEIGHT, WIDTH, 3)) * 255 / 31).round().astype(np.uint8)
INDICES = RNG.integers(0, 4, (HEIGHT, WIDTH)).astype(np.uint8)
INDICES[:, :8] = 1  # for runs
PALETTE = RNG.integers(0, 256, (256, 3)).astype(np.uint8)

Values = NDArray[Any]


def bmp(
    pixels: bytes,
    bits: int,
    *,
    compression: int = 0,
    size: int = 40,
    between: bytes = b"",
    colours: int = 0,
    height: int = HEIGHT,
    more: bytes = b"",
) -> bytes:
    """A file with a header of `size` bytes, `more` behind the 40 usual ones; then `between`."""
    if size == 12:
        head = struct.pack("<IHHHH", 12, WIDTH, height, 1, bits)
    else:
        head = struct.pack(
            "<IiiHHIIiiII", size, WIDTH, height, 1, bits, compression, len(pixels), 0, 0, colours, 0
        )
        head = (head + more).ljust(size, b"\0")[:size]
    start = 14 + len(head) + len(between)
    return struct.pack("<2sIII", b"BM", start + len(pixels), 0, start) + head + between + pixels


def rows(values: Values, bits: int) -> bytes:
    """Values (height, width) or (height, width, bytes), the last row first, rows in four bytes."""
    out = b""
    for row in values[::-1]:
        if bits < 8:
            each = np.unpackbits(row[:, None], axis=1)[:, 8 - bits :]
            data = np.packbits(each.ravel()).tobytes()
        else:
            data = np.ascontiguousarray(row).tobytes()
        out += data + bytes(-len(data) % 4)
    return out


def palette(step: int = 4, count: int = 256) -> bytes:
    entries = np.zeros((count, step), np.uint8)
    entries[:256, :3] = PALETTE[:count, ::-1]
    return entries.tobytes()


def fields(masks: Sequence[int], bits: int, alpha: Values | None = None) -> tuple[bytes, bytes]:
    """Pixels whose red, green, blue and alpha are scaled to `masks`, and those masks."""
    values = np.zeros((HEIGHT, WIDTH), np.uint64)
    channels = [*np.moveaxis(RGB, -1, 0), *([] if alpha is None else [alpha])]
    for mask, channel in zip(masks, channels, strict=False):
        if mask:
            shift = (mask & -mask).bit_length() - 1
            values |= np.rint(channel / 255 * (mask >> shift)).astype(np.uint64) << shift
    packed = rows(values.astype(f"<u{bits // 8}"), bits)
    return packed, struct.pack(f"<{len(masks)}I", *masks)


def seen(content: bytes, *, levels: int = 0, wanted: Values = RGB) -> Image.Image:
    image = open_picture(io.BytesIO(content), ".bmp", 8, MAX_PIXELS).image
    assert image.size == (WIDTH, HEIGHT)
    pixels = np.asarray(image.convert("RGB"), np.int32)
    assert np.abs(pixels - wanted).max() <= levels
    return image


@pytest.mark.parametrize(
    ("bits", "masks", "levels"),
    [
        (16, (0x7C00, 0x3E0, 0x1F), 1),
        (16, (0xF800, 0x7C0, 0x3E), 0),
        (16, (0x3E, 0x7C0, 0xF800), 0),
        (16, (0x3, 0x1C, 0x1), 255),  # so few levels that only reading it is asked for
        (32, (0x3FF00000, 0xFFC00, 0x3FF), 0),
        (32, (0xFFE00000, 0x1FFC00, 0x3FF), 0),
        (32, (0xFE000000, 0x80, 0x7F), 255),
        (32, (0xFF, 0xFF00, 0xFF0000), 0),
    ],
)
def test_fields_of_any_width(bits: int, masks: tuple[int, ...], levels: int) -> None:
    pixels, named = fields(masks, bits)
    seen(bmp(pixels, bits, compression=3, between=named), levels=levels)
    # A longer header has them in it.
    seen(bmp(pixels, bits, compression=3, size=52, more=named), levels=levels)


@pytest.mark.parametrize(
    ("bits", "masks"),
    [
        (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
        (32, (0x3FF, 0xFFC00, 0x3FF00000, 0xC0000000)),
        (16, (0xF00, 0xF0, 0xF, 0xF000)),
        (16, (0xF800, 0x7C0, 0x3E, 0x1)),
    ],
)
def test_fields_with_alpha(bits: int, masks: tuple[int, ...]) -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, ::2] = 255
    pixels, named = fields(masks, bits, alpha)
    levels = 9 if masks[2] == 0xF else 0
    for content in (
        bmp(pixels, bits, compression=6, between=named),
        bmp(pixels, bits, compression=3, size=56, more=named),
        bmp(pixels, bits, compression=3, size=108, more=named),
    ):
        image = seen(content, levels=levels)
        assert (np.asarray(image.getchannel("A")) == alpha).all()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("size", [12, 16, 40, 64])
def test_palettes(bits: int, size: int) -> None:
    indices = INDICES & 1 if bits == 1 else INDICES
    colours = palette(3 if size == 12 else 4, 1 << bits)
    content = bmp(rows(indices, bits), bits, size=size, between=colours)
    seen(content, wanted=PALETTE[indices])


@pytest.mark.parametrize("named", [300, 0x12345678])
def test_a_palette_that_is_too_long(named: int) -> None:
    content = bmp(rows(INDICES, 8), 8, between=palette(count=300), colours=named)
    seen(content, wanted=PALETTE[INDICES])


def runs(bits: int) -> bytes:
    """Runs, single pixels and the end of each row; and of it all."""
    out = b""
    for row in (RGB if bits == 24 else INDICES)[::-1]:
        place = 0
        while place < WIDTH:
            count = min(8 if place == 0 else 5, WIDTH - place)
            part = row[place : place + count]
            if bits == 24:
                out += (
                    b"".join(bytes((1, *pixel[::-1])) for pixel in part)
                    if count < 3 or place == 5
                    else bytes((0, count)) + part[:, ::-1].tobytes() + bytes(count * 3 % 2)
                )
            elif place == 0:
                out += bytes((count, part[0] * 17 if bits == 4 else part[0]))
            elif count < 3:
                out += b"".join(bytes((1, one * 16 if bits == 4 else one)) for one in part)
            else:
                data = part.tobytes()
                if bits == 4:
                    padded = np.append(part, 0)[: count + count % 2]
                    data = (padded[::2] * 16 + padded[1::2]).astype(np.uint8).tobytes()
                out += bytes((0, count)) + data + bytes(len(data) % 2)
            place += count
        out += b"\0\0"
    return out + b"\0\1"


@pytest.mark.parametrize("bits", [4, 8, 24])
def test_run_lengths(bits: int) -> None:
    compression = {4: 2, 8: 1, 24: 4}[bits]
    between = b"" if bits == 24 else palette(count=1 << bits)
    size = 64 if bits == 24 else 40
    content = bmp(runs(bits), bits, compression=compression, size=size, between=between)
    seen(content, wanted=RGB if bits == 24 else PALETTE[INDICES])


@pytest.mark.parametrize("bits", [4, 8])
def test_run_lengths_that_leave_out_and_end_early(bits: int) -> None:
    """What is not there is clear: on the way to the right, of rows above, and behind the end."""
    value = 2 * 17 if bits == 4 else 2
    pixels = bytes((4, value, 0, 2, 3, 1, 5, value, 0, 0, 0, 1))
    compression = {4: 2, 8: 1}[bits]
    content = bmp(pixels, bits, compression=compression, between=palette(count=1 << bits))
    image = open_picture(io.BytesIO(content), ".bmp", 8, MAX_PIXELS).image
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[-1, :4] = alpha[-2, 7:12] = 255
    assert image.size == (WIDTH, HEIGHT)
    if bits == 4:  # of 8 bits Pillow reads it, and what is left out is the first colour
        assert (np.asarray(image.getchannel("A")) == alpha).all()
    colours = np.asarray(image.convert("RGB"))[alpha > 0]
    assert (colours == PALETTE[2]).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_inside(kind: str) -> None:
    content = io.BytesIO()
    flat = np.full((HEIGHT, WIDTH, 3), (200, 60, 40), np.uint8)
    Image.fromarray(flat).save(content, kind)
    compression = {"JPEG": 4, "PNG": 5}[kind]
    seen(bmp(content.getvalue(), 0, compression=compression), wanted=flat, levels=3)


def test_light_in_64_bits() -> None:
    shares = RGB / 255
    light = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    values = np.full((HEIGHT, WIDTH, 4), 8192, "<i2")
    values[..., :3] = np.rint(light[..., ::-1] * 8192)
    seen(bmp(rows(values, 64), 64), levels=1)


def test_fax_inside() -> None:
    dark = np.zeros((HEIGHT, WIDTH), bool)
    dark[:, 4:9] = True
    content = io.BytesIO()
    Image.fromarray(dark).save(content, "TIFF", compression="group3")
    with Image.open(io.BytesIO(content.getvalue())) as tiff:
        first, size = tiff.tag_v2[273][0], tiff.tag_v2[279][0]  # type: ignore[attr-defined]
    pixels = content.getvalue()[first : first + size]
    # Its last row comes first, but all rows are alike.
    named = bmp(pixels, 1, compression=3, size=64, between=palette(count=2))
    seen(named, wanted=PALETTE[dark.astype(int)])


def test_from_the_top_down() -> None:
    pixels, masks = fields((0x3FF00000, 0xFFC00, 0x3FF), 32)
    content = bmp(pixels, 32, compression=3, between=masks, height=-HEIGHT)
    seen(content, wanted=RGB[::-1])


def test_an_embedded_profile_is_heeded() -> None:
    image = stored(WIDE["adobe"]).resize((WIDTH, HEIGHT))
    pixels = rows(np.asarray(image)[..., ::-1], 24)
    more = bytearray(84)
    more[16:20] = b"DEBM"
    # From the header's begin.
    struct.pack_into("<II", more, 72, 124 + len(pixels), len(WIDE["adobe"]))
    content = bmp(pixels, 24, size=124, more=bytes(more)) + WIDE["adobe"]
    seen(content, wanted=np.full((HEIGHT, WIDTH, 3), (200, 60, 40), np.uint8), levels=2)
    seen(content[:-400], wanted=np.asarray(image))  # of a damaged one the pixels are left


@pytest.mark.parametrize("cut", [30, 60, 400])
def test_what_is_cut_short_is_damaged(tmp_path: Path, cut: int) -> None:
    pixels, masks = fields((0x3FF00000, 0xFFC00, 0x3FF), 32)
    (tmp_path / "a.bmp").write_bytes(bmp(pixels, 32, compression=3, between=masks)[:cut])
    with pytest.raises(DecodeError):
        read(tmp_path / "a.bmp")


def test_too_many_pixels_are_refused() -> None:
    content = bytearray(bmp(b"", 2, between=palette(count=4)))
    struct.pack_into("<ii", content, 18, 100_000, 100_000)
    with pytest.raises(DecodeError, match="has 10000 megapixels"):
        open_picture(io.BytesIO(bytes(content)), ".bmp", 8, MAX_PIXELS)
