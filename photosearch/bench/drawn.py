"""Pictures to index where there are no photos yet: as large as a phone's, and as hard to decode."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_WIDTH, _HEIGHT = 4000, 3000
# In steps of 256. With it a JPEG is as large as a phone's; without, a tenth.
_GRAIN = 6.0


def draw(folder: Path, count: int = 12) -> list[str]:
    """Write `count` JPEGs of 12 megapixels: soft patches of colour, with grain as of a sensor."""
    from PIL import Image

    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    grain = random.normal(0, _GRAIN, (_HEIGHT, _WIDTH, 1)).astype(np.float32)
    paths = []
    for number in range(count):
        patches = random.integers(30, 226, (15, 20, 3), dtype=np.uint8)
        soft = Image.fromarray(patches).resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC)
        pixels = np.asarray(soft, np.float32) + np.roll(grain, number * 997, axis=1)
        path = folder / f"drawn-{number:02}.jpg"
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=90)
        paths.append(str(path))
    return paths
