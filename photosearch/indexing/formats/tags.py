"""What a picture's file says of its colours, as an ICC profile."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from PIL import ExifTags, Image

from photosearch.indexing.formats import bmp, png, profiles
from photosearch.indexing.metadata.blocks import blocks_of, boxes

# Bytes of a profile.
_LONGEST = 16 << 20
# What EXIF's interoperability index says of Adobe RGB.
_ADOBE = "R03"
_EXIF, _INTEROP, _INDEX = 0x8769, 0xA005, 1


def profile_of(image: Image.Image, file: BinaryIO) -> bytes | None:
    """The ICC profile of the pixels of `image`, opened from `file`; None of sRGB, or where nothing
    is said. Whatever is damaged is not said.
    """
    place = file.tell()
    try:
        return _profile(image, file)
    except Exception:  # bad metadata never stops a photo
        return None
    finally:
        file.seek(place)


def _profile(image: Image.Image, file: BinaryIO) -> bytes | None:
    if image.format == "PNG":
        return png.profile_of(file)
    if image.format == "BMP":
        return bmp.profile_of(file)
    own = image.info.get("icc_profile")
    if own:
        return bytes(own)
    if image.format in ("JPEG", "MPO", "TIFF"):
        return profiles.adobe_rgb() if says_adobe_rgb(image) else None
    if image.format == "HEIF":
        codes = image.info.get("nclx_profile") or {}
        return profiles.of_codes(
            codes.get("color_primaries", 2), codes.get("transfer_characteristics", 2)
        )
    if image.format == "AVIF":
        return _of_boxes(file, b"meta", b"iprp", b"ipco")
    if image.format == "JPEG2000":
        return _of_boxes(file, b"jp2h")
    return None


def says_adobe_rgb(image: Image.Image) -> bool:
    """Whether EXIF names Adobe RGB, as cameras do that embed no profile of it."""
    # Nearly no photo has the letters anywhere.
    if _ADOBE.encode() not in image.info.get("exif", b""):
        return False
    index = image.getexif().get_ifd(ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex)
    return isinstance(index, str) and index.rstrip("\0 ") == _ADOBE


def raw_says_adobe_rgb(file: BinaryIO) -> bool:
    """Whether the camera RAW in `file` says so; its previews, which say nothing, are meant too."""
    try:
        blocks = blocks_of(file)
        # Canon's newer files keep EXIF's part apart.
        apart = (blocks.separate or {}).get("CMT2")
        exif = apart or blocks.exif
        if exif is None:
            return False
        place: float = exif.first
        for tag in (_INTEROP,) if apart else (_EXIF, _INTEROP):
            place = exif.read(place, (tag,))[tag][0]
        index = exif.read(place, (_INDEX,)).get(_INDEX)
        return isinstance(index, bytes) and index.rstrip(b"\0 ") == _ADOBE.encode()
    except Exception:  # bad metadata never stops a photo
        return False


def _of_boxes(file: BinaryIO, *way: bytes) -> bytes | None:
    """The colours named in the box `colr` at the end of the `way` through the file's boxes."""
    coded = None
    for start, stop in _within(file, 0, file.seek(0, io.SEEK_END), *way, b"colr"):
        file.seek(start)
        content = file.read(min(stop - start, _LONGEST))
        if content[:4] in (b"prof", b"rICC"):
            return content[4:]
        if content[:4] == b"nclx":
            coded = coded or profiles.of_codes(*struct.unpack_from(">HH", content, 4))
        # JPEG 2000 has a number for how it is told, and two more bytes.
        elif content[:1] in (b"\2", b"\3") and way == (b"jp2h",):
            return content[3:]
    return coded


def _within(file: BinaryIO, start: int, stop: int, *way: bytes) -> Iterator[tuple[int, int]]:
    for kind, first, last in boxes(file, start, stop):
        if kind != way[0]:
            continue
        if len(way) == 1:
            yield first, last
        else:
            # This one has a version before what is in it.
            yield from _within(file, first + 4 * (kind == b"meta"), last, *way[1:])
