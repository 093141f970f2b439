"""Pictures as a small model would see them, for tests of what decoders make of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from photosearch.encoders import ImageSettings, Preprocess
from photosearch.indexing.decode import Decoded, decode

HALF = (0.5, 0.5, 0.5)
PREPROCESS = Preprocess(ImageSettings(32, "squash", "none", "bicubic", HALF, HALF))


def read(path: Path) -> Decoded:
    return decode(str(path), PREPROCESS)


def distance(decoded: Decoded, image: Image.Image) -> float:
    """Mean absolute difference from the pixels of `image`, of 255."""
    expected = PREPROCESS.pixels(image).astype(np.float64)
    return float(np.abs(decoded.pixels - expected).mean())
