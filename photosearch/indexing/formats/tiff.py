"""TIFFs of the layouts that Pillow refuses or misreads, by tifffile."""

from __future__ import annotations

from itertools import islice
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from photosearch.indexing.formats.arrays import image_of
from photosearch.indexing.formats.picture import DecodeError, needs_extra, refuse_above

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BITS, _COMPRESSION, _PHOTOMETRIC, _PLANAR, _FORMAT, _SUBFILE = 258, 259, 262, 284, 339, 254
_WEBP = 50001  # which Pillow's libtiff does without
_SMALLER = 1  # in NewSubfileType: the same picture at a lower resolution
_MINISWHITE, _MINISBLACK, _RGB, _PALETTE = 0, 1, 2, 3
_CMYK, _CIELAB, _ICCLAB = 5, 8, 9
_ALPHA = (1, 2)
_SIGNED, _FLOAT = 2, 3
# Whites that floats and 32 bits may have, the least that no value exceeds.
_WHITES = (1.0, 255.0, 65535.0)
# Pages that are looked at for one that is no thumbnail.
_PAGES = 16


def is_misread(image: Image.Image) -> bool:
    """Whether Pillow opens a TIFF and gets its pixels wrong."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return False
    tags = image.tag_v2
    bits = tags.get(_BITS, (1,))[0]
    numbers = tags.get(_FORMAT, (1,))[0]
    if numbers == _SIGNED or tags.get(_COMPRESSION) == _WEBP:
        return True
    if bits > 8 and (tags.get(_PLANAR, 1) == 2 or tags.get(_PHOTOMETRIC) == _MINISWHITE):
        return True
    return bits not in (1, 2, 4, 8, 16) and numbers != _FLOAT


def pass_thumbnails(image: Image.Image) -> None:
    """Go on to the first page that is not a smaller copy of another, where there is one."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    for page in range(_PAGES):
        if not image.tag_v2.get(_SUBFILE, 0) & _SMALLER:
            return
        try:
            image.seek(page + 1)
        except (EOFError, OSError):
            image.seek(0)
            return


def read(file: BinaryIO, max_pixels: int) -> tuple[Image.Image, bytes | None, int]:
    """The picture in `file`, its ICC profile and its orientation as EXIF counts it.

    Raises `DecodeError` without the extra or above `max_pixels`, and tifffile's own errors.
    """
    try:
        import tifffile
    except ImportError:
        raise needs_extra("a TIFF of an unusual layout", "tiff") from None
    file.seek(0)
    with tifffile.TiffFile(file) as opened:
        pages: list[Any] = list(islice(opened.pages, _PAGES))
        page = next((page for page in pages if not page.subfiletype & _SMALLER), pages[0])
        refuse_above(max_pixels, page.imagewidth, page.imagelength)
        image = _image(page, page.asarray(maxworkers=1))
        profile = page.tags.get(34675)
        orientation = page.tags.get(274)
    return (
        image,
        None if profile is None else bytes(profile.value),
        1 if orientation is None else int(orientation.value),
    )


def _image(page: Any, values: NDArray[Any]) -> Image.Image:
    height, width, channels = page.imagelength, page.imagewidth, page.samplesperpixel
    if page.planarconfig == 2 and channels > 1:
        values = np.moveaxis(values.reshape(-1, channels, height, width)[0], 0, -1)
    values = values.reshape(-1, height, width, channels)[0]
    if np.iscomplexobj(values):
        raise DecodeError("is a TIFF of complex numbers, which are no picture")
    photometric = int(page.photometric)
    if photometric == _PALETTE:
        palette = np.moveaxis(np.asarray(page.colormap), 0, -1)
        return image_of(palette[values[..., 0]])
    if photometric in (_CIELAB, _ICCLAB):
        return _lab(values[..., :3], signed=photometric == _CIELAB)
    # 10 or 12 bits come in the low ones of 16.
    white = None
    if values.dtype.kind == "f" or values.dtype.itemsize > 2:
        white = _white(values)
    elif page.bitspersample not in (1, 8, 16):
        white = float((1 << page.bitspersample) - 1)
    elif values.dtype.kind == "i":
        white = float(np.iinfo(values.dtype).max)
    clear = bool(page.extrasamples) and int(page.extrasamples[0]) in _ALPHA
    if photometric == _CMYK:
        inks = image_of(values[..., :4], white)
        return Image.frombytes("CMYK", inks.size, inks.tobytes())
    colours = 1 if photometric in (_MINISWHITE, _MINISBLACK) else 3
    image = image_of(values[..., : colours + clear], white)
    if photometric == _MINISWHITE:
        return image.point(lambda level: 255 - level)
    return image


def _white(values: NDArray[Any]) -> float:
    """What stands for white where the numbers do not say."""
    if values.dtype.kind != "f" and values.max() > _WHITES[-1]:
        return float(np.iinfo(values.dtype).max)
    largest = float(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).max())
    return next((white for white in _WHITES if largest <= white), largest)


def _lab(values: NDArray[Any], *, signed: bool) -> Image.Image:
    """Lightness and two colours as Pillow has them: the latter from 0, with 128 for grey.

    In 16 bits of the unsigned kind a lightness of 100 is 0xFF00.
    """
    if values.dtype.itemsize == 2:
        deep = values.astype(np.uint16)
        if signed:
            colours = (deep[..., 1:].astype(np.int16) >> 8).astype(np.uint8)
            light = np.rint(deep[..., :1] / 257).astype(np.uint8)
        else:
            colours = (deep[..., 1:] >> 8).astype(np.uint8)
            light = np.rint(np.minimum(deep[..., :1] / 256, 255)).astype(np.uint8)
        values = np.concatenate([light, colours], axis=-1)
    levels = np.ascontiguousarray(values.astype(np.uint8))
    if not signed:
        levels[..., 1:] ^= 128
    # Pillow's raw mode is that of the file, with signs.
    return Image.frombytes("LAB", (levels.shape[1], levels.shape[0]), levels.tobytes())
