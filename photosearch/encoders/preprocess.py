"""From a picture to network input, as the model bundle says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
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


class Preprocess(Struct, frozen=True):
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
        return math.ceil(_SHRUNK * max(self.settings.shape))

    def pixels(self, image: Image) -> NDArray[np.uint8]:
        """A picture of any mode and size to uint8 (S, S, 3), or (H, W, 3) as the settings say."""
        return self.square(self.scaled(image))

    def scaled(self, image: Image) -> Image:
        """A picture of any mode and size to RGB, with one side of S pixels, or both."""
        from PIL.Image import Resampling

        settings = self.settings
        height, width = settings.shape
        resample = Resampling[settings.interpolation.upper()]
        rgb = to_rgb(image)
        if settings.resize == "squash":
            return rgb.resize((width, height), resample)
        if settings.resize == "longest":
            return rgb.resize(_inside(rgb.size, (width, height)), resample)
        longest = _LONGEST * min(rgb.size)
        rgb = _middle(rgb, (longest, longest))
        return rgb.resize(_shortest(rgb.size, (width, height)), resample)

    def square(self, scaled: Image) -> NDArray[np.uint8]:
        """What `scaled` gave, cut or filled up to uint8 (S, S, 3)."""
        height, width = self.settings.shape
        return np.array(_filled(_middle(scaled, (width, height)), (width, height), self._fill))

    @property
    def _fill(self) -> tuple[int, int, int]:
        return (self.settings.fill,) * 3

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


def _middle(image: Image, longest: tuple[int, int]) -> Image:
    """The middle of a picture, width and height cut to `longest` at most."""
    width, height = map(min, image.size, longest)
    if (width, height) == image.size:
        return image
    # Rounds halves to even, as torchvision's CenterCrop does.
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))


def _filled(image: Image, size: tuple[int, int], fill: tuple[int, int, int]) -> Image:
    """A picture in the middle of one of width and height `size`, which it is no larger than."""
    if image.size == size:
        return image
    import PIL.Image

    canvas = PIL.Image.new("RGB", size, fill)
    canvas.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return canvas


def _shortest(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int]:
    """Width and height that just cover `target`.

    Of squares the other side is cut down to whole pixels, as torchvision's Resize does; of others
    it is rounded, as open_clip does.
    """
    width, height = size
    across, down = target
    if across == down:
        if width <= height:
            return across, int(across * height / width)
        return int(down * width / height), down
    scale = min(width / across, height / down)
    return max(across, round(width / scale)), max(down, round(height / scale))


def _inside(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int]:
    """Width and height that just fit into `target`."""
    scale = max(size[0] / target[0], size[1] / target[1])
    return max(1, round(size[0] / scale)), max(1, round(size[1] / scale))
