"""All pairs of vectors that are alike, without comparing each with each in full."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_BLOCK, _ACROSS = 2048, 8192
# Directions in which photos are first compared, and how many photos these are found on.
_HEAD, _SAMPLE = 32, 20_000
# Where a larger share of the pairs of a block is left, comparing all of it is quicker.
_SHARE = 0.02


def pairs(vectors: NDArray[np.float16], similarity: float) -> Iterator[tuple[int, int, float]]:
    """All pairs of vectors (n, d) that are similar enough, the most similar of each block first.

    Each as the rows of both, the smaller one first, and their cosine.

    Two vectors are no nearer to each other than in the few directions in which photos differ most,
    and there nearly all pairs are too far apart already. Only the others are compared in full.
    """
    if not len(vectors):
        return
    unit = vectors.astype(np.float32)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    left, right = _heads(unit)
    # Half the square of the distance, negative, with what float32 may round.
    nearest = similarity - 1 - 1e-4
    for start in range(0, len(unit), _BLOCK):
        rows, columns, values = [], [], []
        for first in range(start, len(unit), _ACROSS):
            block, across = slice(start, start + _BLOCK), slice(first, first + _ACROSS)
            found = np.flatnonzero(left[block] @ right[across].T >= nearest)
            width = len(unit[across])
            row, column = start + found // width, first + found % width
            # Of each pair the one that comes first looks for the other.
            row, column = row[row < column], column[row < column]
            if len(row) > _BLOCK * _SHARE * width:
                cosine = (unit[block] @ unit[across].T)[row - start, column - first]
            else:
                cosine = np.einsum("nd,nd->n", unit[row], unit[column])
            kept = cosine >= similarity
            rows.append(row[kept])
            columns.append(column[kept])
            values.append(cosine[kept])
        row, column, cosine = (np.concatenate(part) for part in (rows, columns, values))
        for place in np.lexsort((column, row, -cosine)):
            yield int(row[place]), int(column[place]), float(cosine[place])


def _heads(unit: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two tables (n, h) whose products are minus half the square of the distance of two photos.

    Only that in the directions in which they differ most, so of no pair more than that of the two.
    """
    apart = unit - unit.mean(axis=0)
    some = apart[:: -(-len(apart) // _SAMPLE) or 1]
    _, directions = np.linalg.eigh(some.T @ some)
    heads = apart @ directions[:, -_HEAD:]
    half = (heads * heads).sum(axis=1, keepdims=True) / 2
    ones = np.ones_like(half)
    return np.hstack([heads, -half, ones]), np.hstack([heads, ones, -half])
