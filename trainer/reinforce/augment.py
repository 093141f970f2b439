"""Augmentations stored as a few numbers, so that teacher and student see the same picture.

RandomResizedCrop, then RandAugment (arXiv 1909.13719) with the operations and the strengths of
torchvision, as in MobileCLIP (arXiv 2311.17049, section 3.1); no mirroring. Everything that decides
the pixels is fixed here: the crop is in pixels of the upright photo, cut before it is resized with
Pillow's bicubic filter; shear, translation and rotation take the nearest pixel and fill with black.

Example::

    settings = AugmentSettings()
    augmentation = draw("photo-1", 0, photo.size, settings)
    view = replay(photo, augmentation, 224)
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image, ImageEnhance, ImageOps

# Part of the digest of the settings: to be raised when the same numbers come to mean other pixels.
_REVISION = 1
_BINS = 31
_CROP_ATTEMPTS = 10


def _shear_x(image: Image.Image, slope: float) -> Image.Image:
    return _affine(image, (1, slope, 0, 0, 1, 0))


def _shear_y(image: Image.Image, slope: float) -> Image.Image:
    return _affine(image, (1, 0, 0, slope, 1, 0))


def _translate_x(image: Image.Image, fraction: float) -> Image.Image:
    return _affine(image, (1, 0, -_pixels(fraction * image.width), 0, 1, 0))


def _translate_y(image: Image.Image, fraction: float) -> Image.Image:
    return _affine(image, (1, 0, 0, 0, 1, -_pixels(fraction * image.height)))


def _affine(image: Image.Image, inverse: tuple[float, ...]) -> Image.Image:
    return image.transform(
        image.size, Image.Transform.AFFINE, inverse, Image.Resampling.NEAREST, fillcolor=0
    )


def _pixels(distance: float) -> int:
    # Cut towards zero, as torchvision does. 45 / 224 * 224 must be 45 and not 44, hence the nudge.
    return int(round(distance, 6))


# Each takes a picture and the signed magnitude that is stored. The order is torchvision's, and so
# are the numbers by which DataCompDR names them.
_OPERATIONS: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "Identity": lambda image, _: image,
    "ShearX": _shear_x,
    "ShearY": _shear_y,
    "TranslateX": _translate_x,
    "TranslateY": _translate_y,
    "Rotate": lambda image, degrees: image.rotate(degrees, Image.Resampling.NEAREST),
    "Brightness": lambda image, change: ImageEnhance.Brightness(image).enhance(1 + change),
    "Color": lambda image, change: ImageEnhance.Color(image).enhance(1 + change),
    "Contrast": lambda image, change: ImageEnhance.Contrast(image).enhance(1 + change),
    "Sharpness": lambda image, change: ImageEnhance.Sharpness(image).enhance(1 + change),
    "Posterize": lambda image, bits: ImageOps.posterize(image, int(bits)),
    "Solarize": lambda image, threshold: ImageOps.solarize(image, threshold),  # type: ignore[arg-type]
    "AutoContrast": lambda image, _: ImageOps.autocontrast(image),
    "Equalize": lambda image, _: ImageOps.equalize(image),
}
OPERATIONS = tuple(_OPERATIONS)

# The strongest magnitude of the operations that go both ways.
_SIGNED = {
    "ShearX": 0.3,
    "ShearY": 0.3,
    # torchvision's 150 of 331 pixels, kept as a fraction: a view may be replayed at any size.
    "TranslateX": 150 / 331,
    "TranslateY": 150 / 331,
    "Rotate": 30.0,
    "Brightness": 0.9,
    "Color": 0.9,
    "Contrast": 0.9,
    "Sharpness": 0.9,
}


@dataclass(frozen=True)
class Augmentation:
    """One augmented view of one photo.

    The crop is in whole pixels of the upright photo. operations: names of `OPERATIONS` in the order
    of their application, each with its signed magnitude: a slope for shear, a fraction of the
    view's side for translation, degrees for rotation, the change of a factor of 1 for brightness,
    color, contrast and sharpness, the bits kept by posterize, solarize's threshold.
    """

    top: int
    left: int
    height: int
    width: int
    operations: tuple[tuple[str, float], ...] = ()

    def to_json(self) -> list[Any]:
        """`[[top, left, height, width], [[name, magnitude], ...]]`."""
        crop = [self.top, self.left, self.height, self.width]
        return [crop, [[name, magnitude] for name, magnitude in self.operations]]

    @classmethod
    def from_json(cls, value: Any) -> Augmentation:
        """Raises `ValueError` when `value` is not what `to_json` gives."""
        try:
            (top, left, height, width), operations = value
            pairs = tuple((name, float(magnitude)) for name, magnitude in operations)
            found = cls(int(top), int(left), int(height), int(width), pairs)
        except (TypeError, ValueError):
            raise ValueError(f"not the parameters of an augmentation: {value!r}") from None
        unknown = [name for name, _ in pairs if name not in _OPERATIONS]
        if unknown or min(found.top, found.left) < 0 or min(found.height, found.width) < 1:
            raise ValueError(f"not the parameters of an augmentation: {value!r}")
        return found


@dataclass(frozen=True, kw_only=True)
class AugmentSettings:
    """How augmentations are drawn.

    crop_scale: smallest and largest share of the photo's area; crop_ratio: of width to height.
    randaugment_ops: how many operations follow the crop; magnitude: their strength, 0 to 30.
    whole_first: view 0 is the whole photo, squashed to a square, without operations.
    """

    crop_scale: tuple[float, float] = (0.08, 1.0)
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    randaugment_ops: int = 2
    magnitude: int = 9
    whole_first: bool = False

    def __post_init__(self) -> None:
        low, high = self.crop_scale
        if not 0 < low <= high <= 1:
            raise ValueError(f"crop scale {low} to {high}: need 0 < MIN <= MAX <= 1")
        low, high = self.crop_ratio
        if not 0 < low <= high:
            raise ValueError(f"crop ratio {low} to {high}: need 0 < MIN <= MAX")
        if not 0 <= self.magnitude < _BINS or self.randaugment_ops < 0:
            raise ValueError(
                f"RandAugment with {self.randaugment_ops} operations of magnitude "
                f"{self.magnitude}: need 0 or more, of magnitude 0 to {_BINS - 1}"
            )

    @property
    def digest(self) -> str:
        """sha256 in hex; changes whenever the same photo would get other views."""
        text = json.dumps({"revision": _REVISION, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> AugmentSettings:
        pairs = {name: tuple(value[name]) for name in ("crop_scale", "crop_ratio")}
        return cls(**value | pairs)


def draw(
    key: str,
    index: int,
    source_size: tuple[int, int],
    settings: AugmentSettings,
    *,
    seed: int = 0,
) -> Augmentation:
    """View number `index` of the photo `key`: a pure function of the arguments.

    source_size: width and height of the upright photo in pixels.
    """
    width, height = source_size
    if settings.whole_first and index == 0:
        return Augmentation(0, 0, height, width)
    digest = hashlib.sha256(f"{seed}:{index}:{key}".encode()).digest()
    # Only `random()` is promised to give the same numbers in every version of Python; NumPy
    # promises it of none of its distributions.
    uniform = random.Random(int.from_bytes(digest, "big")).random  # noqa: S311
    crop = _draw_crop(uniform, width, height, settings)
    operations = tuple(
        _draw_operation(uniform, settings.magnitude) for _ in range(settings.randaugment_ops)
    )
    return Augmentation(*crop, operations)


def replay(image: Image.Image, augmentation: Augmentation, size: int) -> Image.Image:
    """The view, `size` x `size` pixels, of the upright RGB photo `image`.

    Raises `ValueError` when the crop does not lie in `image`.
    """
    top, left = augmentation.top, augmentation.left
    bottom, right = top + augmentation.height, left + augmentation.width
    if bottom > image.height or right > image.width:
        raise ValueError(
            f"the crop ends at ({right}, {bottom}), outside the picture's "
            f"{image.width} x {image.height} pixels"
        )
    # Cut first, as torchvision does: `resize(box=...)` would let the filter see what lies beyond.
    view = image.crop((left, top, right, bottom))
    view = view.resize((size, size), Image.Resampling.BICUBIC)
    for name, magnitude in augmentation.operations:
        view = _OPERATIONS[name](view, magnitude)
    return view


def _draw_crop(
    uniform: Callable[[], float], width: int, height: int, settings: AugmentSettings
) -> tuple[int, int, int, int]:
    """Top, left, height and width, by the rule of torchvision's RandomResizedCrop."""
    smallest, largest = settings.crop_scale
    narrow, wide = settings.crop_ratio
    for _ in range(_CROP_ATTEMPTS):
        area = width * height * (smallest + (largest - smallest) * uniform())
        ratio = math.exp(math.log(narrow) + (math.log(wide) - math.log(narrow)) * uniform())
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return int(uniform() * (height - h + 1)), int(uniform() * (width - w + 1)), h, w
    # The photo is too long or too tall: its middle, with the nearest ratio that is allowed.
    w, h = width, height
    if width / height < narrow:
        h = max(1, round(width / narrow))
    elif width / height > wide:
        w = max(1, round(height * wide))
    return (height - h) // 2, (width - w) // 2, h, w


def _draw_operation(uniform: Callable[[], float], magnitude: int) -> tuple[str, float]:
    """An operation and its signed magnitude, from torchvision's augmentation space."""
    name = OPERATIONS[int(uniform() * len(OPERATIONS))]
    strength = magnitude / (_BINS - 1)
    if name in _SIGNED:
        value = _SIGNED[name] * strength
        return name, -value if uniform() < 0.5 else value
    if name == "Posterize":
        return name, float(8 - round(4 * strength))
    return name, 255.0 * (1 - strength) if name == "Solarize" else 0.0
