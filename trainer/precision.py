"""bfloat16 or float32, whichever is faster here.

Where a processor has no instructions for bfloat16 it is computed by way of float32, many times
slower; and where it has them, what a network is made of decides which of the two wins. So both are
tried on the work itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]

_ROUNDS = 3


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device itself computes in bfloat16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def fastest(work: Callable[[], object], device: torch.device) -> tuple[Precision, float | None]:
    """The precision in which `work` takes less time, and how many times less.

    `work` is done four times in each, the first time not counted. Where bfloat16 cannot be had it
    is float32 by how much nobody knows, None.
    """
    if not has_bfloat16(device):
        return "float32", None
    seconds = {}
    for precision, half in (("float32", False), ("bfloat16", True)):
        try:
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
                rounds = [_timed(work, device) for _ in range(_ROUNDS + 1)]
        except (RuntimeError, NotImplementedError):
            if not half:
                raise
            return "float32", None
        seconds[precision] = min(rounds[1:])
    gain = seconds["float32"] / max(seconds["bfloat16"], 1e-9)
    return ("bfloat16", gain) if gain > 1 else ("float32", 1 / gain)


def _timed(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    begun = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begun
