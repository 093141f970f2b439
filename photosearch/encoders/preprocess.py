"""From a picture to network input, as the model bundle says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders.bundle import ImageSettings

# Pillow is imported where a picture is at hand, so that a text search does without it.
if TYPE_CHECKING:
    from PIL.Image import Image

# A picture longer than this many times its width is first cut to its middle: scaled whole, a strip
# one pixel high would take gigabytes, and the square in its middle is all that is used.
_LONGEST = 16
# Of the network's size. Of the 3,000 rows that photos of phones have, an eighth is enough for 256.
_SHRUNK = 1.45


@dataclass(frozen=True)
class Preprocess:
    """Two stages: pixels, small enough to send between processes, and then network input.

    Equal to torchvision's Resize, CenterCrop, ToTensor and Normalize on PIL images.
    """

    settings: ImageSettings

    @property
    def side(self) -> int:
        """The short side of a picture that a decoder may shrink to and no further.

        The rest is left for the resize filter, so that the pixels hardly differ from those of the
        whole picture.
        """
        return math.ceil(_SHRUNK * self.settings.size)

    def pixels(self, image: Image) -> NDArray[np.uint8]:
        """A picture of any mode and size to uint8 (S, S, 3)."""
        return self.square(self.scaled(image))

    def scaled(self, image: Image) -> Image:
        """A picture of any mode and size to RGB, with a short side of S pixels, or all S by S."""
        from PIL.Image import Resampling

        settings = self.settings
        size, resample = settings.size, Resampling[settings.interpolation.upper()]
        rgb = to_rgb(image)
        if settings.resize == "squash":
            return rgb.resize((size, size), resample)
        rgb = _middle(rgb, _LONGEST * min(rgb.size))
        return rgb.resize(_shortest(rgb.size, size), resample)

    def square(self, scaled: Image) -> NDArray[np.uint8]:
        """What `scaled` gave, cut to uint8 (S, S, 3)."""
        return np.array(_middle(scaled, self.settings.size))

    def normalise(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pixels uint8 (n, S, S, 3) to network input float32 (n, 3, S, S)."""
        mean = np.asarray(self.settings.mean, np.float32)
        std = np.asarray(self.settings.std, np.float32)
        # (x / 255 - mean) / std as one multiplication and one subtraction over the batch, in place:
        # half of the time goes into moving memory.
        rows = pixels.transpose(0, 3, 1, 2)
        out = np.empty(rows.shape, np.float32)
        np.multiply(rows, (np.float32(1 / 255) / std)[:, None, None], out=out)
        out -= (mean / std)[:, None, None]
        return out


def to_rgb(image: Image) -> Image:
    """Any mode to RGB: transparency on white, deep greys brought down to 8 bits."""
    import PIL.Image

    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return PIL.Image.fromarray(_grey(image)).convert("RGB")
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        canvas = PIL.Image.new("RGBA", image.size, "white")
        return PIL.Image.alpha_composite(canvas, image.convert("RGBA")).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _grey(image: Image) -> NDArray[np.uint8]:
    """The values (height, width) of a 16-bit, 32-bit or float picture, from black 0 to white 255.

    Modes I and F do not say which value is white: it is taken for the least of 1 (in F), 255 and
    65535 that no value exceeds, or else for the largest value.
    """
    values = np.nan_to_num(np.asarray(image, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    largest = float(values.max())
    whites = {"I": (255.0, 65535.0), "F": (1.0, 255.0, 65535.0)}.get(image.mode, (65535.0,))
    white = next((white for white in whites if white >= largest), largest)
    scaled: NDArray[np.float32] = np.rint(np.clip(values * (255.0 / white), 0, 255))
    return scaled.astype(np.uint8)


def _middle(image: Image, longest: int) -> Image:
    """The middle of a picture, each side cut to `longest` at most."""
    width, height = (min(side, longest) for side in image.size)
    if (width, height) == image.size:
        return image
    # Rounds halves to even, as torchvision's CenterCrop does.
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))


def _shortest(size: tuple[int, int], target: int) -> tuple[int, int]:
    """Width and height with the shorter side at `target`, cut down to whole pixels."""
    width, height = size
    if width <= height:
        return target, int(target * height / width)
    return int(target * width / height), target
