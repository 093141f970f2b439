"""Nucleus sampling (arXiv 1904.09751, section 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor


def nucleus_sample(logits: Tensor, uniform: Tensor, top_p: float) -> Tensor:
    """One token (n,) for each row of `logits` (n, vocabulary), by `uniform` (n,) in [0, 1).

    Tokens are drawn among the likeliest ones whose probabilities together reach `top_p`. The
    randomness comes from outside, so that a row's token depends on nothing but its own row.
    """
    chances, tokens = torch.softmax(logits.double(), dim=-1).sort(
        dim=-1, descending=True, stable=True
    )
    reached = chances.cumsum(dim=-1)
    # A token belongs to the nucleus while those before it have not yet reached top_p.
    chances = torch.where(reached - chances < top_p, chances, 0.0)
    reached = chances.cumsum(dim=-1)
    wanted = uniform.to(reached)[:, None] * reached[:, -1:]
    place = torch.searchsorted(reached, wanted, right=True)
    last = (chances > 0).sum(dim=-1, keepdim=True) - 1
    return tokens.gather(1, torch.minimum(place, last)).squeeze(1)
