"""Start an image tower from a TFLite classifier of the same architecture, quantised or not.

A frozen teacher that is openly licensed is also the best starting point for a student of the
same shape: its convolutions are read out of the file, turned back into floats, and put into the
timm model layer by layer, in order of execution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from trainer.tflite import open_network


def _dequantised(network: Any, index: int) -> np.ndarray:
    """Constant tensor `index` as float32; scales are per tensor or along one axis, if any."""
    detail = network._get_tensor_details(index, 0)
    parameters = detail["quantization_parameters"]
    values = network.get_tensor(index).astype(np.float32)
    scales, zeros = parameters["scales"], parameters["zero_points"].astype(np.float32)
    if not len(scales):
        return values
    if len(scales) > 1:
        shape = [1] * values.ndim
        shape[parameters["quantized_dimension"]] = len(scales)
        scales, zeros = scales.reshape(shape), zeros.reshape(shape)
    return (values - zeros) * scales


def read_convolutions(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Weight (out, in/groups, kh, kw) and bias (out,) of each convolution, in execution order."""
    from ai_edge_litert.interpreter import OpResolverType

    network = open_network(
        path, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    for operation in network._get_ops_details():
        kind = operation["op_name"]
        if kind not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            continue
        _, weight, bias = (_dequantised(network, index) for index in operation["inputs"])
        # TFLite stores (out, h, w, in), and depthwise as (1, h, w, out).
        order = (3, 0, 1, 2) if kind == "DEPTHWISE_CONV_2D" else (0, 3, 1, 2)
        yield np.ascontiguousarray(weight.transpose(order)), bias


def _statistics(norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """The running mean and variance, which every norm of a backbone keeps."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return norm.running_mean, norm.running_var


def warm_start(backbone: nn.Module, path: Path) -> None:
    """Load the convolutions of the classifier at `path` into a convolutional timm backbone.

    Every convolution of `backbone` must be followed by its own batch normalisation, which here
    becomes the bias that the classifier folded it into. The backbone must pad as TensorFlow does
    (timm's `pad_type="same"`). Its output then equals the classifier's pooled features up to the
    rounding of 8-bit activations.

    Raises `ValueError` when the two are not the same architecture.
    """
    convolutions = [m for m in backbone.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    stored = list(read_convolutions(path))
    # The classifier's last convolution is its 1x1 logits layer, which a tower has no use for.
    if not len(convolutions) == len(norms) == len(stored) - 1:
        raise ValueError(
            f"{path}: holds {len(stored) - 1} convolutions before the logits, "
            f"the backbone has {len(convolutions)}"
        )
    with torch.no_grad():
        for number, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
            weight, bias = stored[number]
            if weight.shape != tuple(convolution.weight.shape):
                raise ValueError(
                    f"{path}: convolution {number} is {weight.shape}, "
                    f"the backbone's is {tuple(convolution.weight.shape)}"
                )
            convolution.weight.copy_(torch.from_numpy(weight))
            mean, variance = _statistics(norm)
            mean.zero_()
            variance.fill_(1.0 - norm.eps)
            norm.weight.fill_(1.0)
            norm.bias.copy_(torch.from_numpy(bias))


def calibrate_norms(backbone: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Give each batch normalisation the statistics of its real input, the function unchanged.

    After `warm_start` the norms are plain biases. Training needs them to hold true statistics, or
    the first step in training mode would change every activation. `batches` are image tensors
    (n, 3, S, S), a few hundred images in all.
    """
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    sums = {norm: torch.zeros(3, norm.num_features, dtype=torch.float64) for norm in norms}

    def observe(norm: nn.BatchNorm2d, inputs: tuple[torch.Tensor, ...]) -> None:
        values = inputs[0].detach().double().transpose(0, 1).flatten(1)
        sums[norm] += torch.stack(
            [values.sum(1), values.square().sum(1), torch.full_like(values[:, 0], values.shape[1])]
        )

    hooks = [norm.register_forward_pre_hook(observe) for norm in norms]
    was_training = backbone.training
    backbone.eval()
    try:
        with torch.no_grad():
            for batch in batches:
                backbone(batch)
            for norm in norms:
                total, squares, count = sums[norm]
                mean = (total / count).float()
                variance = (squares / count - (total / count).square()).clamp_min(0).float()
                old_mean, old_variance = _statistics(norm)
                gain = norm.weight / torch.sqrt(old_variance + norm.eps)
                offset = norm.bias - old_mean * gain
                old_mean.copy_(mean)
                old_variance.copy_(variance)
                norm.weight.copy_(gain * torch.sqrt(variance + norm.eps))
                norm.bias.copy_(offset + mean * gain)
    finally:
        for hook in hooks:
            hook.remove()
        backbone.train(was_training)
