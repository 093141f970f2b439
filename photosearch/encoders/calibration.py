"""How large a cosine must be before a photo shows what a text describes: a model's calibration.

Cosines of different texts do not compare. "A dog running" lies near half of all photos and "coins"
near none, so a cosine that is little for the one is much for the other. A bundle may therefore hold
the vectors of some hundred ordinary photos, its background. How well they fit a text on average
(the logarithm of the mean of exp(scale * cosine), over scale) is what any photo would give, and

    log likelihood ratio = slope * cosine - weight * background(text) + offset

says how many times likelier a photo that shows it is to have that cosine than one that does not.
Among more photos the best by chance is better, so what the best must have grows with their number.
The numbers were fitted on labelled photos by `photosearch-trainer calibrate`.

Models that were trained with a sigmoid, as SigLIP, learned such a line themselves: scale * cosine +
bias are the logarithmic odds that a text belongs to a photo, as rare as such pairs were in their
training. They need no background, and of the best photo only a probability that mere chance does
not give.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from photosearch.errors import BundleError

BACKGROUND = "background.npy"
# How many photos `floor` is meant for.
PHOTOS = 100


# Of models trained with a sigmoid: by which factor, as a logarithm, others may be less likely than
# the best; and how many times likelier the best must be than any photo would be.
_LESS_LIKELY = 4.0
_LIKELIER = 30
# In the training of published ones, one pair in some 30,000 belonged together.
_PUBLISHED_BATCH = 30_000

Cosine = TypeVar("Cosine", float, NDArray[np.float64])


@dataclass(frozen=True)
class Calibration:
    """What tells from a text's vector which cosines mean that a photo shows it.

    background: unit vectors (n, d) of ordinary photos.
    floor: the log likelihood ratio that the best of 100 photos must have, or nothing is found.
    growth: how much more it must have for each e-fold of photos; measured between `sizes`, and
    taken as constant beyond.
    gap: how far below the best photo's cosine another may lie and still be found.
    slack: how much less than the best photo must have is enough for the others, once it has it.
    """

    background: NDArray[np.float32]
    scale: float
    slope: float
    weight: float
    offset: float
    floor: float
    growth: float
    sizes: tuple[int, int]
    gap: float
    slack: float = 0.0

    def fit_of_background(self, texts: NDArray[np.float32]) -> NDArray[np.float64]:
        """How well the background fits each unit vector (n, d): (n,), in the unit of cosines."""
        return background_fit(texts, self.background, self.scale)

    def log_ratio(
        self, texts: NDArray[np.float32], cosines: NDArray[np.floating[Any]]
    ) -> NDArray[np.float64]:
        """The log likelihood ratios (n, m) of the cosines (n, m) of n texts with m photos."""
        usual = self.weight * self.fit_of_background(texts) - self.offset
        return np.asarray(self.slope * cosines - usual[:, None], np.float64)

    def floor_among(self, photos: int) -> float:
        """The log likelihood ratio that the best of so many photos must have."""
        fewest, most = self.sizes
        return self.floor + self.growth * math.log(min(max(photos, fewest), most) / PHOTOS)

    def least(self, text: NDArray[np.float32], photos: int) -> float:
        """The cosine with the unit vector `text` (d,) that the best of so many photos must have."""
        usual = self.weight * float(self.fit_of_background(text[None])[0]) - self.offset
        return (self.floor_among(photos) + usual) / self.slope

    def cutoff(self, text: NDArray[np.float32], best: float, photos: int) -> float:
        """The cosine from which on photos are found, when `best` is the largest of so many.

        It lies above `best` when nothing is found.
        """
        return self.held_to(self.least(text, photos), best)

    def held_to(self, least: float, best: float) -> float:
        """As `cutoff`, where what the best photo must have is known."""
        return least if best < least else max(self.lowest(least), best - self.gap)

    def lowest(self, least: Cosine) -> Cosine:
        """The cosine that any photo must have, where the best must have `least`."""
        return least - self.slack / self.slope


def background_fit(
    texts: NDArray[np.float32], background: NDArray[np.float32], scale: float
) -> NDArray[np.float64]:
    """log(mean(exp(scale * cosines))) / scale over the background, for each text: (n,)."""
    # For one text BLAS would wake its threads, which takes longer where other programs keep them.
    few = len(texts) == 1
    cosines = np.einsum("nd,md->nm", texts, background) if few else texts @ background.T
    exponents = cosines.astype(np.float64) * scale
    largest = exponents.max(axis=1, keepdims=True)
    mean = np.exp(exponents - largest).mean(axis=1)
    return np.asarray((largest[:, 0] + np.log(mean)) / scale)


def read_calibration(folder: Path, manifest: dict[str, Any], dim: int) -> Calibration | None:
    """The calibration of the bundle in `folder`; None when it has none, or one of another kind.

    Raises `BundleError` when its background is no table of vectors of length `dim`.
    """
    said = manifest["calibration"]
    if said and said.get("kind") == "sigmoid":
        return _learned(said, dim)
    if not said or said.get("kind") != "background":
        return None
    path = folder / BACKGROUND
    try:
        background = np.load(path, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise BundleError(f"{path}: cannot be read ({error}); fetch the bundle again") from None
    if background.ndim != 2 or background.shape[1] != dim or not len(background):
        raise BundleError(
            f"{path}: holds {background.shape}, not vectors of {dim} numbers; fetch the bundle "
            "again"
        )
    return read_numbers(said, background)


def read_numbers(said: dict[str, Any], background: NDArray[np.floating[Any]]) -> Calibration:
    """The calibration of these numbers, by their names in bundle.json, and of these vectors."""
    background = background.astype(np.float32)
    norms = np.linalg.norm(background, axis=1, keepdims=True)  # float16 took a little of them
    numbers = {key: float(said[key]) for key in ("scale", "slope", "weight", "offset")}
    return Calibration(
        background / np.maximum(norms, 1e-12),
        **numbers,
        floor=float(said["floor"]),
        growth=float(said["growth"]),
        sizes=(int(said["sizes"][0]), int(said["sizes"][1])),
        gap=float(said["gap"]),
        slack=float(said.get("slack", 0.0)),
    )


def numbers_of(calibration: Calibration) -> dict[str, Any]:
    """What `read_numbers` reads again, beside the background."""
    return {
        each.name: getattr(calibration, each.name)
        for each in fields(calibration)
        if each.name != "background"
    }


def sigmoid_calibration(scale: float, bias: float, batch: int = _PUBLISHED_BATCH) -> dict[str, Any]:
    """What bundle.json says of a model that learned `scale` and `bias` with a sigmoid.

    Of the `batch` texts that a photo was compared with in training, one belonged to it.
    """
    least = min(0.5, _LIKELIER / batch)
    return {"kind": "sigmoid", "scale": scale, "bias": bias, "least": least}


def _learned(said: dict[str, Any], dim: int) -> Calibration:
    """The calibration of a model that was trained with a sigmoid."""
    scale, least = float(said["scale"]), float(said["least"])
    return Calibration(
        np.zeros((1, dim), np.float32),
        scale=1.0,
        slope=scale,
        weight=0.0,
        offset=float(said["bias"]),
        floor=math.log(least / (1 - least)),
        growth=0.0,
        sizes=(PHOTOS, PHOTOS),
        gap=_LESS_LIKELY / scale,
    )
