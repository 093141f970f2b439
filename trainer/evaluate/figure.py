"""One measured value with what it takes to read it: its 95% interval and its chance line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Equal vectors may differ in the last bits of their scores, since a matrix product sums in another
# order at the edge of a block. Differences below this are ties.
TIE = 1e-6


@dataclass(frozen=True)
class Figure:
    """One measured value, its 95% interval, and what random ranking would give.

    Recalls and accuracies are shares in [0, 1]; ranks start from 1.
    """

    name: str
    value: float
    low: float
    high: float
    chance: float


def percentiles(values: NDArray[Any]) -> tuple[float, float]:
    """The 95% interval of resampled values."""
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def share_interval(value: float, resampled: NDArray[Any], units: int) -> tuple[float, float]:
    """The 95% interval of a share in [0, 1] from its bootstrap over `units` independent units.

    Resampling cannot show that there is doubt when every unit fails, or none. The exact
    (Clopper-Pearson) bound can.
    """
    bound = 0.025 ** (1 / units)
    if value == 0:
        return 0.0, 1 - bound
    if value == 1:
        return bound, 1.0
    low, high = percentiles(resampled)
    # The least of several shares is lower in most resamples than in the data.
    return min(low, value), max(high, value)
