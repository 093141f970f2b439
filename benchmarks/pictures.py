"""Photos for the benchmarks: crops of the real pictures that scikit-image ships."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

PHONE = (4000, 3000)
_NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")


def write_photos(
    folder: Path, count: int, *, grain: float = 0.0, size: tuple[int, int] = PHONE
) -> None:
    """Write `count` JPEGs, by default of 12 megapixels, each a different crop.

    `grain` is the standard deviation of noise such as a sensor adds, in steps of 256.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    tile = random.normal(0, grain, (size[1] + 256, size[0] + 256, 1)).astype(np.float32)
    for number, (_, crop) in enumerate(crops(count, size)):
        if grain:
            down, across = random.integers(0, 256, 2)
            noise = tile[down : down + size[1], across : across + size[0]]
            grainy = np.asarray(crop, np.float32) + noise
            crop = Image.fromarray(np.clip(grainy, 0, 255).astype(np.uint8))
        crop.save(folder / f"photo-{number:03}.jpg", quality=90)


def crops(count: int, size: tuple[int, int]) -> Iterator[tuple[str, Image.Image]]:
    """`count` different crops of a few pictures, of one size, each with its picture's name.

    Raises `SystemExit` without scikit-image.
    """
    found = find_spec("skimage")
    if found is None or found.origin is None:
        raise SystemExit("the benchmarks need scikit-image's pictures: pip install scikit-image")
    data = Path(found.origin).parent / "data"
    pictures = [(Path(name).stem, Image.open(data / name).convert("RGB")) for name in _NAMES]
    for number in range(count):
        name, picture = pictures[number % len(pictures)]
        width, height = picture.size
        inset = 2 * (number // len(pictures))
        yield name, picture.resize(size, box=(inset, inset, width - inset, height - inset))
