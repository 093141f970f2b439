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


def tokenizer_facts(tokenizer: Any) -> Any:
    """What determines the ids that a tokenizer of open_clip or of transformers gives a text."""
    if isinstance(getattr(tokenizer, "encoder", None), dict):  # CLIP's own byte pairs
        return [tokenizer.encoder, tokenizer.context_length]
    length = getattr(tokenizer, "context_length", None)
    inner = getattr(tokenizer, "tokenizer", tokenizer)
    facts = json.loads(inner.backend_tokenizer.to_str())
    # These two are set anew by each call.
    del facts["padding"], facts["truncation"]
    return [facts, length]
