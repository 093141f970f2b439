"""The processes of one training run, as torchrun launches them, and the device of each.

    torchrun --nproc-per-node 8 -m trainer train recipe.toml --out runs/s0

Without torchrun there is one process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

# The first process evaluates while the others wait for it at the next step.
_PATIENCE = timedelta(hours=1)


@dataclass(frozen=True)
class Processes:
    """This process's place among `count` of them, and its device."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes, evaluates and reports."""
        return self.rank == 0


ALONE = Processes(0, 1, torch.device("cpu"))


def device_of(device: str) -> torch.device:
    """The device that "cpu", "cuda" or "auto" (CUDA where there is any) names.

    Raises `ValueError` when CUDA is asked for and not there.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError('device "cuda": PyTorch finds no CUDA device here')
    cuda = device != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if cuda else "cpu")


@contextmanager
def joined(device: str = "auto") -> Iterator[Processes]:
    """Take this process's place, and leave it at the end.

    `device` is "cpu", "cuda", or "auto": CUDA where there is any. Processes talk over NCCL on CUDA
    and over gloo on the CPU.

    Raises `ValueError` when CUDA is asked for and not there, or has too few devices.
    """
    cuda = device_of(device).type == "cuda"
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if cuda and local >= torch.cuda.device_count():
        raise ValueError(
            f"process {local} of this machine has no CUDA device of its own; "
            f"give torchrun --nproc-per-node {torch.cuda.device_count()}"
        )
    place = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(place)
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(0, 1, place)
        return
    dist.init_process_group("nccl" if cuda else "gloo", timeout=_PATIENCE)
    try:
        yield Processes(dist.get_rank(), count, place)
    finally:
        dist.destroy_process_group()
