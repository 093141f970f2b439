"""One tower as one ONNX file, of any batch size.

Exported by way of `torch.export` (`dynamo=True`). PyTorch has deprecated the older tracing
exporter, whose graphs are also worse: of MobileCLIP-Nano's image tower it makes 653 nodes instead
of 102 and leaves GELU in pieces, and it silently fixes whatever Python computes from a traced
shape, where `torch.export` refuses. The price is the package onnxscript and a second an export.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from trainer.export.errors import ExportError

if TYPE_CHECKING:
    import onnx_ir as ir

# 20 is the first with Gelu as one operator; ONNX Runtime reads it from 1.17 on.
_OPSET = 20
_LEAST_VALUES = 1024


def write_onnx(
    tower: nn.Module,
    example: Tensor,
    path: Path,
    *,
    input_name: str,
    float16: bool = False,
    free_length: bool = False,
) -> None:
    """Export `tower`, in eval mode, to the file `path` and nothing beside it.

    The input is called `input_name`, the output "embedding"; the first axis of both is free, and
    with `free_length` the second of the input, up to the length of the example. With `float16`, the
    weights that float16 holds exactly are stored in it and cast back in the graph (see
    `trainer.export.storage.round_to_float16`); the others stay as they are.

    Args:
        example: an input of at least two rows, since PyTorch takes a batch of one for a constant.

    Raises:
        ExportError: the tower fixes an axis that is to be free, or PyTorch cannot export it.
    """
    axes = {0: torch.export.Dim("n")}
    if free_length:
        axes[1] = torch.export.Dim("length", max=example.shape[1])
    with _exportable():
        try:
            # Captured here, since the exporter's own capture lets a tower fix its batch size.
            captured = torch.export.export(tower, (example,), dynamic_shapes=(axes,))
            program = torch.onnx.export(
                captured,
                (),
                input_names=[input_name],
                opset_version=_OPSET,
                dynamo=True,
                verbose=False,
            )
        except Exception as error:  # the tower's own code runs in here, and may fail in any way
            reason = " ".join(str(error).split())[:300]
            raise ExportError(f"{path.name}: PyTorch cannot export this tower: {reason}") from error
    assert program is not None  # it is None for the tracing exporter only
    _tidy(program.model)
    if float16:
        _store_float16(program.model)
    program.save(path, external_data=False)


@contextmanager
def _exportable() -> Iterator[None]:
    """PyTorch's fused attention of eval mode has no ONNX form; its own warnings are not ours."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r".*LeafSpec.* is deprecated", FutureWarning)
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _tidy(model: ir.Model) -> None:
    """Plain names throughout, and none of the exporter's notes.

    The notes are stack traces: they hold paths of this machine and change from run to run. The
    names are the exporter's function names, one of which is "embedding", as our output is called.
    """
    graph = model.graph
    for number, node in enumerate(graph.all_nodes()):
        node.name = f"{node.op_type.lower()}_{number}"
        node.doc_string = None
        node.metadata_props.clear()
        for place, value in enumerate(node.outputs):
            value.name = f"{node.name}_out{place}"
            value.metadata_props.clear()
    for value in (*graph.inputs, *graph.initializers.values()):
        value.metadata_props.clear()
    graph.metadata_props.clear()
    model.metadata_props.clear()
    (output,) = graph.outputs
    output.name = "embedding"


def store_float16(path: Path) -> None:
    """Store the large weights of the ONNX file `path` that float16 holds exactly in float16."""
    import onnx_ir as ir

    model = ir.load(path)
    _store_float16(model)
    ir.save(model, path)


def _store_float16(model: ir.Model) -> None:
    """Float32 weights that float16 holds exactly become float16, each with a cast after it."""
    import onnx_ir as ir

    graph = model.graph
    first = graph[0]
    for name, value in list(graph.initializers.items()):
        assert value.const_value is not None
        if value.dtype != ir.DataType.FLOAT or value.const_value.size < _LEAST_VALUES:
            continue
        full = value.const_value.numpy()
        half = full.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), full):
            continue
        stored = ir.Value(
            name=f"{name}.float16",
            shape=value.shape,
            type=ir.TensorType(ir.DataType.FLOAT16),
            const_value=ir.tensor(half, name=f"{name}.float16"),
        )
        graph.register_initializer(stored)
        cast = ir.node("Cast", [stored], {"to": ir.DataType.FLOAT}, name=f"widen_{name}")
        graph.insert_before(first, cast)
        widened = cast.outputs[0]
        widened.name = f"{name}.float32"
        widened.shape, widened.type = value.shape, value.type
        value.replace_all_uses_with(widened)
        del graph.initializers[name]
