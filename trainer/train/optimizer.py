"""AdamW with its parameter groups, and the learning rate of each step."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from trainer.train.settings import OptimizerSettings, ScheduleSettings
from trainer.train.sharded import is_spread


def build_optimizer(model: nn.Module, settings: OptimizerSettings) -> torch.optim.AdamW:
    """AdamW over the parameters of `model` that learn.

    Weights decay. Norms, biases and scales do not: whatever has a single value for each channel, in
    however many axes it is kept. Each group has its "factor" on the learning rate.

    Raises `ValueError` when nothing learns, or a prefix of `rates` names no parameter.
    """
    names = [name for name, _ in model.named_parameters()]
    for prefix in settings.rates:
        if not any(name.startswith(prefix) for name in names):
            raise ValueError(f"optimizer.rates: no parameter's name begins with {prefix!r}")
    groups: dict[tuple[float, float, bool], dict[str, Any]] = {}
    for name, parameter in learning(model).items():
        decay = settings.weight_decay if _is_weight(parameter) else 0.0
        factor = _factor(name, settings.rates)
        # What is spread over processes cannot be updated in one call with what is not.
        kind = (decay, factor, is_spread(parameter))
        group = groups.setdefault(kind, {"params": [], "weight_decay": decay, "factor": factor})
        group["params"].append(parameter)
    if not groups:
        raise ValueError("model.freeze: nothing is left to learn")
    return torch.optim.AdamW(
        list(groups.values()),
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
        eps=settings.epsilon,
        fused=True,
    )


def learning(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of `model` that are not frozen, by name."""
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def _is_weight(parameter: nn.Parameter) -> bool:
    return sum(size > 1 for size in parameter.shape) > 1


def _factor(name: str, rates: dict[str, float]) -> float:
    prefixes = [prefix for prefix in rates if name.startswith(prefix)]
    return rates[max(prefixes, key=len)] if prefixes else 1.0


def rate(step: int, steps: int, peak: float, schedule: ScheduleSettings) -> float:
    """The learning rate at `step` (from 0) of `steps`."""
    if step < schedule.warmup:
        return peak * (step + 1) / schedule.warmup
    if schedule.kind == "constant":
        return peak
    if schedule.kind == "wsd":
        progress = max(0.0, 1 - (steps - step) / schedule.decay)
        share = 1 - math.sqrt(min(1.0, progress))
    else:
        progress = min(1.0, (step - schedule.warmup) / max(1, steps - schedule.warmup))
        share = 0.5 * (1 + math.cos(math.pi * progress))
    return schedule.final_rate + (peak - schedule.final_rate) * share
