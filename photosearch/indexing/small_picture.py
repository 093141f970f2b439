"""The small picture of a photo that is fetched from elsewhere, made while its bytes are here."""

from __future__ import annotations

import io
from typing import BinaryIO

from PIL.Image import Resampling

from photosearch.encoders.preprocess import to_rgb
from photosearch.indexing.formats import open_picture
from photosearch.thumbnail_files import GRID


def small_picture(file: BinaryIO, suffix: str, max_pixels: int) -> bytes:
    """The picture in `file`, upright, first frame, in sRGB, at most `GRID` pixels a side, as WebP.

    It is the one that the page would make of it. Raises what the decoders do.
    """
    image = open_picture(file, suffix, GRID, max_pixels).image
    scale = min(1.0, GRID / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    image = to_rgb(image)
    if image.size != size:
        image = image.resize(size, Resampling.LANCZOS, reducing_gap=3.0)
    image.info = {}
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80, method=2)
    return out.getvalue()
