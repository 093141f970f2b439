"""Pixels of any colour space to sRGB, by LittleCMS through Pillow."""

from __future__ import annotations

import io
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

# Longer ones are no profile of a picture; those of presses take 4 MB.
_LONGEST = 16 << 20
# So many of the last profiles are remembered with what is done about them.
_REMEMBERED = 32
# Levels of 255 by which a profile's colours may differ from sRGB's and count as sRGB's.
_ALIKE = 1
# A profile's names of spaces, and the mode of the pixels that it is for.
_MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK", b"Lab ": "LAB"}


def to_srgb(image: Image.Image, profile: bytes | None, side: int) -> Image.Image:
    """`image` in sRGB, of whose pixels the ICC `profile` tells the colours; None where none does.

    What has to be converted comes smaller than it was, its short side no less than `side` where it
    has as much. What is sRGB comes as it is, and so does what a damaged profile, or one of another
    kind of pixels, belongs to: the photo is worth more than its colours.
    """
    # CMYK and grey without a profile are left to whoever makes RGB of them.
    if profile is None and image.mode != "LAB":
        return image
    try:
        return _converted(image, profile, side)
    except Exception:  # LittleCMS and Pillow raise what they like
        return image


@lru_cache(1)
def srgb_profile() -> bytes:
    """The ICC profile of sRGB, for what is written."""
    from PIL import ImageCms

    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Without the time when it was made, and the hash over that (ICC.1:2010, 7.2.1): the same photo
    # gives the same bytes.
    return made[:24] + bytes(12) + made[36:84] + bytes(16) + made[100:]


def _converted(image: Image.Image, profile: bytes | None, side: int) -> Image.Image:
    # The header names the space of the pixels.
    space = b"" if profile is None or len(profile) > _LONGEST else profile[16:20]
    if not _fits(image, space):
        if image.mode != "LAB":
            return image
        profile, space = None, b"Lab "
    mode = _MODES[space]
    transform = _transform(profile, mode)
    if transform is None and mode == "LAB":
        transform = _transform(None, mode)
    if transform is None:
        return image
    # With a palette or a colour that is clear, pixels are what they mean only now.
    clear = image.has_transparency_data
    image = image.convert("RGBA") if clear else _as(image, mode)
    factor = min(image.size) // side if side else 1
    if factor > 1:
        image = image.reduce(factor)
    converted: Image.Image = transform.apply(_as(image, mode))
    if clear:
        converted.putalpha(image.getchannel("A"))
    return converted


def _fits(image: Image.Image, space: bytes) -> bool:
    """Whether a profile of `space` can be that of this picture's pixels."""
    if space == b"RGB ":
        return image.mode not in ("CMYK", "LAB", "F", "I")
    if space == b"GRAY":
        return image.mode in ("L", "LA", "La", "I;16", "I;16L", "I;16B", "1")
    return (space, image.mode) in ((b"CMYK", "CMYK"), (b"Lab ", "LAB"))


def _as(image: Image.Image, mode: str) -> Image.Image:
    if image.mode == mode:
        return image
    if image.mode.startswith("I;16"):
        import numpy as np

        values = (np.asarray(image).astype(np.uint32) + 128) // 257
        image = Image.fromarray(values.astype(np.uint8))
    return image.convert(mode)


@lru_cache(_REMEMBERED)
def _transform(profile: bytes | None, mode: str) -> ImageCmsTransform | None:
    """What makes sRGB of pixels of `mode`; None where they are sRGB, or nothing can be done."""
    from PIL import ImageCms

    try:
        source = ImageCms.createProfile("LAB") if profile is None else io.BytesIO(profile)
        transform = ImageCms.ImageCmsTransform(
            ImageCms.ImageCmsProfile(source),
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    if mode not in ("RGB", "L"):
        return transform
    samples = _samples(mode)
    changed = ImageChops.difference(transform.apply(samples), samples.convert("RGB"))
    most = max(changed.tobytes())
    return None if most <= _ALIKE else transform


@lru_cache(2)
def _samples(mode: str) -> Image.Image:
    """Colours of all of the cube, or all greys."""
    if mode == "L":
        return Image.linear_gradient("L")
    steps = range(0, 256, 17)
    data = bytes(level for colour in product(steps, repeat=3) for level in colour)
    return Image.frombytes("RGB", (16, 256), data)
