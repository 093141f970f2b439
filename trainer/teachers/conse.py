"""ConSE: an image's place in a text space, from a classifier's probabilities alone.

Norouzi et al. 2014 (arXiv 1312.5650), equation 1: the convex combination of the class names'
embeddings, weighted by the class probabilities.
"""

from __future__ import annotations

import numpy as np

PROMPT = "a photo of a {}"


def normalise(rows: np.ndarray) -> np.ndarray:
    """Rows (n, d) scaled to unit length, float32; a zero row stays zero."""
    rows = rows.astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def conse(probabilities: np.ndarray, class_embeddings: np.ndarray) -> np.ndarray:
    """Unit-norm float32 (n, d) from probabilities (n, C) and class embeddings (C, d)."""
    return normalise(probabilities.astype(np.float32) @ class_embeddings)
