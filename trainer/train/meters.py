"""What a run measures of itself while it goes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from trainer.train.processes import Processes


class Meters:
    """Means over the steps since they were last asked for, and over processes.

    Sums stay on the device: to read one at every step would make the device wait.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, values: Mapping[str, Tensor]) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(value)) + value.detach()
        self._count += 1

    def state(self) -> dict[str, Any]:
        """The sums so far, for a checkpoint in the middle of a row; called by all processes."""
        if not self._count:
            return {}
        sums = torch.stack([value.double() for value in self._sums.values()])
        if self._processes.count > 1:
            # Each will go on from the mean, which has the same mean.
            dist.all_reduce(sums)
            sums /= self._processes.count
        return {"sums": dict(zip(self._sums, sums.tolist(), strict=True)), "count": self._count}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        device = self._processes.device
        self._count = state.get("count", 0)
        self._sums = {
            name: torch.tensor(value, device=device)
            for name, value in state.get("sums", {}).items()
        }

    def means(self) -> dict[str, float]:
        sums = torch.stack([value.double() for value in self._sums.values()]) / self._count
        if self._processes.count > 1:
            dist.all_reduce(sums)
            sums /= self._processes.count
        means = dict(zip(self._sums, sums.tolist(), strict=True))
        self._sums, self._count = {}, 0
        return means


class Clock:
    """Seconds spent in all, and items a second since last read."""

    def __init__(self, spent: float, step: int) -> None:
        self._spent, self._started = spent, time.monotonic()
        self._last_time, self._last_step = self._started, step

    def read(self, step: int, batch: int) -> tuple[float, float]:
        now = time.monotonic()
        speed = (step - self._last_step) * batch / max(now - self._last_time, 1e-9)
        self._last_time, self._last_step = now, step
        return self.spent(), speed

    def spent(self) -> float:
        """Seconds in all."""
        return self._spent + time.monotonic() - self._started
