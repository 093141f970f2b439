"""What the networks of a reinforcement are computed on."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def available(wanted: Sequence[str]) -> tuple[str, ...]:
    """The devices of these names, or all GPUs; () for what each network takes by itself.

    Raises `ValueError` naming a device that is not there.
    """
    if not wanted:
        return tuple(f"cuda:{number}" for number in range(torch.cuda.device_count()))
    for name in wanted:
        try:
            device = torch.device(name)
        except RuntimeError:
            raise ValueError(f"--device {name}: must be cpu, cuda:0 and so on") from None
        number = device.index or 0
        if device.type not in ("cpu", "cuda") or (
            device.type == "cuda" and number >= torch.cuda.device_count()
        ):
            raise ValueError(f"--device {name}: PyTorch finds no such device here")
    return tuple(wanted)


def is_gpu(device: str) -> bool:
    return device != "cpu"
