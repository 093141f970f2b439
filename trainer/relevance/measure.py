"""How well scores tell that something is there, and how good the photos are that are returned.

Scores (q, n) may be cosines, or likelihood ratios made of them. Intervals resample queries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders.calibration import Calibration
from trainer.evaluate.calibration import weighted_aurocs
from trainer.evaluate.figure import Figure, percentiles
from trainer.relevance.asked import Asked

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_DRAWS = 5
_RESAMPLES_AT_ONCE = 100


def best_scores(
    asked: Asked, scores: NDArray[np.floating], *, gallery: int, seed: int = 0
) -> tuple[Floats, Floats]:
    """The best score of each query in galleries that hold an answer, and in those without: (q, 5).

    A gallery is that many photos drawn from those that do not show it, and one photo that does is
    added for the first. The draws are the same for any scores.
    """
    rng = np.random.default_rng(seed)
    there, gone = np.empty((len(scores), _DRAWS)), np.empty((len(scores), _DRAWS))
    for query, row in enumerate(scores):
        answers = np.flatnonzero(asked.shown[query])
        others = np.flatnonzero(~asked.shown[query] & ~asked.unsure[query])
        for draw in range(_DRAWS):
            drawn = rng.choice(others, min(gallery, len(others)), replace=False)
            gone[query, draw] = row[drawn].max()
            there[query, draw] = max(gone[query, draw], row[rng.choice(answers)])
    return there, gone


def tells_apart(
    there: list[Floats], gone: list[Floats], *, resamples: int = 1000, seed: int = 0
) -> list[Figure]:
    """The AUROC of each of several scores for the same queries, and the last's lead on the first.

    Every resample draws the same queries for all of them, so the interval of the lead is paired.
    """
    queries, draws = there[0].shape
    rng = np.random.default_rng(seed)

    def at(weights: Floats) -> list[NDArray[np.floating]]:
        every = np.repeat(weights, draws, axis=1)
        return [
            weighted_aurocs(one.ravel(), other.ravel(), every, every)
            for one, other in zip(there, gone, strict=True)
        ]

    values = [float(value[0]) for value in at(np.ones((1, queries)))]
    chunks = []
    for start in range(0, resamples, _RESAMPLES_AT_ONCE):
        size = min(_RESAMPLES_AT_ONCE, resamples - start)
        drawn = rng.multinomial(queries, np.full(queries, 1 / queries), size=size).astype(float)
        chunks.append(at(drawn))
    resampled = [np.concatenate(parts) for parts in zip(*chunks, strict=True)]
    figures = [
        Figure("AUROC", value, *percentiles(many), 0.5)
        for value, many in zip(values, resampled, strict=True)
    ]
    lead = percentiles(resampled[-1] - resampled[0])
    return [*figures, Figure("lead in AUROC", values[-1] - values[0], *lead, 0.0)]


def found_above(asked: Asked, flat: float, gap: float = np.inf) -> Bools:
    """Which photos (q, n) are found when one cosine is the cut-off for all queries."""
    cosines = np.where(asked.unsure, -np.inf, asked.cosines)
    return np.asarray(cosines >= np.maximum(flat, cosines.max(1, keepdims=True) - gap))


def found_by(asked: Asked, calibration: Calibration) -> Bools:
    """Which photos (q, n) are found with the cut-off of each query."""
    cosines = np.where(asked.unsure, -np.inf, asked.cosines)
    usual = calibration.weight * calibration.fit_of_background(asked.texts) - calibration.offset
    floor = calibration.floor_among(len(asked.images))
    least = (floor + usual) / calibration.slope
    cut = [calibration.held_to(*one) for one in zip(least, cosines.max(1), strict=True)]
    return np.asarray(cosines >= np.array(cut)[:, None])


@dataclass(frozen=True)
class Firsts:
    """Right answers that are among the first photos, (m,): each with the best cosine of its query,
    and with the one that the best must have. Queries of which nothing is found do not count.
    """

    right: Floats
    best: Floats
    least: Floats

    @classmethod
    def of(cls, asked: Asked, calibration: Calibration, *, gallery: int, first: int = 10) -> Firsts:
        """Each query is asked of its answers and of `gallery` photos drawn from the others."""
        rng = np.random.default_rng(0)
        rows = []
        for query, cosines in enumerate(asked.cosines):
            answers = np.flatnonzero(asked.shown[query])
            others = np.flatnonzero(~asked.shown[query] & ~asked.unsure[query])
            drawn = np.concatenate([answers, rng.choice(others, min(gallery, len(others)), False)])
            best = np.sort(cosines[drawn])[::-1][:first]
            least = calibration.least(asked.texts[query], len(drawn))
            if best[0] >= least:
                rows += [(one, best[0], least) for one in cosines[answers] if one >= best[-1]]
        return cls(*np.array(rows, np.float64).reshape(-1, 3).T)

    def kept(self, calibration: Calibration) -> float:
        """The share of them that gap and slack leave there."""
        if not len(self.right):
            return 1.0
        cut = np.maximum(calibration.lowest(self.least), self.best - calibration.gap)
        return float((self.right >= cut).mean())


def f1_of(asked: Asked, found: Bools) -> Floats:
    """The F1 of what each query returns: (q,); photos of which it is unsure do not count."""
    right = (found & asked.shown).sum(1)
    return np.asarray(2 * right / np.maximum(found.sum(1) + asked.shown.sum(1), 1))


def mean_f1(asked: Asked, found: Bools) -> float:
    return float(f1_of(asked, found).mean())


def means(values: list[Floats], *, name: str, resamples: int = 1000, seed: int = 0) -> list[Figure]:
    """The mean of each of several measures (q,) of the same queries, and the last's lead."""
    rng = np.random.default_rng(seed)
    queries = len(values[0])
    drawn = rng.multinomial(queries, np.full(queries, 1 / queries), size=resamples) / queries
    resampled = [drawn @ value for value in values]
    figures = [
        Figure(name, float(value.mean()), *percentiles(many), 0.0)
        for value, many in zip(values, resampled, strict=True)
    ]
    lead = float(values[-1].mean() - values[0].mean())
    interval = percentiles(resampled[-1] - resampled[0])
    return [*figures, Figure(f"lead in {name}", lead, *interval, 0.0)]
