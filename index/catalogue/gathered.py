"""Some photos' vectors, taken out of an index, to compare them with any query."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Gathered:
    """The photos `ids` (n,), rising, with their vectors (n, d).

    `frames` are those of the videos among them, (m, d), and `owners` (m,) says whose each is by its
    place in `ids`.
    """

    def __init__(
        self,
        ids: NDArray[np.int64],
        vectors: NDArray[np.float32],
        owners: NDArray[np.int64],
        frames: NDArray[np.float32],
    ) -> None:
        self.ids = ids
        self._vectors, self._owners, self._frames = vectors, owners, frames

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """The score (n,) of each with `query` (d,): of a video its nearest frame's."""
        # Not `@`: BLAS would wake its threads, which takes longer where other programs keep them.
        scores: NDArray[np.float32] = np.einsum("nd,d->n", self._vectors, query)
        if len(self._owners):
            np.maximum.at(scores, self._owners, np.einsum("nd,d->n", self._frames, query))
        return scores
