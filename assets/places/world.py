"""Draws the map of the page from the places: a dot for each, which show where land is.

python assets/places/world.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
MAP = HERE.parents[1] / "photosearch" / "ui" / "static" / "world.webp"
WIDTH, HEIGHT = 720, 360

if __name__ == "__main__":
    with np.load(HERE / "places.npz", allow_pickle=False) as places:
        rows = ((90 - places["latitude"]) / 180 * HEIGHT).astype(int).clip(0, HEIGHT - 1)
        columns = ((places["longitude"] + 180) / 360 * WIDTH).astype(int).clip(0, WIDTH - 1)
    counts = np.zeros((HEIGHT, WIDTH))
    np.add.at(counts, (rows, columns), 1)
    alpha = np.where(counts > 0, 110 + 145 * np.minimum(1, np.log1p(counts) / 3), 0)
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    pixels[..., 3] = alpha.astype(np.uint8)
    Image.fromarray(pixels, "RGBA").save(MAP, "WEBP", lossless=True, method=6)
    print(MAP, MAP.stat().st_size // 1000, "kB")
