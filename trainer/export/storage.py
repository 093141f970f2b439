"""Smaller weights: int8 token tables and float16 towers, computed with in float32.

Storage only: the arithmetic stays float32, which is the fastest on most CPUs, and the same network
can be run in PyTorch, so an export is compared with exactly what it stores.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Smaller tables are position tables and the like; nothing is to be gained from them.
_LEAST_ROWS = 1024
# Biases, norms and layer scales stay float32: they are few, and layer scales of 1e-5 lie where
# float16 has hardly a digit left.
_LEAST_VALUES = 1024


class QuantizedEmbedding(nn.Module):
    """An `nn.Embedding` whose rows are int8, with one float scale each (symmetric, to +-127).

    Token ids (...) int64 -> vectors (..., dim) float32. Only the rows asked for are widened, so the
    table is small in memory too.
    """

    table: Tensor
    scale: Tensor

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        weight = embedding.weight.detach().float()
        scale = weight.abs().amax(dim=1, keepdim=True) / 127
        scale[scale == 0] = 1  # a row of zeros, such as a padding row, stays one
        self.register_buffer("table", (weight / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)

    def forward(self, ids: Tensor) -> Tensor:
        return F.embedding(ids, self.table).float() * F.embedding(ids, self.scale)


def quantize_embeddings(module: nn.Module) -> int:
    """Replace every token table inside `module` by its int8 form, in place; return how many."""
    replaced = 0
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Embedding) and child.num_embeddings >= _LEAST_ROWS:
                setattr(parent, name, QuantizedEmbedding(child))
                replaced += 1
    return replaced


@torch.no_grad()
def round_to_float16(module: nn.Module) -> None:
    """Round the weight matrices and kernels of `module` to the nearest float16, in place."""
    for parameter in module.parameters():
        if parameter.numel() >= _LEAST_VALUES and sum(size > 1 for size in parameter.shape) >= 2:
            parameter.copy_(parameter.half())
