"""From a picture file to the pixels that the network takes. Runs in worker processes."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from photosearch.encoders.preprocess import Preprocess

# 256 megapixels take 768 MB as RGB; the largest phone sensors have 200.
MAX_PIXELS = 256_000_000

# Longer sides in relation to the short one are cut before scaling where the model crops anyway.
_STRIP = 16

# Only these are tried, whatever the suffix says: Pillow knows dozens more, some of which hand the
# file to other programs.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF")

# What undoes each EXIF orientation; 1 is upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {_UPRIGHT[orientation] for orientation in (5, 6, 7, 8)}


class DecodeError(Exception):
    """A file cannot be used as a picture; the message is the reason, without the path.

    `passing`: the reason lies outside the file, so the same bytes may be readable another day.
    """

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


@dataclass(frozen=True)
class Decoded:
    """pixels: uint8 (S, S, 3); width and height of the whole picture as seen, in pixels."""

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str


def prepare_decoders() -> None:
    """Teach Pillow HEIC, and leave the size limit to `decode`. Called once a process."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None
    # Pillow warns of odd metadata that it then copes with; a worker has nobody to tell.
    warnings.simplefilter("ignore")


def decode(path: str, preprocess: Preprocess) -> Decoded:
    """Read the picture at `path`, upright, first frame; the file is opened for reading only.

    Raises `DecodeError` with the reason when it cannot be read.
    """
    try:
        with open(path, "rb") as file, Image.open(file, formats=_FORMATS) as image:
            return _decode(image, preprocess)
    except DecodeError:
        raise
    except FileNotFoundError:
        raise DecodeError("disappeared while it was being indexed", passing=True) from None
    except PermissionError:
        raise DecodeError("may not be read; check its permissions", passing=True) from None
    except UnidentifiedImageError:
        raise DecodeError(_unknown(path)) from None
    except MemoryError:
        raise DecodeError("needs more memory than there is", passing=True) from None
    # On damaged files the decoders raise whatever their parsing tripped over.
    except Exception as error:
        # Only what the system says of the file has a number: a disk or a network that fails.
        passing = isinstance(error, OSError) and error.errno is not None
        # In one line: some decoders end theirs with a line break.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DecodeError(f"cannot be decoded ({reason})", passing=passing) from error


def _decode(image: Image.Image, preprocess: Preprocess) -> Decoded:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DecodeError(
            f"has {width * height / 1e6:.0f} megapixels; the limit is {MAX_PIXELS / 1e6:.0f}"
        )
    kind = image.format or "unknown"
    # A JPEG decoder can shrink by 2, 4 or 8 on the way, at a fraction of the cost. Twice the
    # network's size is left for the resize filter, so the pixels hardly differ.
    side = 2 * preprocess.settings.size
    image.draft("RGB", (side, side))
    image.load()
    # Asked after loading, in which Pillow turns a TIFF upright by itself.
    turn = _UPRIGHT.get(_orientation(image))
    if turn in _SIDEWAYS:
        width, height = height, width
    pixels = preprocess.pixels(_seen(image if turn is None else image.transpose(turn), preprocess))
    return Decoded(pixels, width, height, kind)


def _seen(image: Image.Image, preprocess: Preprocess) -> Image.Image:
    """The middle of a long strip, where the network is shown no more than a square of it.

    Bringing the short side of a whole strip up to size would make a gigantic picture.
    """
    short, long = sorted(image.size)
    if preprocess.settings.crop != "center" or long <= _STRIP * short:
        return image
    # The same parity keeps the middle where it is.
    kept = _STRIP * short + (long - _STRIP * short) % 2
    first = (long - kept) // 2
    wide = image.width > image.height
    box = (first, 0, first + kept, short) if wide else (0, first, short, first + kept)
    return image.crop(box)


def _unknown(path: str) -> str:
    if not os.path.getsize(path):
        return "is empty"
    return "is not a picture in a known format, or is damaged"


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # bad metadata never stops a photo
        return 1
    return value if isinstance(value, int) else 1
