"""Small networks written down node by node, in a file that ONNX Runtime reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper


def network(
    nodes: Sequence[onnx.NodeProto],
    name: str,
    kind: int,
    shape: Sequence[int | str],
    weights: Mapping[str, np.ndarray],
) -> onnx.ModelProto:
    """From the input `name` to "embedding", by `nodes` in their order; decimals are float32."""
    values = {
        key: value.astype(np.float32) if value.dtype.kind == "f" else value
        for key, value in weights.items()
    }
    graph = helper.make_graph(
        list(nodes),
        name,
        [helper.make_tensor_value_info(name, kind, shape)],
        [helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, ["n", None])],
        [numpy_helper.from_array(value, key) for key, value in values.items()],
    )
    # Versions that every supported ONNX Runtime knows.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model
