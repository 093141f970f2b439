"""How far a text tower agrees with the sentence encoder whose space it was taught."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from trainer.evaluate.retrieval import Figure


def text_agreement(ours: ArrayLike, teachers: ArrayLike) -> Figure:
    """The mean cosine between two encoders' unit-norm embeddings (n, d) of the same n >= 2 texts.

    The interval is the normal approximation, mean +- 1.96 standard errors, over texts. Chance is
    the mean cosine between one encoder's embedding of a text and the other's of another text: what
    a tower would reach that knows the space but not which text it was given.

    Raises `ValueError` when the two are not of one space, or fewer than two texts are given.
    """
    # A mean over 100,000 texts loses digits in float32.
    mine, theirs = np.asarray(ours, np.float64), np.asarray(teachers, np.float64)
    if mine.shape != theirs.shape:
        raise ValueError(
            f"the text tower gives {mine.shape} and the sentence encoder {theirs.shape} "
            "(texts, dimension); compare with the encoder whose space the bundle was trained in"
        )
    count = len(mine)
    if count < 2:
        raise ValueError("text agreement needs at least two texts")
    cosines = (mine * theirs).sum(1)
    error = 1.96 * cosines.std(ddof=1) / np.sqrt(count)
    mean = cosines.mean()
    # The sum over all pairs is the product of the two sums; the pairs of a text with itself go.
    chance = (mine.sum(0) @ theirs.sum(0) - cosines.sum()) / (count * (count - 1))
    return Figure("cosine", float(mean), float(mean - error), float(mean + error), float(chance))
