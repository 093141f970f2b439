"""Measurements that take turns, so that whatever else the machine does falls on all of them alike.

    seconds = interleave({"ours": run_ours, "theirs": run_theirs}, rounds=5)
    Spread.of(seconds["theirs"] / seconds["ours"])      # one ratio a round, then their median

A ratio is formed within each round, where both sides met the same machine, and only then is the
median taken. A ratio of two medians would compare different moments.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from photosearch.bench.machine import cores
from photosearch.bench.machine import describe_machine as machine

__all__ = ["Spread", "cores", "count", "interleave", "machine", "seconds_a_call"]

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Spread:
    """The median of several rounds, and the quartiles that half of them lie between."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Spread:
        low, median, high = np.percentile(values, (25, 50, 75))
        return cls(float(median), float(low), float(high))

    def __format__(self, spec: str) -> str:
        """`f"{spread:.1f}"` gives "2.1 (2.0-2.3)"."""
        return f"{self.median:{spec}} ({self.low:{spec}}-{self.high:{spec}})"


def interleave(
    runs: Mapping[Key, Callable[[], float]], *, rounds: int
) -> dict[Key, NDArray[np.float64]]:
    """Call each run once a round; the seconds that it returned, as arrays (rounds,).

    Every second round goes backwards, so that none gains from what always runs before it.
    """
    order = list(runs)
    seconds: dict[Key, list[float]] = {key: [] for key in order}
    for number in range(rounds):
        for key in reversed(order) if number % 2 else order:
            seconds[key].append(runs[key]())
    return {key: np.asarray(values, np.float64) for key, values in seconds.items()}


def seconds_a_call(call: Callable[[], object], *, at_least: float = 0.0) -> float:
    """Mean seconds of one call, repeated until `at_least` seconds have passed."""
    started = time.perf_counter()
    calls = 0
    while True:
        call()
        calls += 1
        passed = time.perf_counter() - started
        if passed >= at_least:
            return passed / calls


def count(number: int, noun: str) -> str:
    """`count(2, "core")` is "2 cores"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
