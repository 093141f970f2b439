"""The formats that Pillow reads, with HEIC from pillow-heif."""

from __future__ import annotations

import warnings
from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError

from photosearch.formats import FORMATS
from photosearch.indexing.formats import bmp, png, tiff
from photosearch.indexing.formats.colour import to_srgb
from photosearch.indexing.formats.picture import (
    Asked,
    DecodeError,
    Picture,
    is_sideways,
    refuse_above,
    upright,
)
from photosearch.indexing.formats.tags import profile_of

# Only these are tried, whatever the suffix says: Pillow knows dozens more, some of which hand the
# file to other programs.
_FORMATS = tuple(name for one in FORMATS.values() for name in one.pillow)
# Others are what they say they are: no first bytes tell.
_BY_SUFFIX = {suffix: name for one in FORMATS.values() for suffix, name in one.unmarked}
# Bytes that a JPEG's decoder is given at once. Pillow gives it 64 KiB; at each end it goes back to
# where it last had a whole square, and copies what is left, which takes a twentieth of its time.
_WHOLE = 8 << 20
# What the catalogue calls what Pillow calls so.
_NAMES = {
    name: one.recorded[0]
    for one in FORMATS.values()
    for name in (*one.pillow, *(name for _, name in one.unmarked), *one.recorded)
}


def prepare() -> None:
    """Teach Pillow HEIC, and leave the size limit to `read`. Called once a process."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None
    # Pillow warns of odd metadata that it then copes with; a worker has nobody to tell.
    warnings.simplefilter("ignore")


def picture(asked: Asked) -> Picture:
    return read(asked.file, asked.suffix, asked.side, asked.max_pixels)


def read(file: BinaryIO, suffix: str, side: int, max_pixels: int) -> Picture:
    """The first frame of `file`, its short side no less than `side` where it has as much.

    Raises `DecodeError` above `max_pixels`, and whatever Pillow raises for a damaged file.
    """
    try:
        return _read(file, suffix, side, max_pixels)
    except DecodeError:
        raise
    except Exception as error:
        picture = _otherwise(file, error, suffix, side, max_pixels)
        if picture is None:
            raise
        return picture


class _MisreadError(Exception):
    """Pillow would get the pixels of this file wrong."""


def _otherwise(
    file: BinaryIO, error: Exception, suffix: str, side: int, max_pixels: int
) -> Picture | None:
    """What Pillow refuses for an `error`, read in another way; None where there is none."""
    file.seek(0)
    head = file.read(len(png.SIGNATURE))
    try:
        if head == png.SIGNATURE:
            # Pillow minds what is beside the pixels: long texts and profiles, sums that are wrong.
            return _read(png.bare(file), suffix, side, max_pixels, coloured_by=file)
        if head.startswith(b"BM"):
            image = bmp.read(file, max_pixels)
            image.format = "BMP"
            return _picture(image, profile_of(image, file), 1, side)
        # Of one that it opens and cannot decode, something is missing.
        damaged = isinstance(error, OSError) and not isinstance(error, UnidentifiedImageError)
        if head.startswith(tiff.SIGNATURES) and not damaged:
            image, profile, orientation = tiff.read(file, max_pixels)
            image.format = "TIFF"
            return _picture(image, profile, orientation, side)
    except DecodeError:
        raise
    # As Pillow does, these raise whatever their parsing tripped over.
    except Exception as other:
        error.add_note(f"read in another way: {other!r}")
    return None


def _picture(image: Image.Image, profile: bytes | None, orientation: int, side: int) -> Picture:
    """What is decoded in full, upright and in sRGB."""
    width, height = image.size
    if is_sideways(orientation):
        width, height = height, width
    seen = upright(to_srgb(image, profile, side), orientation)
    return Picture(seen, width, height, image.format or "unknown")


def _read(
    file: BinaryIO,
    suffix: str,
    side: int,
    max_pixels: int,
    coloured_by: BinaryIO | None = None,
) -> Picture:
    more = _BY_SUFFIX.get(suffix)
    with Image.open(file, formats=(*_FORMATS, more) if more else _FORMATS) as image:
        if tiff.is_misread(image) or bmp.is_misread(image):
            raise _MisreadError
        tiff.pass_thumbnails(image)
        width, height = image.size
        kind = image.format or "unknown"
        kind = _NAMES.get(kind, kind)
        # A JPEG decoder can shrink by 2, 4 or 8 on the way, at a fraction of the cost. Only JPEG is
        # asked: in HEIC a draft is the embedded thumbnail, which editors leave as it was.
        if kind == "JPEG":
            image.draft("RGB", (side, side))
            image.decodermaxblock = _WHOLE
        # A progressive JPEG is held whole whatever the size it is shrunk to.
        progressive = "progressive" in image.info
        refuse_above(max_pixels, *((width, height) if progressive else image.size))
        profile = profile_of(image, coloured_by or file)
        image.load()
        # Asked after loading, in which Pillow turns a TIFF upright by itself.
        orientation = orientation_of(image)
        if is_sideways(orientation):
            width, height = height, width
        return Picture(upright(to_srgb(image, profile, side), orientation), width, height, kind)


def orientation_of(image: Image.Image) -> int:
    """EXIF's orientation of a picture, 1 where it says nothing that can be read."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # bad metadata never stops a photo
        return 1
    return value if isinstance(value, int) else 1
