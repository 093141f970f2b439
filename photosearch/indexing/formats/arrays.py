"""Pictures that come as arrays of numbers, brought to what Pillow can hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def image_of(values: NDArray[Any], white: float | None = None) -> Image.Image:
    """Values (height, width) or (height, width, channels) as an image of 8 bits.

    One to four channels: grey, grey and alpha, RGB, RGBA; of more than four the first three.
    `white` is the value that stands for white, by default the largest of an integer, and 1 of a
    float.
    """
    if values.ndim == 2:
        values = values[..., None]
    if values.shape[-1] > 4:
        values = values[..., :3]
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * 255
    if values.dtype != np.uint8 or white is not None:
        whole = values.dtype.kind in "iu"
        most = white or (float(np.iinfo(values.dtype).max) if whole else 1.0)
        # A row at a time would be slow, and a whole picture in floats takes four times its bytes.
        scaled = np.nan_to_num(values.astype(np.float32)) * np.float32(255 / most)
        values = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    if values.shape[-1] == 1:
        values = values[..., 0]
    return Image.fromarray(np.ascontiguousarray(values))
