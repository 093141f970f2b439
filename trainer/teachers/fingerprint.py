"""One digest for everything that determines what a frozen model answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def fingerprint(facts: Mapping[str, Any], tensors: Mapping[str, Tensor] | None = None) -> str:
    """The sha256, in hex, of JSON-like `facts` and of `tensors`: names, types, shapes and values.

    The order of either mapping does not count, nor the device that a tensor is on.
    """
    sha = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, tensor in sorted((tensors or {}).items()):
        values = tensor.detach().cpu().contiguous()
        sha.update(json.dumps([name, str(values.dtype), list(values.shape)]).encode())
        sha.update(values.reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()
