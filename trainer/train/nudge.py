"""Stored views, shown a little different each time: a student of few photos shall learn no pixels.

Each is cut to 90 to 100 percent of its sides, mirrored half of the time, and made up to a fifth
brighter or darker, of more or less contrast and colour: the teacher, which has seen the stored view
alone, would hardly place it elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from trainer.reinforce.augment import Augmentation

_SMALLEST = 0.9
_STRONGEST = 0.2
_LIGHT = ("Brightness", "Contrast", "Color")


def nudge(view: Augmentation, random: Generator) -> tuple[Augmentation, bool]:
    """`view` nudged, and whether it is to be mirrored in the end, which no stored view is."""
    sides = np.array([view.height, view.width])
    kept = np.maximum(1, np.rint(sides * random.uniform(_SMALLEST, 1.0, 2))).astype(int)
    top, left = (random.random(2) * (sides - kept + 1)).astype(int)
    height, width = kept
    light = zip(_LIGHT, random.uniform(-_STRONGEST, _STRONGEST, len(_LIGHT)).tolist(), strict=True)
    nudged = replace(
        view,
        top=view.top + int(top),
        left=view.left + int(left),
        height=int(height),
        width=int(width),
        operations=(*view.operations, *light),
    )
    return nudged, bool(random.random() < 0.5)
