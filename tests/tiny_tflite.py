"""Small quantised image classifiers, written as real .tflite files.

    network = random_network(np.random.default_rng(0), classes=5)
    write_classifier(path, network, pictures, scheme="int8")

`scheme` is how the published classifiers are stored: "uint8" has one scale a tensor (TensorFlow 1
and the Edge TPU models), "int8" one scale for each output channel of a weight (TensorFlow 2), and
"float32" none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
from ai_edge_litert import schema_py_generated as schema

Scheme = Literal["uint8", "int8", "float32"]

Kind = type[np.generic]


@dataclass(frozen=True)
class Convolution:
    """A convolution with TensorFlow's "SAME" padding, and what follows it.

    weight: (out, in / groups, k, k); bias: (out,); the groups are 1, or one a channel. `skip` is
    the number of the convolution before it whose output is added to this one's; -1 is the input.
    """

    weight: np.ndarray
    bias: np.ndarray
    stride: int = 1
    depthwise: bool = False
    relu6: bool = True
    skip: int | None = None


@dataclass(frozen=True)
class Network:
    """Convolutions, an average over the picture, and logits of class 0, the background, and more.

    logits: weight (classes + 1, features) and bias (classes + 1,), stored as a 1x1 convolution, as
    a fully connected layer ("dense"), or as one over all places without the average ("flat").
    `softmax` puts one behind them.
    """

    convolutions: Sequence[Convolution]
    logits: tuple[np.ndarray, np.ndarray]
    head: Literal["convolution", "dense", "flat"] = "convolution"
    softmax: bool = True

    def activations(self, pictures: np.ndarray) -> list[np.ndarray]:
        """In floating point: each convolution's output, then after its skip, pooled and logits.

        Of uint8 (n, S, S, 3), channels last; the plain and the added output of a convolution are
        the same array where nothing is added.
        """
        joined = [pixels(pictures)]
        results: list[np.ndarray] = []
        for layer in self.convolutions:
            plain = convolve(joined[-1], layer)
            results.append(plain)
            joined.append(plain if layer.skip is None else plain + joined[layer.skip + 1])
            results.append(joined[-1])
        flat = self.head == "flat"
        pooled = joined[-1].reshape(len(pictures), -1) if flat else joined[-1].mean((1, 2))
        return [*results, pooled, pooled @ self.logits[0].T + self.logits[1]]


# Pixels 0 to 255 become -1 to 1, nearly: the zero must be a whole number.
INPUT_SCALE, INPUT_ZERO = np.float32(2 / 255), 128


def random_network(
    random: np.random.Generator, classes: int, *, features: int = 12, **changes: Any
) -> Network:
    """Four convolutions, one of them depthwise and one with a skip, and 12 pooled features.

    `features` is what the logits take: more than 12 with the head "flat".
    """
    shapes = [(8, 3, 3, 3), (8, 1, 3, 3), (12, 8, 1, 1), (12, 12, 1, 1)]
    options: list[dict[str, Any]] = [
        {"stride": 2},
        {"depthwise": True},
        {},
        {"relu6": False, "skip": 2},
    ]
    layers = [
        Convolution(
            random.normal(size=shape).astype(np.float32) / math.sqrt(math.prod(shape[1:])),
            0.3 * random.normal(size=shape[0]).astype(np.float32),
            **more,
        )
        for shape, more in zip(shapes, options, strict=True)
    ]
    logits = (
        4 * random.normal(size=(classes + 1, features)).astype(np.float32),
        random.normal(size=classes + 1).astype(np.float32),
    )
    return Network(layers, logits, **changes)


def random_mobilenet(pictures: np.ndarray) -> Any:
    """timm's `mobilenetv2_100` as a tower has it, whose activations on `pictures` stay sane.

    Its norms hold what a trained network's do: a gain, an offset, a mean and a variance. The random
    residuals are damped, since undamped ones drown what tells one picture from another.
    """
    import torch

    from trainer.models.nano_image import NanoImageTower

    torch.manual_seed(0)
    backbone: Any = NanoImageTower(dim=1, hidden=1).backbone

    def settle(norm: torch.nn.BatchNorm2d, inputs: tuple[torch.Tensor]) -> None:
        torch.nn.init.uniform_(norm.weight, 0.8, 1.2)
        torch.nn.init.normal_(norm.bias, 0, 0.2)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.normal_(0, 0.1)
        norm.running_var.uniform_(0.8, 1.2).mul_(inputs[0].var())

    norms = [module for module in backbone.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(settle) for norm in norms]
    with torch.no_grad():
        backbone.eval()(torch.from_numpy(pixels(pictures)).permute(0, 3, 1, 2))
        for hook in hooks:
            hook.remove()
        for block in (block for stage in backbone.blocks for block in stage):
            if block.has_skip:
                block.bn3.weight.mul_(0.3)
    return backbone


def pixels(pictures: np.ndarray) -> np.ndarray:
    """uint8 to float32, -1 to 1, as the stored networks read them."""
    return np.asarray((pictures.astype(np.float32) - INPUT_ZERO) * INPUT_SCALE)


def mobilenet_v2(backbone: Any, classes: int, random: np.random.Generator) -> Network:
    """timm's `mobilenetv2_100` with its normalisations folded, and random logits."""
    layers: list[Convolution] = []

    def add(convolution: Any, norm: Any, *, relu6: bool = True, skip: int | None = None) -> None:
        values = (norm.running_mean, norm.running_var, norm.weight, norm.bias, convolution.weight)
        mean, variance, gain, offset, weight = (value.detach().numpy() for value in values)
        scale = gain / np.sqrt(variance + norm.eps)
        depthwise = convolution.groups > 1
        layers.append(
            Convolution(
                weight * scale[:, None, None, None],
                offset - mean * scale,
                convolution.stride[0],
                depthwise,
                relu6,
                skip,
            )
        )

    add(backbone.conv_stem, backbone.bn1)
    for number, block in enumerate(block for stage in backbone.blocks for block in stage):
        start = len(layers) - 1
        if number == 0:
            add(block.conv_dw, block.bn1)
            add(block.conv_pw, block.bn2, relu6=False)
            continue
        add(block.conv_pw, block.bn1)
        add(block.conv_dw, block.bn2)
        add(block.conv_pwl, block.bn3, relu6=False, skip=start if block.has_skip else None)
    add(backbone.conv_head, backbone.bn2)
    features = len(layers[-1].bias)
    weight = random.normal(size=(classes + 1, features)).astype(np.float32)
    return Network(layers, (weight, np.zeros(classes + 1, np.float32)))


def convolve(values: np.ndarray, layer: Convolution) -> np.ndarray:
    """Of float (n, H, W, C); the larger half of an odd padding goes to the right and below."""
    side, kernel, stride = values.shape[1], layer.weight.shape[2], layer.stride
    total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
    pad = (total // 2, total - total // 2)
    padded = np.pad(values, ((0, 0), pad, pad, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))
    windows = windows[:, ::stride, ::stride]
    if layer.depthwise:
        result = np.einsum("nhwckl,ckl->nhwc", windows, layer.weight[:, 0])
    else:
        result = np.tensordot(windows, layer.weight, axes=([3, 4, 5], [1, 2, 3]))
    result = np.asarray(result + layer.bias)
    return np.clip(result, 0, 6) if layer.relu6 else result


@dataclass(frozen=True)
class Grid:
    """Real values are (stored - zero) * scale: one scale, one for each index of `axis`, or none."""

    scales: np.ndarray
    zero: int
    axis: int = 0

    @classmethod
    def of_range(cls, values: np.ndarray, scheme: Scheme) -> Grid:
        """256 steps from the least value to the largest, with zero among them."""
        if scheme == "float32":
            return PLAIN
        low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
        scale = max(high - low, 1e-6) / 255
        zero = round(-low / scale)
        return cls(np.asarray([scale], np.float32), zero - (128 if scheme == "int8" else 0))

    @classmethod
    def of_channels(cls, values: np.ndarray, axis: int) -> Grid:
        """127 steps to each side of zero, for each index of `axis`."""
        others = tuple(other for other in range(values.ndim) if other != axis)
        largest = np.maximum(np.abs(values).max(others), 1e-6)
        return cls((largest / 127).astype(np.float32), 0, axis)

    def quantise(self, values: np.ndarray, kind: Kind) -> np.ndarray:
        if not len(self.scales):
            return values.astype(kind)
        shape = [1] * values.ndim
        shape[self.axis] = len(self.scales)
        limits = np.iinfo(np.dtype(kind))
        steps = np.rint(values / self.scales.reshape(shape)) + self.zero
        return np.asarray(np.clip(steps, limits.min, limits.max), kind)


PLAIN = Grid(np.empty(0, np.float32), 0)


def write_classifier(
    path: Path, network: Network, pictures: np.ndarray, *, scheme: Scheme = "uint8"
) -> Path:
    """Quantise `network` by the ranges it has on `pictures`, uint8 (n, S, S, 3), and store it.

    The input is uint8 (1, S, S, 3), with a conversion behind it under "int8"; under "float32" it
    is what the pixels stand for, -1 to 1.
    """
    file = _File(scheme)
    ranges = iter(network.activations(pictures))
    outputs = [file.input((1, *pictures.shape[1:]))]
    for layer in network.convolutions:
        plain, joined = next(ranges), next(ranges)
        current = file.convolution(outputs[-1], layer, plain)
        if layer.skip is not None:
            current = file.add(current, outputs[layer.skip + 1], joined)
        outputs.append(current)
    current = outputs[-1] if network.head == "flat" else file.average_pool(outputs[-1])
    next(ranges)
    weight, bias = network.logits
    values = next(ranges)
    if network.head != "convolution":
        current = file.reshape(current, (1, weight.shape[1]))
        current = file.dense(current, weight, bias, values)
    else:
        last = Convolution(weight[:, :, None, None], bias, relu6=False)
        current = file.convolution(current, last, values[:, None, None])
        current = file.reshape(current, (1, len(bias)))
    if network.softmax:
        current = file.softmax(current)
    path.write_bytes(file.finish(current))
    return path


@dataclass
class _File:
    """A TFLite flatbuffer in the making: one graph, one buffer for each constant."""

    scheme: Scheme
    tensors: list[Any] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    operators: list[Any] = field(default_factory=list)
    codes: list[Any] = field(default_factory=list)
    # Buffer 0 is empty by the format's rule, and stands for all that is not constant.
    buffers: list[Any] = field(default_factory=lambda: [schema.BufferT()])

    @property
    def kind(self) -> Kind:
        return np.dtype(self.scheme).type

    def tensor(
        self,
        shape: Sequence[int],
        grid: Grid,
        *,
        kind: Kind | None = None,
        values: np.ndarray | None = None,
    ) -> int:
        tensor = schema.TensorT()
        tensor.name = f"tensor{len(self.tensors)}"
        tensor.shape = list(shape)
        tensor.type = getattr(schema.TensorType, np.dtype(kind or self.kind).name.upper())
        if len(grid.scales):
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = grid.scales.tolist()
            tensor.quantization.zeroPoint = [grid.zero] * len(grid.scales)
            tensor.quantization.quantizedDimension = grid.axis
        if values is not None:
            tensor.buffer = len(self.buffers)
            self.buffers.append(schema.BufferT())
            self.buffers[-1].data = np.frombuffer(values.tobytes(), np.uint8)
        self.tensors.append(tensor)
        self.grids.append(grid)
        return len(self.tensors) - 1

    def operator(
        self, name: str, inputs: Sequence[int], output: int, options: Any = None, version: int = 1
    ) -> int:
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = code.builtinCode
        code.version = version
        self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.codes) - 1
        operator.inputs, operator.outputs = list(inputs), [output]
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self.operators.append(operator)
        return output

    def input(self, shape: Sequence[int]) -> int:
        if self.scheme == "float32":
            return self.tensor(shape, PLAIN)
        scales = np.asarray([INPUT_SCALE])
        given = self.tensor(shape, Grid(scales, INPUT_ZERO), kind=np.uint8)
        if self.scheme == "uint8":
            return given
        shifted = self.tensor(shape, Grid(scales, INPUT_ZERO - 128))
        return self.operator("QUANTIZE", [given], shifted, schema.QuantizeOptionsT())

    def _constants(
        self, current: int, weight: np.ndarray, grid: Grid, bias: np.ndarray
    ) -> tuple[int, int]:
        # The accumulator's unit, and so the bias's, is that of the products.
        unit = Grid(grid.scales * self.grids[current].scales, 0)
        whole: Kind = np.int32 if len(unit.scales) else np.float32
        return (
            self.tensor(weight.shape, grid, values=grid.quantise(weight, self.kind)),
            self.tensor(bias.shape, unit, kind=whole, values=unit.quantise(bias, whole)),
        )

    def convolution(self, current: int, layer: Convolution, seen: np.ndarray) -> int:
        if layer.depthwise:
            weight, axis = layer.weight.transpose(1, 2, 3, 0), 3
            options: Any = schema.DepthwiseConv2DOptionsT()
            options.depthMultiplier = 1
        else:
            weight, axis = layer.weight.transpose(0, 2, 3, 1), 0
            options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME
        options.strideW = options.strideH = layer.stride
        if layer.relu6:
            options.fusedActivationFunction = schema.ActivationFunctionType.RELU6
        by_channel = self.scheme == "int8"
        grid = Grid.of_channels(weight, axis) if by_channel else Grid.of_range(weight, self.scheme)
        inputs = [current, *self._constants(current, weight, grid, layer.bias)]
        output = self.tensor((1, *seen.shape[1:]), Grid.of_range(seen, self.scheme))
        name = "DEPTHWISE_CONV_2D" if layer.depthwise else "CONV_2D"
        return self.operator(name, inputs, output, options, 3 if self.scheme == "int8" else 1)

    def add(self, current: int, other: int, seen: np.ndarray) -> int:
        output = self.tensor((1, *seen.shape[1:]), Grid.of_range(seen, self.scheme))
        return self.operator("ADD", [current, other], output, schema.AddOptionsT(), 2)

    def average_pool(self, current: int) -> int:
        side, channels = self.tensors[current].shape[2:]
        options = schema.Pool2DOptionsT()
        options.padding = schema.Padding.VALID
        options.filterWidth = options.filterHeight = options.strideW = options.strideH = side
        output = self.tensor((1, 1, 1, channels), self.grids[current])
        return self.operator("AVERAGE_POOL_2D", [current], output, options, 2)

    def reshape(self, current: int, shape: Sequence[int]) -> int:
        target = np.asarray(shape, np.int32)
        wanted = self.tensor(target.shape, PLAIN, kind=np.int32, values=target)
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        output = self.tensor(shape, self.grids[current])
        return self.operator("RESHAPE", [current, wanted], output, options)

    def dense(self, current: int, weight: np.ndarray, bias: np.ndarray, seen: np.ndarray) -> int:
        # Fully connected layers have one scale, around zero under "int8".
        around = self.scheme == "int8"
        grid = Grid.of_channels(weight[None], 0) if around else Grid.of_range(weight, self.scheme)
        inputs = [current, *self._constants(current, weight, grid, bias)]
        output = self.tensor((1, len(bias)), Grid.of_range(seen, self.scheme))
        options = schema.FullyConnectedOptionsT()
        return self.operator("FULLY_CONNECTED", inputs, output, options, 4)

    def softmax(self, current: int) -> int:
        steps = Grid(np.asarray([1 / 256], np.float32), -128 if self.scheme == "int8" else 0)
        grid = PLAIN if self.scheme == "float32" else steps
        output = self.tensor(self.tensors[current].shape, grid)
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        return self.operator("SOFTMAX", [current], output, options, 2)

    def finish(self, output: int) -> bytes:
        graph = schema.SubGraphT()
        graph.name = "main"
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = [0], [output]
        model = schema.ModelT()
        model.version = 3
        model.operatorCodes, model.subgraphs, model.buffers = self.codes, [graph], self.buffers
        builder = flatbuffers.Builder()
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())
