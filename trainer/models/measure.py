"""What a model weighs and costs, counted on its network rather than copied from a paper."""

from __future__ import annotations

import functools

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from trainer.models.config import ImageConfig, TextConfig, load_config
from trainer.models.family import build_image_tower, build_text_tower
from trainer.models.folding import fold_batch_norms
from trainer.models.summary import ModelSummary

_TEXT_TOWERS = {"mct": "MCt", "transformer": "transformer", "sentence": "BERT"}


def summarise(name: str) -> ModelSummary:
    """Build the named model without memory for its weights, and count.

    Raises `ValueError` for a name that has no configuration.
    """
    config = load_config(name)
    parameters, weighted, attention = _image_costs(config.image, config.dim)
    text = config.text
    kind = f"{_TEXT_TOWERS[text.tower]} {text.layers}L w{text.width}"
    return ModelSummary(
        name=name,
        image_tower=config.image.tower,
        text_tower=f"{kind} h{text.heads}{' causal' if text.causal else ''}",
        dim=config.dim,
        image_px=config.image.size,
        image_parameters=parameters,
        text_parameters=_text_parameters(text, config.dim),
        image_macs=weighted,
        image_attention_macs=attention,
        source=config.source,
    )


# Several models share a tower, and building one takes most of a second even without memory.
@functools.cache
def _image_costs(image: ImageConfig, dim: int) -> tuple[int, int, int]:
    with torch.device("meta"):
        tower = fold_batch_norms(build_image_tower(image, dim))
        pixels = torch.empty(1, 3, image.size, image.size)
    return count_parameters(tower), *count_macs(tower, pixels)


@functools.cache
def _text_parameters(text: TextConfig, dim: int) -> int:
    with torch.device("meta"):
        return count_parameters(fold_batch_norms(build_text_tower(text, dim)))


def count_parameters(module: nn.Module) -> int:
    """The number of values in the parameters of `module`; running statistics are not among them."""
    return sum(parameter.numel() for parameter in module.parameters())


def count_macs(module: nn.Module, example: torch.Tensor) -> tuple[int, int]:
    """Multiply-adds of one forward pass: in convolutions and linear layers, and elsewhere.

    Elsewhere means the products of activations with each other, as attention has. PyTorch's
    counter cannot tell the two apart, since it sees a linear layer as any matrix product.
    """
    weighted = 0

    def count(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal weighted
        weight = layer.get_parameter("weight")
        weighted += output.numel() * weight[0].numel()

    layers = [part for part in module.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(example)
    finally:
        for hook in hooks:
            hook.remove()
    # The counter counts a multiply-add as two operations.
    return weighted, counter.get_total_flops() // 2 - weighted
