"""Being asked to stop: what batch systems do with SIGTERM, some seconds before they kill.

with Stopping(processes) as stopping:
    while not stopping.asked():
        ...
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

import torch
import torch.distributed as dist

from trainer.train.processes import Processes

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """Notes the first SIGTERM or Ctrl-C; the second one ends the process as it always would.

    Signals reach the processes of a run at different times, and one that stopped by itself would
    leave the others waiting for its gradients. So all of them ask each other at every step, over
    the CPU: to ask over CUDA would make the device wait.
    """

    def __init__(self, processes: Processes) -> None:
        self._noted = 0
        self._before: dict[int, Any] = {}
        self._group = dist.new_group(backend="gloo") if processes.count > 1 else None

    def asked(self) -> int:
        """The signal by which any process was asked to stop, or 0; the same in all of them."""
        return self.largest(self._noted)

    def any(self, here: bool) -> bool:
        """Whether it is so in any process; all of them must ask."""
        return bool(self.largest(int(here)))

    def largest(self, number: int) -> int:
        """The largest number that any process gives; all of them must ask."""
        if self._group is None:
            return number
        numbers = torch.tensor(number)
        dist.all_reduce(numbers, dist.ReduceOp.MAX, group=self._group)
        return int(numbers.item())

    def __enter__(self) -> Stopping:
        # Elsewhere Python lets nobody set handlers, and its owner hears the signals.
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
