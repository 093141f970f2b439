"""Whether one encoder finds the same photos as another, and which of them takes less."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Photos that are looked at on a page before anybody scrolls.
FIRST = 10
_ROUNDS = 5


@dataclass(frozen=True)
class Agreement:
    """same: of the first ten photos that a text finds by the one, the share found by the other.

    cosine: of the vectors of the same picture or text, the median. quicker: how many times the
    processor time of the other the one takes.
    """

    same: float
    cosine: float
    quicker: float


def same_first(
    photos: NDArray[np.floating[Any]],
    texts: NDArray[np.floating[Any]],
    other_photos: NDArray[np.floating[Any]],
    other_texts: NDArray[np.floating[Any]],
) -> float:
    """Of the first `FIRST` photos for each text, the share that two models have in common.

    photos (n, d) and texts (m, d) are unit vectors by the one, the others by the other model.
    """
    first, second = (
        np.argpartition(-(some @ all_.T), min(FIRST, all_.shape[0]) - 1, axis=1)[:, :FIRST]
        for some, all_ in ((texts, photos), (other_texts, other_photos))
    )
    shared = [len(np.intersect1d(one, two)) for one, two in zip(first, second, strict=True)]
    return float(np.mean(shared) / first.shape[1])


def median_cosine(one: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]]) -> float:
    """Of unit vectors (n, d) of the same things."""
    return float(np.median(np.einsum("nd,nd->n", one, other)))


def times_quicker(one: Callable[[], object], other: Callable[[], object]) -> float:
    """The processor time of `one`, divided by that of `other`: the least of some rounds, in turns.

    What else the machine does then makes both slower, and counts for neither.
    """
    spent: Sequence[list[float]] = ([], [])
    for _ in range(_ROUNDS):
        for seconds, run in zip(spent, (one, other), strict=True):
            started = time.process_time()
            run()
            seconds.append(time.process_time() - started)
    return min(spent[0]) / max(min(spent[1]), 1e-9)
