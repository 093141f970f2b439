"""What an ONNX file says of itself, read without the library `onnx`, and without its weights.

The file is a Protocol Buffers message: fields, each with a number, a kind, and a number or bytes,
which may be a message again. Only those that lead to what is wanted are looked into; their numbers
are those of onnx.proto, which never change. The file is mapped into memory, since it may have two
gigabytes, nearly all of which are weights that are passed over.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from photosearch.errors import DownloadError

_TYPES = {1: "float32", 2: "uint8", 6: "int32", 7: "int64", 10: "float16"}
# Fields of messages: where a model, its functions, graphs, nodes and attributes keep more of them.
_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_FUNCTION_NODE = 7
_GRAPH_NODE, _GRAPH_WEIGHTS, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_SPARSE = 1, 5, 11, 12, 15
_NODE_ATTRIBUTE = 5
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_TENSOR_NAME, _TENSOR_ELSEWHERE = 8, 13
_SPARSE_PARTS = (1, 2)
# Above it are the negative ones, by which some mean a size that is open.
_LARGEST = 2**31
# Deeper than any graph within graphs that is real.
_DEEPEST = 16


@dataclass(frozen=True)
class Value:
    """An input or output: its name, the type of its numbers, and its sizes, None where open."""

    name: str
    type: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Graph:
    """elsewhere: the files that weights lie in, as the graph names them: from its own folder."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    elsewhere: tuple[str, ...]


def read_graph(path: Path) -> Graph:
    """What the ONNX file at `path` takes and gives. Raises `DownloadError` when it is none."""
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as content,
        ):
            return _Reader(content).graph()
    except (OSError, ValueError, IndexError, UnicodeDecodeError, OverflowError) as error:
        raise DownloadError(
            f"{path.name}: is no ONNX file ({error}); what is published has changed, and a newer "
            "photosearch may know how"
        ) from None


class _Reader:
    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._elsewhere: dict[str, None] = {}

    def graph(self) -> Graph:
        fields = list(self._fields((0, len(self._content))))
        graphs = [place for number, place in fields if number == _MODEL_GRAPH]
        if len(graphs) != 1:
            raise ValueError("it holds no graph")
        weights, inputs, outputs = set(), [], []
        for number, place in self._fields(graphs[0]):
            if number == _GRAPH_WEIGHTS:
                weights.add(self._text(self._first(place, _TENSOR_NAME)))
            elif number == _GRAPH_INPUT:
                inputs.append(self._value(place))
            elif number == _GRAPH_OUTPUT:
                outputs.append(self._value(place))
        self._look_into(graphs[0], 0)
        for number, place in fields:
            if number == _MODEL_FUNCTIONS:
                self._nodes(place, _FUNCTION_NODE, 0)
        # Files of old list their weights among the inputs.
        taken = tuple(value for value in inputs if value.name not in weights)
        return Graph(taken, tuple(outputs), tuple(self._elsewhere))

    def _look_into(self, graph: tuple[int, int], depth: int) -> None:
        """Note where the weights of a graph lie, and those of graphs within it."""
        if depth > _DEEPEST:
            raise ValueError("its graphs lie too deep within each other")
        for number, place in self._fields(graph):
            if number == _GRAPH_WEIGHTS:
                self._tensor(place)
            elif number == _GRAPH_SPARSE:
                self._sparse(place)
        self._nodes(graph, _GRAPH_NODE, depth)

    def _nodes(self, owner: tuple[int, int], node: int, depth: int) -> None:
        for number, place in self._fields(owner):
            if number != node:
                continue
            for kind, attribute in self._fields(place):
                if kind != _NODE_ATTRIBUTE:
                    continue
                for what, value in self._fields(attribute):
                    if what in _ATTRIBUTE_TENSORS:
                        self._tensor(value)
                    elif what in _ATTRIBUTE_GRAPHS:
                        self._look_into(value, depth + 1)
                    elif what in _ATTRIBUTE_SPARSE:
                        self._sparse(value)

    def _sparse(self, place: tuple[int, int]) -> None:
        for number, part in self._fields(place):
            if number in _SPARSE_PARTS:
                self._tensor(part)

    def _tensor(self, place: tuple[int, int]) -> None:
        for number, entry in self._fields(place):
            if number == _TENSOR_ELSEWHERE and self._text(self._first(entry, 1)) == "location":
                self._elsewhere[self._text(self._first(entry, 2))] = None

    def _value(self, place: tuple[int, int]) -> Value:
        name, kind = self._text(self._first(place, 1)), self._first(place, 2)
        tensor = self._first(kind, 1)
        numbers = dict(self._numbers(tensor))
        shape = []
        for number, dimension in self._fields(self._first(tensor, 2)):
            if number == 1:
                size = dict(self._numbers(dimension)).get(1, 0)
                shape.append(size if 0 < size < _LARGEST else None)
        return Value(name, _TYPES.get(numbers.get(1, 0), "another type"), tuple(shape))

    def _first(self, place: tuple[int, int], wanted: int) -> tuple[int, int]:
        """Where the field of that number is; nowhere, as an empty one, when there is none."""
        return next((found for number, found in self._fields(place) if number == wanted), (0, 0))

    def _text(self, place: tuple[int, int]) -> str:
        return bytes(self._content[slice(*place)]).decode()

    def _fields(self, place: tuple[int, int]) -> Iterator[tuple[int, tuple[int, int]]]:
        """The number of each field of a message that holds bytes, and where these are."""
        return ((number, found) for number, found, _ in self._all(place) if found is not None)

    def _numbers(self, place: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """The fields of a message that are whole numbers."""
        return ((number, value) for number, found, value in self._all(place) if found is None)

    def _all(self, place: tuple[int, int]) -> Iterator[tuple[int, tuple[int, int] | None, int]]:
        at, end = place
        while at < end:
            key, at = self._varint(at)
            number, kind = key >> 3, key & 7
            if kind == 0:
                value, at = self._varint(at)
                yield number, None, value
                continue
            if kind == 2:
                length, at = self._varint(at)
                yield number, (at, at + length), 0
                at += length
            elif kind in (1, 5):
                at += 8 if kind == 1 else 4
            else:
                raise ValueError("it is damaged")
            if at > end:
                raise ValueError("it is cut off")

    def _varint(self, at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = self._content[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
            if shift > 63:
                raise ValueError("it is damaged")
