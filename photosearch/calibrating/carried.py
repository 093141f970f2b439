"""A calibration that was fitted on labelled photos, carried to a model of which there are none.

Models differ in how large their cosines are, and how far apart. How these lie for photos and for
texts that mostly do not belong together needs no labels to be seen: around which cosine, how
widely, and how far the text that fits a photo best stands out of it. In the unit of the last the
numbers of one model's calibration say the same of another one's cosines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders.calibration import Calibration, background_fit

Vectors = NDArray[np.floating[Any]]

# Photos that the calibration holds, as that of the bundle that it is carried from.
_BACKGROUND = 512
# The share of a normal distribution that lies more than one deviation below its middle.
_BELOW = 0.1587
# How many times the spread the best text must stand out. Where vectors mean nothing, the best of
# some hundred texts stands out threefold by chance; of real models about fivefold.
_LEAST = 3.6


@dataclass(frozen=True)
class Lie:
    """How the cosines of photos and texts lie: `unit`, how far the best text of a photo stands out
    of what is usual for that text; `noise`, how far the others spread."""

    unit: float
    noise: float

    @classmethod
    def of(cls, photos: Vectors, texts: Vectors) -> Lie:
        """That of unit vectors (n, d) of photos and (m, d) of texts."""
        cosines = photos.astype(np.float32) @ texts.T.astype(np.float32)
        usual = np.median(cosines, axis=0)
        noise = float(np.median(usual - np.quantile(cosines, _BELOW, axis=0)))
        return cls(float(np.median((cosines - usual).max(axis=1))), noise)

    @property
    def means_something(self) -> bool:
        """Whether texts tell photos apart at all."""
        return self.noise > 0 and self.unit >= _LEAST * self.noise


def carried(
    known: Calibration, known_texts: Vectors, photos: Vectors, texts: Vectors
) -> Calibration | None:
    """The calibration `known` of one model, for the model that made `photos` (n, d).

    `known_texts` (m, d) and `texts` (m, d) are vectors of the same descriptions by the two models.
    None when the texts do not tell these photos apart.
    """
    before, now = Lie.of(known.background, known_texts), Lie.of(photos, texts)
    if not now.means_something:
        return None
    by = before.unit / now.unit
    background = _spread(photos, _BACKGROUND).astype(np.float32)
    scale, slope, weight = known.scale * by, known.slope * by, known.weight * by
    # The middle of the texts is to come out as it did: cosines of models lie around another zero.
    middle = known.offset + (known.slope - known.weight) * _middle(
        known_texts, known.background, known.scale
    )
    return replace(
        known,
        background=background,
        scale=scale,
        slope=slope,
        weight=weight,
        offset=middle - (slope - weight) * _middle(texts, background, scale),
        gap=known.gap / by,
    )


def _middle(texts: Vectors, background: Vectors, scale: float) -> float:
    """How well the background fits the texts, on average."""
    return float(background_fit(texts.astype(np.float32), background, scale).mean())


def _spread(vectors: Vectors, most: int) -> Vectors:
    """Up to so many of them, evenly spread."""
    if len(vectors) <= most:
        return vectors
    chosen: Vectors = vectors[np.linspace(0, len(vectors) - 1, most).astype(int)]
    return chosen
