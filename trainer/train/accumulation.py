"""Gradients of a batch that does not fit into memory at once, exactly.

A contrastive loss compares every item with every other, so the gradients of parts cannot simply be
added up. Instead the parts are embedded without gradients, the loss of the whole batch is computed
on the embeddings, and each part is embedded again to carry the embeddings' gradients back into the
network (GradCache, arXiv 2101.06983; open_clip's accumulation embeds twice for the same reason,
but computes the loss anew for each part). The memory is that of one part, the cost one more forward
pass.

Equal to the gradient of the big batch for networks whose items do not see each other. Batch
normalisation makes them: each part is normalised by itself, as it would be on a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn

from trainer.train.task import Outputs


class Forward(Protocol):
    """Embeds part `number`; twice with the same result. `last` when no part comes after it."""

    def __call__(self, number: int, *, last: bool) -> Outputs: ...


def backward_in_parts(
    network: nn.Module,
    parts: int,
    forward: Forward,
    losses_of: Callable[[list[Outputs]], dict[str, Tensor]],
    scaler: torch.amp.GradScaler,
) -> dict[str, Tensor]:
    """Add the gradients of `losses_of(...)["loss"]` to those of the parameters of `network`.

    Returns the losses. A tensor without rows among the outputs, such as a learned scale, is the
    same in all parts; `losses_of` must take it from the last.
    """
    # What a forward pass leaves behind in the network, it shall leave behind once.
    statistics = {name: value.clone() for name, value in network.named_buffers()}
    with torch.no_grad():
        cached = [forward(number, last=False) for number in range(parts)]
    for name, value in network.named_buffers():
        value.copy_(statistics[name])
    leaves = [tuple(output.detach().requires_grad_() for output in outputs) for outputs in cached]
    losses = losses_of(list(leaves))
    scaler.scale(losses["loss"]).backward()  # type: ignore[no-untyped-call]
    for number in range(parts):
        outputs = forward(number, last=number == parts - 1)
        pairs = [
            (output, leaf.grad)
            for output, leaf in zip(outputs, leaves[number], strict=True)
            if output.requires_grad and leaf.grad is not None
        ]
        torch.autograd.backward([output for output, _ in pairs], [grad for _, grad in pairs])
    return losses
