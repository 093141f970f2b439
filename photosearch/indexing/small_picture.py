"""Small pictures of photos, as the page shows them: made by it, or while a photo is indexed that is
fetched from elsewhere.
"""

from __future__ import annotations

import io
from typing import BinaryIO

from PIL.Image import Image, Resampling

from photosearch.encoders.preprocess import to_rgb
from photosearch.indexing.formats import open_picture
from photosearch.thumbnail_files import GRID

# Of pictures as WebP, in parts of a hundred.
QUALITY = 80


def small_picture(file: BinaryIO, suffix: str, max_pixels: int) -> bytes:
    """The picture in `file`, upright, first frame, in sRGB, at most `GRID` pixels a side, as WebP.

    Raises what the decoders do.
    """
    return webp(shrunk(open_picture(file, suffix, GRID, max_pixels).image, GRID))


def shrunk(image: Image, side: int) -> Image:
    """The picture in sRGB, at most `side` pixels wide and high, and nothing of its metadata."""
    scale = min(1.0, side / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    image = to_rgb(image)
    if image.size != size:
        image = image.resize(size, Resampling.LANCZOS, reducing_gap=3.0)
    # Pillow would write a comment that it has read.
    image.info = {}
    return image


def webp(image: Image, quality: int = QUALITY) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=2)
    return out.getvalue()
