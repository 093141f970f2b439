"""A picture as large as it is, in a form that browsers show. Made in the shrinkers' processes."""

from __future__ import annotations

import io
import math
import os
from dataclasses import dataclass
from typing import BinaryIO

from photosearch.indexing.formats import open_picture
from photosearch.regular_file import open_regular

# What the catalogue calls formats that every browser shows, and their media types.
BY_BROWSERS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}
# Pixels beyond which a tablet's browser has no memory to show a picture, and the most of one that
# was brought down for that.
_ENORMOUS = 100_000_000
_BOUNDED = 50_000_000
# Pixels of a side: JPEG has no more.
_LONGEST = 65_500
# To the eye as good as the original; without subsampling coloured letters stay sharp.
_QUALITY = 90


@dataclass(frozen=True)
class Wanted:
    """A picture that the catalogue knows in this format and size, in pixels as seen.

    `converted`: also if browsers should show the file as it is, since one did not.
    """

    format: str
    width: int
    height: int
    converted: bool = False


@dataclass(frozen=True)
class FullSize:
    """The picture as JPEG, in sRGB; None where browsers show the file as it is.

    `size` and `mtime_ns` are those of the file.
    """

    data: bytes | None
    size: int
    mtime_ns: int


def make_full_size(path: str, max_pixels: int, wanted: Wanted) -> FullSize:
    """The picture at `path`, upright, first frame, with all its pixels up to 100 million.

    Raises what the decoders raise, and `DecodeError` above `max_pixels`.
    """
    from PIL.Image import Resampling

    from photosearch.encoders.preprocess import to_rgb

    with open_regular(path) as file:
        status = os.fstat(file.fileno())
        if _is_shown(file, wanted):
            return FullSize(None, status.st_size, status.st_mtime_ns)
        file.seek(0)
        short = min(wanted.width, wanted.height)
        # The least that the short side may be.
        side = max(1, math.floor(short * _scale(wanted.width, wanted.height)))
        suffix = os.path.splitext(path)[1].lower()
        image = open_picture(file, suffix, side, max_pixels).image
    image = to_rgb(image)
    scale = _scale(*image.size)
    if scale < 1:
        width, height = (max(1, math.floor(length * scale)) for length in image.size)
        image = image.resize((width, height), Resampling.LANCZOS, reducing_gap=2.0)
    out = io.BytesIO()
    # None of the file's metadata is copied.
    image.save(out, "JPEG", quality=_QUALITY, subsampling=0)
    return FullSize(out.getvalue(), status.st_size, status.st_mtime_ns)


def _scale(width: int, height: int) -> float:
    pixels = width * height
    bounded = math.sqrt(_BOUNDED / pixels) if pixels > _ENORMOUS else 1.0
    return min(bounded, _LONGEST / max(width, height))


def _is_shown(file: BinaryIO, wanted: Wanted) -> bool:
    """Whether browsers show this file, and upright."""
    from PIL import Image

    from photosearch.indexing.formats.pillow import orientation_of

    if wanted.converted or wanted.format not in BY_BROWSERS:
        return False
    if wanted.width * wanted.height > _ENORMOUS:
        return False
    if wanted.format == "JPEG":
        return True
    # Whether EXIF turns a picture that is no JPEG is another matter in each browser.
    try:
        with Image.open(file, formats=(wanted.format,)) as image:
            return orientation_of(image) == 1
    except Exception:  # Pillow raises what it likes; another reader may be able to read it
        return False
