"""The image network of a finished bundle: what its head sees, and the network with concepts added.

    y = normalise(e + share * max(0, tanh(z / 2)) C),   z = W f + b

with its embedding e, the standardised features f of its classifiers, log odds z and places C of the
concepts. What is less likely than not adds nothing, so other photos keep their vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders.onnx import import_onnxruntime
from trainer.export.errors import ExportError

Floats = NDArray[np.float32]
_OUTPUT, _BEFORE, _FURTHER = "embedding", "embedding_before", "further"


@dataclass(frozen=True)
class Concepts:
    """weights (F, K) and biases (K,) give log odds; rows (K, d) are what each adds at certainty."""

    names: list[str]
    weights: Floats
    biases: Floats
    rows: Floats

    def halved(self) -> Concepts:
        """As float16 holds them."""
        weights, biases, rows = (
            one.astype(np.float16).astype(np.float32)
            for one in (self.weights, self.biases, self.rows)
        )
        return Concepts(self.names, weights, biases, rows)

    def added(self, embeddings: Floats, features: Floats) -> Floats:
        """Unit vectors (n, d) with the concepts of photos of these standardised features."""
        sure = np.maximum(np.tanh((features @ self.weights + self.biases) / 2), 0)
        both = embeddings + sure @ self.rows
        return np.asarray(both / np.linalg.norm(both, axis=1, keepdims=True), np.float32)


def standardised(model: Any, path: Path) -> str:
    """The name of the standardised features in a network of ours.

    Raises `ExportError` when it has no head on classifiers.
    """
    nodes = list(model.graph.node)
    for node in nodes:
        if node.op_type == "Div" and "head.std" in node.input:
            for after in nodes:
                if after.op_type == "Clip" and after.input[0] == node.output[0]:
                    return str(after.output[0])
    raise ExportError(f"{path}: no image network with a head on classifiers")


def concept_places(path: Path) -> Floats:
    """What each concept that was added to the image network `path` adds at certainty, (K, d).

    No rows where none was added.
    """
    import onnx
    from onnx import numpy_helper

    for stored in onnx.load(path).graph.initializer:
        if stored.name == f"{_FURTHER}.rows":
            return np.asarray(numpy_helper.to_array(stored), np.float32)
    return np.empty((0, 0), np.float32)


@contextmanager
def sight(path: Path) -> Iterator[Any]:
    """A session of the image network `path` that gives its embedding and the features.

    with sight(path) as look:
        embeddings, features = look(pixels)
    """
    import onnx

    model = onnx.load(path)
    features = standardised(model, path)
    model.graph.output.append(onnx.helper.make_tensor_value_info(features, 1, None))
    with TemporaryDirectory() as folder:
        file = Path(folder, "sight.onnx")
        onnx.save(model, file)
        session = import_onnxruntime().InferenceSession(
            str(file), providers=["CPUExecutionProvider"]
        )
    yield lambda pixels: session.run([_OUTPUT, features], {"image": pixels})


def write_concepts(source: Path, path: Path, concepts: Concepts) -> None:
    """Write the image network `source` with `concepts`, as float16 holds them, to `path`.

    Raises `ExportError` when it has no head on classifiers, or has had concepts added before.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(source)
    graph = model.graph
    features = standardised(model, source)
    if any(one.name.startswith(f"{_FURTHER}.") for one in graph.initializer):
        raise ExportError(f"{source}: has further concepts; start from the bundle without them")
    for node in graph.node:
        for values in (node.input, node.output):
            for place, name in enumerate(values):
                if name == _OUTPUT:
                    values[place] = _BEFORE
    widened = {}
    tables = (("weights", concepts.weights / 2), ("biases", concepts.biases / 2))
    for name, table in (*tables, ("rows", concepts.rows)):
        stored = f"{_FURTHER}.{name}"
        graph.initializer.append(numpy_helper.from_array(table.astype(np.float16), stored))
        widened[name] = f"{stored}.float32"
        graph.node.append(helper.make_node("Cast", [stored], [widened[name]], to=TensorProto.FLOAT))

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        name = output if output == _OUTPUT else f"{_FURTHER}_{output}"
        graph.node.append(helper.make_node(kind, inputs, [name], name=f"{name}_node", **attributes))
        return name

    odds = add("Gemm", [features, widened["weights"], widened["biases"]], "odds")
    sure = add("Relu", [add("Tanh", [odds], "certain")], "sure")
    both = add("Add", [_BEFORE, add("MatMul", [sure, widened["rows"]], "found")], "both")
    add("LpNormalization", [both], _OUTPUT, axis=1, p=2)
    onnx.checker.check_model(model)
    onnx.save(model, path)
