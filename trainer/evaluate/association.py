"""WinoGAViL (arXiv 2207.12576): which of several photos go with a cue.

The encoder knows how many do, and picks the photos most like the cue; the score of an instance is
the Jaccard index of what it picks and what people picked.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders import Encoder
from trainer.data.photo_tars import PhotoSample, decode
from trainer.evaluate.figure import TIE, Figure, share_interval

# DataComp reports the instances of 10 and 12 candidates; those of 5 and 6 are easier.
LEAST_CANDIDATES = 10


@dataclass(frozen=True)
class Instance:
    """A cue, its candidate photos, and which of them people associated with it."""

    cue: str
    candidates: tuple[PhotoSample, ...]
    associations: frozenset[int]


def jaccard(encoder: Encoder, instance: Instance) -> float:
    """|picked and right| / |picked or right|, where as many are picked as are right.

    Ties count against the encoder: whatever scores as high as a right photo is picked before it.
    """
    scores = _scores(encoder, instance)
    right = sorted(instance.associations)
    wrong = np.delete(scores, right)
    # The right photos among the first k, when each stands behind its equals among the wrong.
    places = np.array([(wrong >= scores[photo] - TIE).sum() for photo in right])
    places = np.sort(places) + np.arange(len(right))
    hits = int((places < len(right)).sum())
    return hits / (2 * len(right) - hits)


def chance_jaccard(candidates: int, right: int) -> float:
    """The expected Jaccard index of picking `right` of `candidates` at random."""
    ways = comb(candidates, right)
    return sum(
        comb(right, hits)
        * comb(candidates - right, right - hits)
        / ways
        * hits
        / (2 * right - hits)
        for hits in range(right + 1)
        if right - hits <= candidates - right
    )


def jaccard_figure(
    scores: NDArray[np.float64], chances: NDArray[np.float64], *, seed: int = 0
) -> Figure:
    """The mean Jaccard index of instances (n,), with a bootstrap interval over instances."""
    count = len(scores)
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=1000)
    value = float(scores.mean())
    low, high = share_interval(value, draws @ scores / count, count)
    return Figure("Jaccard", value, low, high, float(chances.mean()))


def _scores(encoder: Encoder, instance: Instance) -> NDArray[np.float32]:
    article = "An" if instance.cue[0].lower() in "aeiou" else "A"
    text = encoder.encode_texts([f"{article} {instance.cue.lower()}"])[0]
    images = encoder.encode_images([decode(photo) for photo in instance.candidates])
    scores: NDArray[np.float32] = images @ text
    return scores
