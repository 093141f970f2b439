"""The precision of a run that leaves it to a measurement: a step of its own task, in both."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from trainer.precision import Precision, fastest, has_bfloat16
from trainer.train.processes import Processes
from trainer.train.task import Share, Task, moved

# Items that are tried: enough for the kernels to be those of a whole batch.
_ITEMS = {"cpu": 16, "cuda": 256}


def measured(
    task: Task, network: nn.Module, batch: int, processes: Processes
) -> tuple[Precision, float | None]:
    """The faster precision of a step of `task`, the same for all processes, and how much it gains.

    The network, its statistics and gradients are left as they were.
    """
    device = processes.device
    if not has_bfloat16(device):
        return "float32", None
    limit = min(batch, _ITEMS[device.type])
    # Statistics of a batch need two; a batch that is not to be shared out is tried whole.
    items = next((size for size in range(limit, 1, -1) if batch % size == 0), batch)
    part = moved(task.batch(0, Share(0, batch // items)), device)
    statistics = {name: value.clone() for name, value in network.named_buffers()}
    task.train_mode()

    def step() -> None:
        losses = task.losses([network(part.inputs)], [part.targets])
        losses["loss"].backward()  # type: ignore[no-untyped-call]

    try:
        chosen, gain = fastest(step, device)
    finally:
        network.zero_grad(set_to_none=True)
        with torch.no_grad():
            for name, value in network.named_buffers():
                value.copy_(statistics[name])
    answer: list[Any] = [chosen, gain]
    if processes.count > 1:
        dist.broadcast_object_list(answer, src=0)
    return answer[0], answer[1]
