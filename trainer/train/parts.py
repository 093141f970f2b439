"""The parts of the batches of a training run, prepared in processes of their own."""

from __future__ import annotations

import io
import multiprocessing
import pickle
import signal
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from trainer.data.photo_tars import PhotoTarError
from trainer.orphans import end_with_parent
from trainer.train.task import Batch, Share, Task


class Parts(Dataset[Batch | Exception]):
    """The parts of each step's batch that one process computes, in order.

    An error about the data is handed over as it is: raised in a worker, its message would be
    buried in a traceback.
    """

    def __init__(
        self, task: Task, start: int, stop: int, parts: int, rank: int, shares: int
    ) -> None:
        self._task, self._start, self._stop = task, start, stop
        self._parts, self._rank, self._shares = parts, rank, shares

    def __len__(self) -> int:
        return (self._stop - self._start) * self._parts

    def __getitem__(self, index: int) -> Batch | Exception:
        step, part = divmod(index, self._parts)
        share = Share(self._rank * self._parts + part, self._shares)
        try:
            return self._task.batch(self._start + step, share)
        except (ValueError, PhotoTarError) as error:
            return error

    def __getstate__(self) -> bytes:
        state = io.BytesIO()
        _WorkerPickler(state, pickle.HIGHEST_PROTOCOL).dump(self.__dict__)
        return state.getvalue()

    def __setstate__(self, state: bytes) -> None:
        self.__dict__.update(pickle.loads(state))  # noqa: S301 - of this very process

    def loader(self, workers: int, *, pinned: bool = False) -> DataLoader[Batch | Exception]:
        """Prepares all of them ahead in `workers` processes, or with 0 in this one when asked."""
        context = None
        if workers and "forkserver" in multiprocessing.get_all_start_methods():
            # A fork of this process would have the locks of its threads, and wait for them for
            # ever. That of a process which has only read modules starts as quickly.
            multiprocessing.set_forkserver_preload([__name__, "trainer.train.reinforced"])
            context = "forkserver"
        return DataLoader(
            self,
            batch_size=None,
            num_workers=workers,
            pin_memory=pinned,
            multiprocessing_context=context,
            worker_init_fn=_start_worker,
            # Its own generator: the loader draws a seed for workers that must not disturb ours.
            generator=torch.Generator().manual_seed(0),
        )


class _WorkerPickler(ForkingPickler):
    """Leaves behind what a worker needs no copy of.

    Networks become None, for batches are made without them, and arrays that lie on disk are opened
    anew.
    """

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, nn.Module):
            return type(None), ()
        if isinstance(value, np.memmap) and not isinstance(value.base, np.ndarray):
            return np.memmap, (value.filename, value.dtype, "r", value.offset, value.shape)
        return NotImplemented


def _start_worker(number: int) -> None:
    # Whoever ends the run may end the whole group of processes: its last step waits for batches.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    # PyTorch's own watch looks at the parent's number, which here is that of the server.
    end_with_parent()
