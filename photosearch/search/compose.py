"""Terms to what ranks photos: one vector of what they should show, and others of what not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from index import VectorIndex
from index.catalogue.gathered import Gathered

Vector = NDArray[np.float32]
Ids = NDArray[np.int64]

# A photo is held to show what was ruled out when it is more like it than this many standard
# deviations above what is typical.
_TYPICAL = 1.0
# How much of its likeness beyond that is taken off its score.
_PENALTY = 2.0
# How many photos are looked at to learn what is typical.
SAMPLE = 2048
# Photos whose vectors are taken out of the index at once: some 100 MB.
_AT_ONCE = 65_536


class Composed(Struct, frozen=True):
    """What photos should be like, a unit vector, and what not, unit vectors with their weights."""

    like: Vector
    unlike: tuple[tuple[Vector, float], ...] = ()


def compose(terms: Sequence[tuple[Vector, float]]) -> Composed:
    """Join one or more unit vectors, each with its weight.

    Those with weights above 0 are added up, to length 1. If there are none, photos should be as
    little like the others as they can.
    """
    liked = [(vector, weight) for vector, weight in terms if weight > 0]
    total = np.sum([vector * np.float32(weight) for vector, weight in liked or terms], axis=0)
    like = (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)
    if not liked:
        return Composed(like)
    return Composed(like, tuple((vector, -weight) for vector, weight in terms if weight < 0))


def rank(
    composed: Composed,
    vectors: VectorIndex,
    k: int,
    *,
    among: Ids | None = None,
    typical: Gathered | None,
) -> tuple[NDArray[np.float32], Ids]:
    """Scores (k',) and photo ids (k',) of the best k photos, or as many as there are, best first.

    The score is the cosine with what photos should be like, less a penalty for each thing that
    they should not show and do. `among` limits the ranking to these photos, and the result is the
    true top k of them. `typical` are photos by which to tell what is typical of the library.
    """
    if composed.unlike:
        return _penalised(composed, vectors, k, among, typical)
    scores, ids = vectors.search(composed.like[None], k, among=among)
    return scores[0], ids[0]


def rank_within(
    composed: Composed,
    vectors: VectorIndex,
    least: float,
    gap: float,
    *,
    among: Ids | None = None,
    typical: Gathered | None,
) -> tuple[NDArray[np.float32], Ids]:
    """As `rank`, all whose score is `least` or more, and no more than `gap` below the best."""
    scores, ids = vectors.within(composed.like, least, gap, among=among)
    if not composed.unlike or not len(ids):
        return scores, ids
    total = scores - _penalties(composed, vectors, ids, typical)
    # A penalty only lowers a score; but when the best one falls, more photos are near enough to it.
    needed = max(least, float(total.max()) - gap)
    if needed < float(scores[0]) - gap:
        scores, ids = vectors.within(composed.like, needed, among=among)
        total = scores - _penalties(composed, vectors, ids, typical)
        needed = max(least, float(total.max()) - gap)
    order = np.argsort(-total, kind="stable")
    order = order[total[order] >= needed]
    return total[order].astype(np.float32), ids[order]


def _penalised(
    composed: Composed, vectors: VectorIndex, k: int, among: Ids | None, typical: Gathered | None
) -> tuple[NDArray[np.float32], Ids]:
    """A penalty only lowers a score, so photos are taken in the order of what they are like, until
    those not yet taken, even without any penalty, cannot come before the k-th.
    """
    size = len(vectors) if among is None else min(len(among), len(vectors))
    take = min(size, max(256, 2 * k))
    while True:
        found = vectors.search(composed.like[None], take, among=among)
        scores, ids = found[0][0], found[1][0]
        total = scores - _penalties(composed, vectors, ids, typical)
        # Among equals the one that is more like what was asked for stays first.
        order = np.argsort(-total, kind="stable")
        all_taken = take >= size or len(ids) < take
        if all_taken or total[order[min(k, len(order)) - 1]] >= scores[-1]:
            best = order[:k]
            return total[best].astype(np.float32), ids[best]
        take = min(size, 4 * take)


def _penalties(
    composed: Composed, vectors: VectorIndex, ids: Ids, typical: Gathered | None
) -> NDArray[np.float64]:
    """What is taken off the scores of the photos `ids`, in that order."""
    off = np.zeros(len(ids))
    limits = [_limit(vector, typical) for vector, _ in composed.unlike]
    for start in range(0, len(ids), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        gathered = vectors.gather(ids[part])
        places = np.searchsorted(gathered.ids, ids[part])
        for (vector, weight), limit in zip(composed.unlike, limits, strict=True):
            shown = gathered.scores(vector)[places].astype(np.float64) - limit
            off[part] += _PENALTY * weight * np.maximum(0.0, shown)
    return off


def penalties(composed: Composed, photo: Vector, typical: Gathered | None) -> list[float]:
    """What is taken off the score of a photo, a unit vector, for each thing that was ruled out."""
    return [
        _PENALTY * weight * max(0.0, float(vector @ photo) - _limit(vector, typical))
        for vector, weight in composed.unlike
    ]


def _limit(vector: Vector, typical: Gathered | None) -> float:
    """The cosine with `vector` from which on a photo is held to show what it stands for."""
    if typical is None or not len(typical.ids):
        return 0.0
    scores = typical.scores(vector)
    return float(scores.mean() + _TYPICAL * scores.std())
