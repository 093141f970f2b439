"""JPEG XR, by jxrlib through imagecodecs."""

from __future__ import annotations

import numpy as np
from PIL import Image

from photosearch.formats import JXR
from photosearch.indexing.formats.arrays import image_of
from photosearch.indexing.formats.picture import Asked, Picture, needs_extra, refuse_above


def picture(asked: Asked) -> Picture:
    return read(asked.file.read(), asked.max_pixels)


def read(content: bytes, max_pixels: int) -> Picture:
    """The picture; floats are light, of which 1 is white.

    Raises `DecodeError` without the extra or above `max_pixels`, and jxrlib's own errors.
    """
    try:
        from imagecodecs import jpegxr_decode
    except ImportError:
        raise needs_extra(JXR.called, JXR.extra) from None
    # jxrlib offers no look at the size alone; the worker's memory limit guards against bombs.
    values = jpegxr_decode(content)
    refuse_above(max_pixels, values.shape[1], values.shape[0])
    if values.dtype.kind == "f":
        light = np.clip(np.nan_to_num(values.astype(np.float32)), 0, 1)
        curved = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        values = curved.astype(np.float32)
    image: Image.Image = image_of(values)
    return Picture(image, image.width, image.height, "JXR")
