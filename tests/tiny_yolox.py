"""A YOLOX network that finds colours: red people, green cats and blue dogs.

write_yolox(path)              # an ONNX file, 64 x 64, COCO's 80 classes
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 64
PERSON, CAT, DOG = 0, 15, 16
# The stride of the grid, the class found there, and the channel (blue, green, red) that shows it.
_GRIDS = ((8, PERSON, 2), (16, DOG, 0), (32, CAT, 1))
_GAIN = 12.0


def write_yolox(path: Path, *, classes: int = 80, cells: float = 1.0) -> Path:
    """`cells`: the side of each box, which stands around the middle of its cell, in cells."""
    nodes, weights, parts = [], {}, []
    for stride, label, channel in _GRIDS:
        # The share of the colour in a cell beyond that of the others, -1 to 1.
        purity = np.full(3, -1.0)
        purity[channel] = 1.0
        weight, bias = np.zeros((5 + classes, 3)), np.full(5 + classes, -_GAIN)
        weight[4] = weight[5 + label] = 2 * _GAIN * purity / 255
        bias[:2], bias[2:4], bias[4] = 0.5, math.log(cells), -_GAIN
        weights[f"weight{stride}"] = weight[:, :, None, None]
        weights[f"bias{stride}"] = bias
        names = ("pooled", "mixed", "box", "rest", "chance", "joined", "flat", "rows")
        pooled, mixed, box, rest, chance, joined, flat, rows = (f"{n}{stride}" for n in names)
        shape = np.asarray([1, 5 + classes, (SIZE // stride) ** 2])
        weights |= {f"shape{stride}": shape, f"split{stride}": np.asarray([4, 1 + classes])}
        sides = [stride, stride]
        nodes += [
            helper.make_node(
                "AveragePool", ["images"], [pooled], kernel_shape=sides, strides=sides
            ),
            helper.make_node("Conv", [pooled, f"weight{stride}", f"bias{stride}"], [mixed]),
            helper.make_node("Split", [mixed, f"split{stride}"], [box, rest], axis=1),
            helper.make_node("Sigmoid", [rest], [chance]),
            helper.make_node("Concat", [box, chance], [joined], axis=1),
            helper.make_node("Reshape", [joined, f"shape{stride}"], [flat]),
            helper.make_node("Transpose", [flat], [rows], perm=[0, 2, 1]),
        ]
        parts.append(rows)
    nodes.append(helper.make_node("Concat", parts, ["output"], axis=1))
    count = sum((SIZE // stride) ** 2 for stride, _, _ in _GRIDS)
    graph = helper.make_graph(
        nodes,
        "yolox",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, count, 5 + classes])],
        [
            numpy_helper.from_array(
                value.astype(np.int64 if value.dtype == np.int64 else np.float32), name
            )
            for name, value in weights.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
