"""How many fewer images one way of training needs than another to come as far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A held-out figure against images seen: images (n,) ascending, recall (n,)."""

    images: Floats
    recall: Floats

    @property
    def best(self) -> float:
        return float(self.recall.max())

    def reached(self, level: float) -> float | None:
        """Images after which `level` was first reached, on a line between evaluations.

        None when it never was.
        """
        above = np.flatnonzero(self.recall >= level)
        if not len(above):
            return None
        here = int(above[0])
        if here == 0:
            return float(self.images[0])
        before, after = self.recall[here - 1 : here + 1]
        part = (level - before) / (after - before)
        start, end = self.images[here - 1 : here + 1]
        return float(start + part * (end - start))


def factor(plain: Curve, other: Curve, *, share: float = 1.0) -> float | None:
    """How many times fewer images `other` needs to reach `share` of the best of `plain`.

    Images that `plain` took, by images that `other` took. None when it never got there.
    """
    level = share * plain.best
    ours, theirs = plain.reached(level), other.reached(level)
    if theirs is None or not theirs:
        return None
    assert ours is not None
    return ours / theirs


@dataclass(frozen=True)
class Factors:
    """One factor a seed; None where a seed never got there."""

    values: tuple[float | None, ...]

    @classmethod
    def of(cls, plain: Sequence[Curve], other: Sequence[Curve], *, share: float = 1.0) -> Factors:
        """Of runs in pairs: those of one seed see the same photos."""
        return cls(tuple(factor(p, o, share=share) for p, o in zip(plain, other, strict=True)))

    @property
    def mean(self) -> float | None:
        """The geometric mean; None unless all seeds got there."""
        known = [value for value in self.values if value is not None]
        return float(np.exp(np.mean(np.log(known)))) if len(known) == len(self.values) else None

    def __str__(self) -> str:
        """As "2.1 (1.8-2.4)", the mean and the extremes."""
        known = [value for value in self.values if value is not None]
        if not known:
            return "not reached"
        spread = f"({min(known):.1f}-{max(known):.1f})"
        if self.mean is None:
            return f"{len(known)} of {len(self.values)} seeds {spread}"
        return f"{self.mean:.1f} {spread}"


def photos_for(level: float, sizes: Sequence[int], bests: Sequence[float]) -> float | None:
    """Distinct photos from which on `level` is reached, on a line over their logarithm.

    sizes ascend; bests: what is reached with each. The least of `sizes` where that is enough, and
    None where none is.
    """
    above = [number for number, best in enumerate(bests) if best >= level]
    if not above:
        return None
    here = above[0]
    if here == 0:
        return float(sizes[0])
    before, after = bests[here - 1 : here + 1]
    start, end = np.log(sizes[here - 1 : here + 1])
    return float(np.exp(start + (end - start) * (level - before) / (after - before)))


def spread(values: Floats) -> str:
    """Shares in percent as "41.2 (40.8-41.9)", the mean and the extremes."""
    percent = 100 * values
    return f"{percent.mean():.1f} ({percent.min():.1f}-{percent.max():.1f})"
