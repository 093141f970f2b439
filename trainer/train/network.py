"""A task's forward pass as one module, and in several processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from trainer.train.processes import Processes
from trainer.train.task import Outputs, Task


class TaskNetwork(nn.Module):
    """What DistributedDataParallel wants: a module whose forward pass is all."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.model = task.model
        self._embed = task.embed

    def forward(self, inputs: Any) -> Outputs:
        return self._embed(self.model, inputs)


def in_processes(network: nn.Module, processes: Processes) -> nn.Module:
    """`network`, whose gradients are exchanged with the other processes if there are any."""
    if processes.count == 1:
        return network
    devices = [processes.device] if processes.device.type == "cuda" else None
    return DistributedDataParallel(network, device_ids=devices, gradient_as_bucket_view=True)


def synchronised(model: nn.Module) -> None:
    """Let batch normalisation use the statistics of all processes' parts; on CUDA only."""
    from trainer.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    # PyTorch's own would take the activation away from timm's layers that have one.
    from timm.layers.norm_act import convert_sync_batchnorm

    convert_sync_batchnorm(model)


@contextmanager
def in_full(*, tf32: bool) -> Iterator[None]:
    """No TF32 in here: similarities times a hundred would be off by a tenth."""
    if tf32:
        torch.set_float32_matmul_precision("highest")
    yield
    if tf32:
        torch.set_float32_matmul_precision("high")
