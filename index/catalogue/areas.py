"""A part of the Earth between two latitudes and two longitudes."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray


class Area(Struct, frozen=True):
    """Degrees north and east, edges included.

    `south` is at most `north`. Where `west` is greater than `east` the area crosses the date line.
    """

    south: float
    west: float
    north: float
    east: float

    @property
    def width(self) -> float:
        """Degrees from west to east."""
        return self.east - self.west if self.west <= self.east else self.east - self.west + 360

    @property
    def centre(self) -> tuple[float, float]:
        """Degrees north and east of its middle."""
        east = self.west + self.width / 2
        return (self.south + self.north) / 2, east - 360 if east > 180 else east

    def where(self) -> tuple[str, list[Any]]:
        """A condition on `latitude` and `longitude` in SQL, and its parameters."""
        either = "AND" if self.west <= self.east else "OR"
        # The date line has two numbers.
        on_it = "OR abs(longitude) = 180" if 180 in (-self.west, self.east) else ""
        return (
            f"latitude BETWEEN ? AND ? AND (longitude >= ? {either} longitude <= ? {on_it})",
            [self.south, self.north, self.west, self.east],
        )

    def holds(self, north: NDArray[np.float64], east: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of these points (n,) lie in it, in degrees north and east."""
        after, before = east >= self.west, east <= self.east
        between = after & before if self.west <= self.east else after | before
        if 180 in (-self.west, self.east):
            between |= np.abs(east) == 180
        return (north >= self.south) & (north <= self.north) & between
