"""The exponential moving average of a model's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Average:
    """`model` is a copy in evaluation mode whose weights follow those of the model trained.

    The decay rises from 0.1 to `decay` as min(decay, (1 + n) / (10 + n)), with n the number of
    steps before, so that the random start does not linger. Batch statistics are averaged too. With
    a decay of 0 the copy always equals the original.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False).eval()
        self._decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move towards `model`, after optimiser step number `step` (from 0)."""
        weight = 1 - min(self._decay, (1 + step) / (10 + step))
        ours, theirs = self.model.state_dict(), model.state_dict()
        floats = [name for name, value in theirs.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [ours[name] for name in floats], [theirs[name] for name in floats], weight
        )
        for name in theirs.keys() - set(floats):
            ours[name].copy_(theirs[name])
