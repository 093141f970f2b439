"""What a format's decoder gives, and how it says that it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image

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
# 256 megapixels; the largest phone sensors have 200.
MAX_PIXELS = 256_000_000


class DecodeError(Exception):
    """A file cannot be used as a picture; the message is the reason, without the path.

    `passing`: the reason lies outside the file, so the same bytes may be readable another day.
    """

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


@dataclass(frozen=True)
class Asked:
    """A file to read, whose first bytes are `head`, from its beginning.

    `side`: the short side that is wanted; a picture may come smaller than stored, not below this.
    Of a video up to so many `frames` are looked at.
    """

    file: BinaryIO
    head: bytes
    suffix: str
    side: int
    max_pixels: int
    frames: int


@dataclass(frozen=True)
class Picture:
    """An upright image, maybe smaller than the file's, whose own size is `width` by `height`.

    Of a video `frames` are seconds from its beginning and images; the first of them is `image`.
    """

    image: Image.Image
    width: int
    height: int
    format: str
    frames: tuple[tuple[float, Image.Image], ...] = ()


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """`image` as seen, where EXIF's `orientation` says how it is stored."""
    turn = _UPRIGHT.get(orientation)
    return image if turn is None else image.transpose(turn)


def is_sideways(orientation: int) -> bool:
    """Whether width and height of what is stored change places when it is seen."""
    return 5 <= orientation <= 8


def refuse_above(max_pixels: int, width: int, height: int) -> None:
    """Raise `DecodeError` when a picture to decode has more pixels than memory allows."""
    if width * height > max_pixels:
        raise DecodeError(
            f"has {width * height / 1e6:.0f} megapixels; the limit is {max_pixels / 1e6:.0f}"
        )


def needs_extra(called: str, extra: str) -> DecodeError:
    """The reason for a format whose decoder is not installed."""
    return DecodeError(
        f"is {called}, which needs: pip install 'photosearch[{extra}]'", passing=True
    )
