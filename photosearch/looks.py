"""How a picture looks, in grey and in colour, and by how much two pictures differ at their worst.

Vectors say what a picture is of, and screenshots with different texts have nearly the same. Here
the pixels themselves are compared, part by part, so that one changed word is seen. Saving again,
scaling and a little more or less light change no part by much.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

# Pillow is imported where a picture is at hand.
if TYPE_CHECKING:
    from PIL.Image import Image

# Cosines of two photos' vectors from which on they may show the same: at any time, and at once.
NEAR, BURST = 0.97, 0.90
# Cells of a glance, which is kept, in a row and in a column; and of its colours.
CELLS, COLOURS = 64, 8
# Pixels of the longer side of a close look, and the share of the picture's own, beyond which the
# edges of one that was scaled differ.
CLOSE, _SHARE = 512, 0.6
# Squares of so many cells are compared, with so much variance taken for noise.
_GLANCE, _CLOSELY = (3, 30.0), (6, 150.0)
# Differences from which on pictures are not the same; docs/decisions.md has the figures.
_GLANCE_LIMIT, _CLOSE_LIMIT = 0.25, 0.5
# That from which on not even a closer look can find them the same.
_DOUBT = 1.0
# By so much may colours differ, in levels, and in the share of how strong they are.
_COLOUR, _COLOUR_SHARE = 10.0, 0.25
# How much longer, in proportion to the short side, one picture may be: what whole pixels round.
_SHAPE = 0.02
# A picture without any part of this variance shows nothing to compare.
_BLANK = 20.0


class Look(Struct, frozen=True):
    """grey: uint8 (h, w). colour: uint8 (8, 8, 2), blue and red as JPEG has them. Upright.

    shape: width in proportion to height of the whole picture.
    """

    grey: NDArray[np.uint8]
    colour: NDArray[np.uint8]
    shape: float

    def packed(self) -> bytes:
        """A glance as bytes, some 2 kB; fine differences of grey are left out."""
        grey = (self.grey >> 1).astype(np.int8)
        steps = np.diff(grey, axis=1, prepend=np.int8(0))
        head = np.array([self.shape], "<f4").tobytes() + self.colour.tobytes()
        return head + zlib.compress(steps.tobytes(), 1)


def unpacked(packed: bytes) -> Look | None:
    """The glance that `Look.packed` gave; None when the bytes are not one."""
    colours = 2 * COLOURS * COLOURS
    try:
        steps = np.frombuffer(zlib.decompress(packed[4 + colours :]), np.int8)
        grey = steps.reshape(CELLS, CELLS).cumsum(axis=1, dtype=np.int8).view(np.uint8)
        colour = np.frombuffer(packed[4 : 4 + colours], np.uint8).reshape(COLOURS, COLOURS, 2)
    except (zlib.error, ValueError):
        return None
    return Look(grey * np.uint8(2), colour, float(np.frombuffer(packed[:4], "<f4")[0]))


def glance(image: Image, width: int, height: int) -> Look:
    """An upright RGB picture, of `width` by `height` pixels as a whole, in 64 cells by 64."""
    return _look(image, (CELLS, CELLS), width / height)


def closely(image: Image, width: int, height: int) -> Look:
    """The same picture as large as it is compared: with 512 pixels, or less where it has not many
    more.
    """
    longest = min(CLOSE, _SHARE * max(width, height))
    scale = longest / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return _look(image, size, width / height)


def _look(image: Image, size: tuple[int, int], shape: float) -> Look:
    from PIL.Image import Resampling

    # Both filters leave nothing of a larger picture out. The sharper one is for few cells.
    resample = Resampling.HAMMING if size == (CELLS, CELLS) else Resampling.BILINEAR
    grey = image.convert("L").resize(size, resample, reducing_gap=4.0)
    colour = image.resize((COLOURS, COLOURS), Resampling.BOX, reducing_gap=1.01).convert("YCbCr")
    return Look(np.asarray(grey), np.ascontiguousarray(np.asarray(colour)[..., 1:]), shape)


def same_at_a_glance(one: Look, other: Look) -> bool:
    """Whether two glances are of the same picture, as far as they tell: a changed letter is not
    seen, a word is. False for what is blank, or nearly.
    """
    if not _same_shape(one, other) or not _same_colours(one, other):
        return False
    return _difference(one.grey, other.grey, *_GLANCE) < _GLANCE_LIMIT


def may_be_same(one: Look, other: Look) -> bool:
    """Whether only a close look can tell that two glances are not of the same picture."""
    if not _same_shape(one, other) or not _same_colours(one, other):
        return False
    return _difference(one.grey, other.grey, *_GLANCE) < _DOUBT


def same_closely(one: Look, other: Look) -> bool:
    """Whether two close looks are of the same picture. False for what is blank, or nearly."""
    if not _same_shape(one, other) or not _same_colours(one, other):
        return False
    first, second = _as_large(one.grey, other.grey)
    if min(first.shape) < 2 * _CLOSELY[0]:
        return False
    return _difference(first, second, *_CLOSELY) < _CLOSE_LIMIT


def _same_shape(one: Look, other: Look) -> bool:
    return abs(one.shape - other.shape) <= _SHAPE * min(one.shape, other.shape)


def _same_colours(one: Look, other: Look) -> bool:
    first, second = (look.colour.astype(np.float32) - 128 for look in (one, other))
    allowed = _COLOUR + _COLOUR_SHARE * np.maximum(np.abs(first), np.abs(second))
    return bool((np.abs(first - second) <= allowed).all())


def _as_large(
    one: NDArray[np.uint8], other: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Both brought to the size of the smaller one."""
    from PIL import Image

    if one.shape == other.shape:
        return one, other
    if one.size < other.size:
        smaller, larger = one, other
    else:
        smaller, larger = other, one
    height, width = smaller.shape
    scaled = Image.fromarray(larger).resize((width, height), Image.Resampling.BILINEAR)
    return smaller, np.asarray(scaled)


def _difference(one: NDArray[np.uint8], other: NDArray[np.uint8], side: int, noise: float) -> float:
    """How much the squares that differ most differ, in proportion to what is in them.

    0 for equals; about 2 where one has nothing to do with the other. Inf for blank pictures.
    """
    first, second = one.astype(np.float64), other.astype(np.float64)
    deviation, another = first.std(), second.std()
    second *= np.clip(deviation / max(another, 1e-6), 0.75, 1.33)  # more or less contrast
    mean, mean_other = _means(first, side), _means(second, side)
    variance = np.maximum(_means(first * first, side) - mean * mean, 0)
    variance_other = np.maximum(_means(second * second, side) - mean_other * mean_other, 0)
    if min(variance.max(), variance_other.max()) < _BLANK:
        return float("inf")
    together = _means(first * second, side) - mean * mean_other
    apart = variance + variance_other - 2 * together
    return float((apart / ((variance + variance_other) / 2 + noise)).max())


def _means(values: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """The means of all squares of `side` by `side` values."""
    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    means: NDArray[np.float64] = (
        sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    ) / (side * side)
    return means
