"""The small layer that marks of the user put behind a model's text side.

    vector' = unit(vector + sum over marked queries of like(vector, query) * toward(query))

and, in the same way, how much lower the cut-off lies before it is made a unit vector. `like` falls
from 1, for the marked query itself, to nearly nothing for a query of another meaning, so what was
said of one says little of others. The vectors of photos stay as they are. `photosearch.tuning`
learns it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

_FORM = np.dtype("<f4")


class Layer(Struct, frozen=True):
    """usual: the mean vector of everyday texts (d,): what texts of any meaning have in common.

    reach: how far from a marked query, in cosines of what is not common, its marks are heard: there
    by 1/e. queries: unit vectors (m, d). toward: (m, d), what each pulls texts like it to. easier:
    (m,), by how much the cut-off of texts like it falls, as a cosine.
    """

    usual: Floats
    reach: float
    queries: Floats
    toward: Floats
    easier: Floats

    def adapt(self, texts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts, adapted."""
        moved, lengths, _ = self._moved(texts)
        return np.asarray(moved / lengths[:, None], np.float32)

    def lines(self, texts: NDArray[np.float32], lines: Floats) -> NDArray[np.float64]:
        """The cosines (n,) that photos must have with the adapted texts, for those that they must
        have with the texts (n, d) as they are.
        """
        _, lengths, eased = self._moved(texts)
        # The adapted vector was cut to length 1, and its cosines with it.
        return np.asarray((lines - eased) / lengths, np.float64)

    def _moved(self, texts: Floats) -> tuple[Floats, Floats, Floats]:
        """The sums (n, d), their lengths (n,), and by how much the cut-offs fall (n,)."""
        like = self._like(texts)
        moved = texts + like @ self.toward
        return moved, np.maximum(np.linalg.norm(moved, axis=1), 1e-12), like @ self.easier

    def _like(self, texts: Floats) -> Floats:
        return likeness(texts, self.queries, self.usual, self.reach)

    def to_bytes(self) -> bytes:
        """As one table of float32: a row of what all queries share, and a row for each query."""
        width = len(self.usual)
        rows = np.zeros((1 + len(self.queries), 2 * width + 1), _FORM)
        rows[0, :width], rows[0, -1] = self.usual, self.reach
        rows[1:, :width], rows[1:, width:-1] = self.queries, self.toward
        rows[1:, -1] = self.easier
        return rows.tobytes()

    @classmethod
    def from_bytes(cls, content: bytes, width: int) -> Layer | None:
        """The layer that `to_bytes` wrote, for vectors of this width; None for anything else."""
        size = (2 * width + 1) * _FORM.itemsize
        if not content or len(content) % size:
            return None
        rows = np.frombuffer(content, _FORM).reshape(-1, 2 * width + 1)
        if not np.isfinite(rows).all() or not rows[0, -1] > 0:
            return None
        return cls(
            usual=rows[0, :width],
            reach=float(rows[0, -1]),
            queries=rows[1:, :width],
            toward=rows[1:, width:-1],
            easier=rows[1:, -1],
        )


def likeness(texts: Floats, queries: Floats, usual: Floats, reach: float) -> Floats:
    """How far what was said of each query holds for each text: (n, m), from 0 to 1."""
    ours, theirs = _apart(texts, usual), _apart(queries, usual)
    # Not by BLAS: for one text it would wake its threads.
    cosines = np.einsum("nd,md->nm", ours, theirs) if len(ours) == 1 else ours @ theirs.T
    return np.asarray(np.exp((np.minimum(cosines, 1.0) - 1.0) / reach))


def _apart(vectors: Floats, usual: Floats) -> Floats:
    """Unit vectors of what these texts have not in common with any text."""
    left = vectors - usual
    return np.asarray(left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-12))
