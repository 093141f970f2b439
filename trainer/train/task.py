"""What the training loop asks of a task, and how a batch is shared out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

Outputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class Share:
    """Part `index` of the `count` equal parts that a batch is divided into."""

    index: int = 0
    count: int = 1

    def of(self, rows: np.ndarray) -> np.ndarray:
        """This share of the rows of a whole batch, whose number `count` must divide."""
        size = len(rows) // self.count
        return rows[self.index * size : (self.index + 1) * size]


class Batch(NamedTuple):
    """What goes into the network, and what its outputs are compared with: tensors, nested at will.

    Both are moved to the device together. skipped: what could not be read, and why.
    """

    inputs: Any
    targets: Any
    skipped: tuple[str, ...] = ()


class Task(Protocol):
    """What is trained.

    model: holds every learned parameter. unit: what a batch counts. A task that is not sure to have
    a loss over several shares of a batch need not bother: it is given lists of length one unless
    gradients are accumulated.
    """

    model: nn.Module
    unit: str

    def batch(self, step: int, share: Share) -> Batch:
        """A share of the batch of step `step`; a pure function of both.

        Called in workers, where the task has no networks.
        """

    def embed(self, model: nn.Module, inputs: Any) -> Outputs:
        """The network's part of a step, on one share: tensors that have a row for each item.

        A tensor without rows, such as a learned scale, may stand among them.
        """

    def losses(self, outputs: Sequence[Outputs], targets: Sequence[Any]) -> dict[str, Tensor]:
        """Scalars by name, of all shares of this process; "loss" is minimised.

        In several processes their mean must be the loss of the whole batch.
        """

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Held-out figures of `model`, which is in evaluation mode; {} when there are none."""

    def train_mode(self) -> None:
        """Put `model` into training mode, but for what is frozen."""

    def after_step(self) -> None:
        """Called when the optimiser has changed the parameters, to keep them within bounds."""


class TaskDefaults:
    """What most tasks leave as it is."""

    model: nn.Module
    unit = "item"

    def train_mode(self) -> None:
        self.model.train()

    def after_step(self) -> None:
        return None


def moved(value: Any, device: torch.device) -> Any:
    """`value` with every tensor in it on `device`."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, dict):
        return {key: moved(item, device) for key, item in value.items()}
    if isinstance(value, tuple):
        items = [moved(item, device) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value
