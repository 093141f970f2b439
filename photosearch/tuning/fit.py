"""The layer that fits some marks: logistic regression with a strong pull to no change at all.

A mark says that a photo is to be found by a query, or not. What the layer adds to a photo's score,
in the unit of log odds, is

    sum over marks i of  a_i * like(query, query_i) * (PULL * photo_i . photo + LEVEL)

where photos are taken without what all have in common. Its square norm is what the regression is
penalised by, so each mark moves as little as it must, and only queries like its own: as with
Rocchio's feedback, but weighed by how wrong the model was, and never so far that marks which are
right already are disturbed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photosearch.search.layer import Layer, likeness

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]

REACH, PULL, LEVEL = 0.25, 10.0, 1.0
_ROUNDS = 60
# Marks that are left out one by one; of more, as many groups are.
_FOLDS = 40


@dataclass(frozen=True)
class Ground:
    """What marks are judged against.

    usual: the mean vector of everyday texts; common: of photos of the library, both (d,). slope:
    log odds for a cosine of 1 more. needed: (m,) the cosine that a photo must have, of each mark.
    """

    usual: Vectors
    common: Vectors
    slope: float


@dataclass(frozen=True)
class Marked:
    """Marks: unit vectors (m, d) of query and photo, whether it is right (m,), and the cosine that
    a photo must have to be found by the query (m,)."""

    queries: Vectors
    photos: Vectors
    right: NDArray[np.bool_]
    needed: Floats

    def __len__(self) -> int:
        return len(self.right)

    def take(self, rows: NDArray[np.int64]) -> Marked:
        return Marked(self.queries[rows], self.photos[rows], self.right[rows], self.needed[rows])

    def odds(self, slope: float) -> Floats:
        """By the model alone, the log odds (m,) that each photo is found."""
        cosines = np.einsum("md,md->m", self.queries, self.photos)
        return np.asarray(slope * (cosines - self.needed), np.float64)


def fit(marks: Marked, ground: Ground) -> Layer:
    """The layer that these marks, one at least, give."""
    return _layer(marks, ground, _weights(_kernel(marks, ground), marks, ground.slope))


def unseen(marks: Marked, ground: Ground) -> list[tuple[NDArray[np.int64], Layer]]:
    """Layers that have not seen some of the marks, and which: each mark is among them once."""
    kernel = _kernel(marks, ground)
    start = _weights(kernel, marks, ground.slope)
    found = []
    for rows in np.array_split(np.arange(len(marks)), min(len(marks), _FOLDS)):
        kept = np.delete(np.arange(len(marks)), rows)
        known = marks.take(kept)
        weights = _weights(kernel[np.ix_(kept, kept)], known, ground.slope, start[kept])
        found.append((rows, _layer(known, ground, weights)))
    return found


def _kernel(marks: Marked, ground: Ground) -> Floats:
    apart = (marks.photos - ground.common).astype(np.float64)
    alike = likeness(marks.queries, marks.queries, ground.usual, REACH)
    return np.asarray(alike * (PULL * apart @ apart.T + LEVEL), np.float64)


def _weights(kernel: Floats, marks: Marked, slope: float, start: Floats | None = None) -> Floats:
    """The weights (m,) of the marks, by Newton's method."""
    before, right = marks.odds(slope), marks.right.astype(np.float64)
    weights = np.zeros(len(marks)) if start is None else start
    for _ in range(_ROUNDS):
        added = kernel @ weights
        chance = 1 / (1 + np.exp(-np.clip(before + added, -60, 60)))
        curve = np.maximum(chance * (1 - chance), 1e-4)
        goal = added + (right - chance) / curve
        step = np.linalg.solve(kernel + np.diag(1 / curve), goal) - weights
        # From far away a whole step overshoots.
        step *= min(1.0, 3.0 / max(float(np.abs(kernel @ step).max()), 1e-12))
        weights = weights + step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _layer(marks: Marked, ground: Ground, weights: Floats) -> Layer:
    """Marks of one query are one row of it."""
    queries, row = np.unique(marks.queries, axis=0, return_inverse=True)
    toward = np.zeros(queries.shape)
    np.add.at(toward, row.ravel(), weights[:, None] * (marks.photos - ground.common))
    toward *= PULL / ground.slope
    level = LEVEL / ground.slope * np.bincount(row.ravel(), weights, minlength=len(queries))
    return Layer(
        usual=ground.usual,
        reach=REACH,
        queries=queries,
        toward=toward,
        # Photos come with what all have in common, which the regression has not seen.
        easier=level - toward @ ground.common,
    )
