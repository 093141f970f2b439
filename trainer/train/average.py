"""The exponential moving average of a model's weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trainer.train.sharded import local, part_like, whole


class Average:
    """Weights that follow those of the model trained.

    The decay rises from 0.1 to `decay` as min(decay, (1 + n) / (10 + n)), with n the number of
    steps before, so that the random start does not linger. Batch statistics are averaged too. With
    a decay of 0 the copy always equals the original.
    """

    def __init__(self, model: nn.Module, decay: float, *, whole: bool = True) -> None:
        """`whole`: keep a model for `gathered`, as the process that evaluates needs it.

        Without it there are no weights before `spread`.
        """
        self._decay = decay
        self._model = copy.deepcopy(model).requires_grad_(False).eval() if whole else None
        self._state: dict[str, Tensor] = {}
        if self._model is not None:
            self._state = dict(self._model.state_dict())
        self._spread = False

    def spread(self, model: nn.Module) -> None:
        """Keep only this process's part, as `model` does now, which has the same weights."""
        self._state = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self._spread = True

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move towards `model`, after optimiser step number `step` (from 0)."""
        weight = 1 - min(self._decay, (1 + step) / (10 + step))
        ours, theirs = self._state, model.state_dict()
        floats = [name for name, value in theirs.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [local(ours[name]) for name in floats],
            [local(theirs[name]) for name in floats],
            weight,
        )
        for name in theirs.keys() - set(floats):
            ours[name].copy_(theirs[name])

    @torch.no_grad()
    def gathered(self) -> nn.Module | None:
        """The model in evaluation mode with the averaged weights, where it is kept.

        Where they are spread, all processes must ask for it.
        """
        if self._spread:
            there = self._model.state_dict() if self._model is not None else {}
            for name, value in self._state.items():
                full = whole(value)
                if self._model is not None:
                    there[name].copy_(full)
        return self._model

    @torch.no_grad()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from these weights. Raises `KeyError` when one is missing."""
        for name, value in self._state.items():
            value.copy_(part_like(state[name], value))
