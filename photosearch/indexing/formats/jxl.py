"""JPEG XL, by libjxl through imagecodecs."""

from __future__ import annotations

from photosearch.formats import JXL
from photosearch.indexing.formats.arrays import image_of
from photosearch.indexing.formats.colour import to_srgb
from photosearch.indexing.formats.jxl_header import profile_of
from photosearch.indexing.formats.picture import Asked, Picture, needs_extra, refuse_above


def picture(asked: Asked) -> Picture:
    return read(asked.file.read(), asked.side, asked.max_pixels)


def read(content: bytes, side: int, max_pixels: int) -> Picture:
    """The first frame, its short side no less than `side`; libjxl turns it upright by itself.

    Raises `DecodeError` without the extra or above `max_pixels`, and libjxl's own errors.
    """
    try:
        from imagecodecs import jpegxl_decode
    except ImportError:
        raise needs_extra(JXL.called, JXL.extra) from None
    # libjxl offers no look at the size alone; the worker's memory limit guards against bombs.
    values = jpegxl_decode(content, index=0)
    refuse_above(max_pixels, values.shape[1], values.shape[0])
    image = image_of(values)
    width, height = image.size
    try:
        profile = profile_of(content)
    except (KeyError, ValueError):  # bad metadata never stops a photo
        profile = None
    return Picture(to_srgb(image, profile, side), width, height, "JXL")
