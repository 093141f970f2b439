"""Photos of a phone's size, made from the real pictures that scikit-image ships."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from PIL import Image

SIZE = (4000, 3000)
_NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")


def write_photos(folder: Path, count: int) -> None:
    """Write `count` JPEGs of 12 megapixels, each a different crop of a real picture."""
    found = find_spec("skimage")
    if found is None or found.origin is None:
        raise SystemExit("the benchmarks need scikit-image's pictures: pip install scikit-image")
    folder.mkdir(parents=True, exist_ok=True)
    data = Path(found.origin).parent / "data"
    pictures = [Image.open(data / name).convert("RGB") for name in _NAMES]
    for number in range(count):
        picture = pictures[number % len(pictures)]
        width, height = picture.size
        inset = 2 * (number // len(pictures))
        crop = picture.resize(SIZE, box=(inset, inset, width - inset, height - inset))
        crop.save(folder / f"photo-{number:03}.jpg", quality=90)
