"""The networks of a bundle of ours, as modules that learn.

    tower = GraphTower(Path("mobileclip-small/image.onnx"))
    embeddings = tower(pixels)                     # (n, 3, S, S) -> (n, d), as ONNX Runtime gives
    tower.write(Path("mobileclip-small/image.onnx"), Path("learned.onnx"))

A bundle holds graphs, in which batch normalisation is folded and convolutions compute in 8 bits.
What the graph of an image network computes is computed here node by node, rounding included: so
learning starts from the vectors that the bundle gives. Numbers that are stored in 8 bits do not
learn, since they would have to be rounded anew; all others do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

# What stands behind the name of a tensor that is stored in fewer bits.
_STORED = ("_quantized", ".float16", ".float32")
# Parameters that are alone in a network; the others lie in its parts.
_ALONE = frozenset({"concepts", "share"})
_CONSTANT = (".mean", ".std")
_SCALED = frozenset({"QuantizeLinear", "DequantizeLinear"})

Attributes = Mapping[str, Any]
Operation = Callable[[Sequence[Any], Attributes], Tensor]


class _Node(NamedTuple):
    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: Attributes
    done: tuple[str, ...] = ()
    """Those of the inputs that no node behind it needs."""


class GraphTower(nn.Module):
    """Maps float pixels (n, 3, S, S), normalised, to unit-norm embeddings (n, d).

    Parameters have the names that they have in the graph, without what says how they are stored.

    Raises `ValueError` for a file that is no graph, or has operators that networks of ours have
    not.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        graph, nodes, stored = _read(path)
        if unknown := {node.kind for node in nodes} - _OPERATIONS.keys():
            raise ValueError(
                f"{path}: no network of ours; it computes {', '.join(sorted(unknown))}"
            )
        self._input, self._output = graph.input[0].name, graph.output[0].name
        values = {name: torch.from_numpy(np.array(value)) for name, value in stored.items()}
        origins = {name: name for name in values}
        self._nodes: list[_Node] = []
        for node in nodes:
            # How a stored number becomes a float is computed once.
            if node.kind in ("Cast", "DequantizeLinear") and set(node.inputs) <= values.keys():
                given = [values[name] for name in node.inputs]
                values[node.output] = _OPERATIONS[node.kind](given, node.attributes)
                origins[node.output] = origins[node.inputs[0]]
            else:
                self._nodes.append(node)
        self._nodes = _with_ends(self._nodes)
        scales = {name for node in self._nodes if node.kind in _SCALED for name in node.inputs[1:]}
        # Where each value that the nodes are given is kept here, and where it lies in the graph.
        self._places: dict[str, str] = {}
        self._sources: dict[str, str] = {}
        for name in dict.fromkeys(name for node in self._nodes for name in node.inputs):
            if name not in values:
                continue
            source = origins[name]
            place = _plain(source)
            weight = place in _ALONE or ("." in place and not place.endswith(_CONSTANT))
            if name in scales or not weight:
                place = f"constants.{len(self._places)}"
                self._keep(place, values[name], None)
            elif place not in self._sources:
                self._sources[place] = source
                learns = np.issubdtype(stored[source].dtype, np.floating)
                self._keep(place, values[name], learns)
            self._places[name] = place

    def forward(self, pixels: Tensor) -> Tensor:
        values: dict[str, Any] = {self._input: pixels}
        for name, place in self._places.items():
            value: Any = self
            for part in place.split("."):
                value = getattr(value, part)
            values[name] = value
        for node in self._nodes:
            given = [values[name] for name in node.inputs]
            values[node.output] = _OPERATIONS[node.kind](given, node.attributes)
            # All activations of 64 pictures would be 14 GB.
            for name in node.done:
                del values[name]
        embeddings: Tensor = values[self._output]
        return embeddings

    def write(self, source: Path, target: Path) -> None:
        """Write the graph `source`, of which this is made, with what has been learned since.

        Tensors that have not changed keep their bytes.
        """
        import onnx

        model = onnx.load(source)
        parameters = dict(self.named_parameters())
        places = {stored: place for place, stored in self._sources.items()}
        for one in model.graph.initializer:
            parameter = parameters.get(places.get(one.name, ""))
            before = onnx.numpy_helper.to_array(one)
            # Those of 8 bits learn nothing, and are not what the graph holds.
            if parameter is None or not np.issubdtype(before.dtype, np.floating):
                continue
            after = parameter.detach().cpu().numpy().astype(before.dtype)
            if np.array_equal(after, before):
                continue
            one.CopyFrom(onnx.numpy_helper.from_array(after, one.name))
        onnx.save(model, target)

    def _keep(self, place: str, value: Tensor, learns: bool | None) -> None:
        """Keep a tensor under a name with points, in modules inside one another."""
        *parents, last = place.split(".")
        module: nn.Module = self
        for parent in parents:
            if not hasattr(module, parent):
                module.add_module(parent, nn.Module())
            module = getattr(module, parent)
        if learns is None:
            module.register_buffer(last, value, persistent=False)
        else:
            module.register_parameter(last, nn.Parameter(value.clone(), requires_grad=learns))


def sentence_state(path: Path) -> dict[str, Tensor]:
    """The weights of a `SentenceTower` in the text network of a bundle, as float32.

    Raises `ValueError` for a file that holds no such network.
    """
    _, nodes, stored = _read(path)
    state = {
        name: torch.from_numpy(np.array(value, np.float32))
        for name, value in stored.items()
        if name == "positional_embedding" or name.endswith((".weight", ".bias"))
    }
    biases = {name: one.inputs[1] for one in nodes if one.kind == "Add" for name in one.inputs[:1]}
    try:
        table = stored["token_embedding.table"] * stored["token_embedding.scale"]
        for node in nodes:
            if node.kind == "MatMulNBits":
                bits, scales = (stored[name] for name in node.inputs[1:3])
                # Without a zero point it is the middle of 8 bits; rows of K in blocks.
                rows = (bits.astype(np.float32) - 128) * scales[..., None]
                weight = biases[node.output].removesuffix("bias") + "weight"
                flat = rows.reshape(len(rows), -1)[:, : node.attributes["K"]]
                state[weight] = torch.from_numpy(np.array(flat, np.float32))
    except KeyError as error:
        raise ValueError(f"{path}: no sentence encoder of ours; it has no {error}") from None
    return state | {"token_embedding.weight": torch.from_numpy(np.array(table, np.float32))}


def _read(path: Path) -> tuple[Any, list[_Node], dict[str, NDArray[Any]]]:
    """The graph in a file, its nodes, and the tensors that it stores."""
    import onnx

    try:
        graph = onnx.load(path).graph
    # What protobuf raises has no stub, and it wraps nothing else.
    except Exception as error:
        raise ValueError(f"{path}: cannot be read as an ONNX graph ({error})") from None
    nodes = [
        _Node(
            node.op_type,
            tuple(node.input),
            node.output[0],
            {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute},
        )
        for node in graph.node
    ]
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    return graph, nodes, stored


def _with_ends(nodes: Sequence[_Node]) -> list[_Node]:
    """The nodes, each with the values that end with it."""
    found: list[_Node] = []
    needed: set[str] = set()
    for node in reversed(nodes):
        found.append(node._replace(done=tuple(set(node.inputs) - needed)))
        needed |= set(node.inputs)
    return found[::-1]


def _plain(name: str) -> str:
    """The name of a stored tensor without how it is stored."""
    while ends := [end for end in _STORED if name.endswith(end)]:
        name = name.removesuffix(ends[0])
    return name


def _quantize(given: Sequence[Tensor], _: Attributes) -> Tensor:
    values, scale, zero = given
    limits = torch.iinfo(zero.dtype)
    exact = values / scale + zero
    if not exact.requires_grad:
        return exact.round_().clamp_(limits.min, limits.max)
    # Rounded, and with the gradient of what is not.
    rounded = exact.round().clamp(limits.min, limits.max)
    return exact + (rounded - exact).detach()


def _dequantize(given: Sequence[Tensor], attributes: Attributes) -> Tensor:
    stored, scale, zero = given
    if scale.ndim:
        sides = [1] * stored.ndim
        sides[attributes.get("axis", 1)] = -1
        scale, zero = scale.reshape(sides), zero.reshape(sides)
    return (stored.to(scale.dtype) - zero.to(scale.dtype)) * scale


def _conv(given: Sequence[Tensor], attributes: Attributes) -> Tensor:
    pixels, weight, *bias = given
    top, left, bottom, right = attributes["pads"]
    padded = F.pad(pixels, (left, right, top, bottom))
    strides, groups = attributes["strides"], attributes["group"]
    return F.conv2d(padded, weight, bias[0] if bias else None, strides, groups=groups)


def _gemm(given: Sequence[Tensor], attributes: Attributes) -> Tensor:
    rows, matrix, bias = given
    return rows @ (matrix.T if attributes.get("transB") else matrix) + bias


def _axes(axes: Tensor) -> list[int]:
    return [int(axis) for axis in axes.reshape(-1)]


_OPERATIONS: dict[str, Operation] = {
    "Add": lambda given, _: given[0] + given[1],
    "Cast": lambda given, _: given[0].float(),
    "Clip": lambda given, _: given[0].clamp(*given[1:]),
    "Concat": lambda given, said: torch.cat(list(given), said["axis"]),
    "Conv": _conv,
    "DequantizeLinear": _dequantize,
    "Div": lambda given, _: given[0] / given[1],
    "Expand": lambda given, _: given[0].expand(_axes(given[1])),
    "Gelu": lambda given, _: F.gelu(given[0]),
    "Gemm": _gemm,
    "LpNormalization": lambda given, said: F.normalize(given[0], dim=said["axis"], eps=1e-12),
    "MatMul": lambda given, _: given[0] @ given[1],
    "Mul": lambda given, _: given[0] * given[1],
    "QuantizeLinear": _quantize,
    "ReduceL2": lambda given, said: given[0].norm(
        dim=_axes(given[1]), keepdim=bool(said["keepdims"])
    ),
    "ReduceMean": lambda given, said: given[0].mean(
        _axes(given[1]), keepdim=bool(said["keepdims"])
    ),
    "Relu": lambda given, _: given[0].relu(),
    "Reshape": lambda given, _: given[0].reshape(_axes(given[1])),
    "Shape": lambda given, said: torch.tensor(
        given[0].shape[said["start"] : said["end"]], device=given[0].device
    ),
    "Softmax": lambda given, said: given[0].softmax(said["axis"]),
    "Sub": lambda given, _: given[0] - given[1],
    "Tanh": lambda given, _: given[0].tanh(),
    "Unsqueeze": lambda given, _: given[0].unsqueeze(_axes(given[1])[0]),
}
