"""Collecting rows from every process, with the gradient on its way back."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def processes() -> int:
    """The number of processes that train together; 1 when none were launched."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def gather(rows: Tensor) -> Tensor:
    """The rows (b, ...) of all processes, in order of rank: (b * processes, ...).

    Every process must call it with the same shape. Where `rows` needs a gradient, it gets the sum
    of the gradients of all processes' losses ("gather with gradient"); each process must then take
    part in the backward pass too.
    """
    if processes() == 1:
        return rows
    if torch.is_grad_enabled() and rows.requires_grad:
        gathered: Tensor = _Gather.apply(rows)
        return gathered
    return _gather(rows)


def _gather(rows: Tensor) -> Tensor:
    rows = rows.detach().contiguous()
    parts = [torch.empty_like(rows) for _ in range(processes())]
    dist.all_gather(parts, rows)
    return torch.cat(parts)


class _Gather(torch.autograd.Function):
    # torch.distributed.nn has had the same, and deprecates it in favour of private names.
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        return _gather(rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        parts = list(gradients[0].contiguous().chunk(processes()))
        mine = torch.empty_like(parts[0])
        if dist.get_backend() == "nccl":
            dist.reduce_scatter(mine, parts)
            return mine
        # Not every version of the CPU back end can scatter.
        whole = torch.cat(parts)
        dist.all_reduce(whole)
        return whole.chunk(processes())[dist.get_rank()]
