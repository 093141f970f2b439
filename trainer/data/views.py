"""Views of a photo that frozen classifiers look at, when heads on them are taught.

A view is a few numbers, drawn from the photo's key, and the same whenever it is needed. (Those that
a student is shown are of `trainer.reinforce.augment`.)
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class View:
    """A crop in fractions of the photo, a mirror flag, and a resolution to degrade to.

    `left`, `top`, `width` and `height` lie in [0, 1]. `short_side` in pixels is the resolution
    that the crop is shrunk to before it is resized to the network's input; 0 leaves it alone.
    """

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0
    flip: bool = False
    short_side: int = 0

    def replay(self, photo: Image.Image, size: int) -> Image.Image:
        """Cut this view out of `photo` (RGB) and squash it to `size` x `size` pixels."""
        columns, rows = photo.size
        box = (
            self.left * columns,
            self.top * rows,
            (self.left + self.width) * columns,
            (self.top + self.height) * rows,
        )
        if self.short_side:
            wide, high = box[2] - box[0], box[3] - box[1]
            scale = self.short_side / min(wide, high)
            if scale < 1.0:
                small = (max(1, round(wide * scale)), max(1, round(high * scale)))
                photo = photo.resize(small, Image.Resampling.BICUBIC, box=box)
                box = (0, 0, *small)
        view = photo.resize((size, size), Image.Resampling.BICUBIC, box=box)
        return view.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if self.flip else view


WHOLE = View()


def draw_view(key: str, index: int, *, degrade: bool = False) -> View:
    """View number `index` of the photo called `key`; number 0 is the whole photo.

    Others are random resized crops (area 0.35 to 1, aspect 3/4 to 4/3) with a mirror half of the
    time. With `degrade`, odd numbers keep the whole photo and lose resolution instead, so that a
    teacher's head learns how its features look on small pictures.
    """
    if index == 0:
        return WHOLE
    digest = hashlib.sha256(f"{key}:{index}".encode()).digest()
    random = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    flip = bool(random.random() < 0.5)
    if degrade and index % 2:
        return View(flip=flip, short_side=int(random.integers(64, 200)))
    area = random.uniform(0.35, 1.0)
    aspect = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
    width = min(1.0, math.sqrt(area * aspect))
    height = min(1.0, math.sqrt(area / aspect))
    left, top = random.uniform(0, 1 - width), random.uniform(0, 1 - height)
    return View(left, top, width, height, flip)
