"""BMP files of the layouts that Pillow refuses, and the colours that any of them names.

Bit fields of any width, 2 and 64 bits a pixel, OS/2's short header and its run lengths of 24 bits,
JPEG, PNG and fax inside, palettes that are too long, and run lengths that end early.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photosearch.indexing.formats.picture import DecodeError, refuse_above

_RGB, _RLE8, _RLE4, _FIELDS, _JPEG, _PNG, _ALPHA_FIELDS = 0, 1, 2, 3, 4, 5, 6
# OS/2 has other meanings for two numbers.
_OS2, _HUFFMAN, _RLE24 = 64, 3, 4
_V5 = 124
_FILE_HEADER = 14
# Red, green, blue and alpha where no fields are named.
_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}

_Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class _Header:
    size: int
    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    colours: int
    pixels: int  # where they begin


def is_misread(image: Image.Image) -> bool:
    """Whether Pillow opens a BMP and gets its pixels wrong, as where run lengths leave some out."""
    return image.format == "BMP" and image.info.get("compression") == _RLE4


def read(file: BinaryIO, max_pixels: int) -> Image.Image:
    """The picture in `file`, RGB or RGBA.

    Raises `DecodeError` above `max_pixels` and of what is no BMP that can be read; `ValueError` and
    `struct.error` where it is damaged.
    """
    file.seek(0)
    content = file.read()
    header = _header(content)
    refuse_above(max_pixels, header.width, header.height)
    inside = (header.compression == _JPEG and header.bits == 0) or header.compression == _PNG
    if inside:
        image = Image.open(io.BytesIO(content[header.pixels :]), formats=("JPEG", "PNG"))
        refuse_above(max_pixels, *image.size)
        image.load()
        return image
    if header.bits == 1 and header.compression == _HUFFMAN:
        indices = _fax(content[header.pixels :], header)
        values = _palette(content, header)[indices]
    elif header.compression in (_RLE8, _RLE4) or (header.compression, header.bits) == (_RLE24, 24):
        values = _run_lengths(content, header)
    elif header.bits in (1, 2, 4, 8):
        values = _palette(content, header)[_indices(content, header)]
    elif header.bits in (16, 24, 32, 64):
        values = _direct(content, header)
    else:
        raise DecodeError(f"is a BMP of {header.bits} bits a pixel, which nothing here can read")
    return Image.fromarray(np.ascontiguousarray(values if header.top_down else values[::-1]))


def profile_of(file: BinaryIO) -> bytes | None:
    """The ICC profile that is embedded in `file`, None where none is."""
    file.seek(_FILE_HEADER)
    header = file.read(_V5)
    if len(header) < _V5 or struct.unpack_from("<I", header)[0] < _V5 or header[56:60] != b"DEBM":
        return None
    place, size = struct.unpack_from("<II", header, 112)
    file.seek(_FILE_HEADER + place)
    return file.read(size)


def _header(content: bytes) -> _Header:
    pixels, size = struct.unpack_from("<II", content, 10)
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", content, 18)
        return _Header(size, width, height, False, bits, _RGB, 0, pixels)
    if size < 16:
        raise DecodeError("is a BMP with an unknown header")
    width, height, _, bits = struct.unpack_from("<iiHH", content, 18)
    compression = struct.unpack_from("<I", content, 30)[0] if size >= 20 else _RGB
    colours = struct.unpack_from("<I", content, 46)[0] if size >= 36 else 0
    if width <= 0 or height == 0:
        raise DecodeError("is a BMP without pixels")
    return _Header(size, width, abs(height), height < 0, bits, compression, colours, pixels)


def _palette(content: bytes, header: _Header) -> _Levels:
    """RGB of each colour, (n, 3); a colour that it does not have is black."""
    step = 3 if header.size == 12 else 4
    first = _FILE_HEADER + header.size
    most = 1 << header.bits
    count = min(header.colours or most, max(0, header.pixels - first) // step, most)
    found = np.zeros((256, 3), np.uint8)
    entries = np.frombuffer(content, np.uint8, count * step, first).reshape(count, step)
    found[:count] = entries[:, 2::-1]
    return found


def _rows(content: bytes, header: _Header) -> _Levels:
    """The bytes of each row, (height, bytes)."""
    stride = (header.width * header.bits + 31) // 32 * 4
    data = np.frombuffer(content, np.uint8, stride * header.height, header.pixels)
    return data.reshape(header.height, stride)


def _indices(content: bytes, header: _Header) -> _Levels:
    bits = np.unpackbits(_rows(content, header), axis=1)
    parts = bits.reshape(header.height, -1, header.bits)[:, : header.width]
    weights = (1 << np.arange(header.bits - 1, -1, -1)).astype(np.uint8)
    indices: _Levels = (parts * weights).sum(axis=2, dtype=np.uint8)
    return indices


def _direct(content: bytes, header: _Header) -> _Levels:
    rows = _rows(content, header)
    if header.bits == 24:
        return rows[:, : 3 * header.width].reshape(header.height, header.width, 3)[..., ::-1]
    if header.bits == 64:
        return _light(rows[:, : 8 * header.width].reshape(header.height, header.width, 8))
    kind = "<u2" if header.bits == 16 else "<u4"
    values = rows[:, : header.bits // 8 * header.width].copy().view(kind)
    masks = _masks(content, header)
    channels = [_field(values, mask) for mask in masks[: 4 if masks[3] else 3]]
    return np.stack(channels, axis=-1)


def _masks(content: bytes, header: _Header) -> tuple[int, ...]:
    if header.compression not in (_FIELDS, _ALPHA_FIELDS):
        return _MASKS[header.bits]
    # They follow the first 40 bytes, whether those are all of the header or not.
    count = 4 if header.compression == _ALPHA_FIELDS or header.size >= 56 else 3
    masks = struct.unpack_from(f"<{count}I", content, _FILE_HEADER + 40)
    return (*masks, 0)[:4]


def _field(values: NDArray[Any], mask: int) -> _Levels:
    if not mask:
        return np.zeros(values.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    parts = (values & values.dtype.type(mask)) >> shift
    levels: _Levels = np.rint(parts * (255 / (mask >> shift))).astype(np.uint8)
    return levels


def _light(rows: _Levels) -> _Levels:
    """Blue, green, red and alpha as light, with 13 bits behind the point."""
    light = np.clip(rows.copy().view("<i2").astype(np.float32) / 8192, 0, 1)[..., [2, 1, 0, 3]]
    colours = light[..., :3]
    light[..., :3] = np.where(
        colours <= 0.0031308, 12.92 * colours, 1.055 * colours ** (1 / 2.4) - 0.055
    )
    return np.rint(light * 255).astype(np.uint8)


def _run_lengths(content: bytes, header: _Header) -> _Levels:
    """Pixels (height, width, 4), those that are left out or behind the end clear."""
    whole = header.bits == 24
    palette = None if whole else _palette(content, header)
    out = np.zeros((header.height, header.width, 4), np.uint8)
    data, place, row, column = content, header.pixels, 0, 0

    def put(values: _Levels) -> None:
        nonlocal column
        part = values[: max(0, header.width - column)]
        out[row, column : column + len(part), :3] = part
        out[row, column : column + len(part), 3] = 255
        column += len(values)

    def colours(first: int, count: int) -> _Levels:
        """So many pixels that lie in the file one by one."""
        size = count * 3 if whole else (count + 1) // 2 if header.bits == 4 else count
        raw = np.frombuffer(data[first : first + size].ljust(size, b"\0"), np.uint8)
        if palette is None:
            return raw.reshape(count, 3)[:, ::-1]
        if header.bits == 4:
            raw = np.stack([raw >> 4, raw & 15], axis=1).ravel()[:count]
        found: _Levels = palette[raw]
        return found

    while place + 2 <= len(data) and row < header.height:
        count, what = data[place], data[place + 1]
        if count:
            if header.bits == 4:
                put(np.resize(colours(place + 1, 2), (count, 3)))
            else:
                put(np.repeat(colours(place + 1, 1), count, axis=0))
            place += 4 if whole else 2
        elif what == 0:
            row, column, place = row + 1, 0, place + 2
        elif what == 1:
            break
        elif what == 2:
            right, up = data[place + 2 : place + 4].ljust(2, b"\0")
            row, column, place = row + up, column + right, place + 4
        else:
            put(colours(place + 2, what))
            size = what * 3 if whole else (what + 1) // 2 if header.bits == 4 else what
            place += 2 + size + size % 2
    return out


def _fax(data: bytes, header: _Header) -> _Levels:
    """Group 3 fax, which libtiff reads in a TIFF that is put around it."""
    entries = [
        (256, 4, header.width), (257, 4, header.height), (258, 3, 1), (259, 3, 3), (262, 3, 0),
        (273, 4, 8), (278, 4, header.height), (279, 4, len(data)),
    ]  # fmt: skip
    padded = data + b"\0" * (len(data) % 2)
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    tiff = struct.pack("<2sHI", b"II", 42, 8 + len(padded)) + padded + directory + bytes(4)
    with Image.open(io.BytesIO(tiff), formats=("TIFF",)) as image:
        return (np.asarray(image.convert("L")) < 128).astype(np.uint8)
