"""An ONNX network with its weights in 8 bits, written by ONNX Runtime's own tools.

They need the package `onnx`, and several times the memory that the weights take, so they run in a
process of their own.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self

from photosearch.encoders.int8 import write_int8_products
from photosearch.encoders.onnx import import_onnxruntime
from photosearch.errors import BundleError, UsageError
from photosearch.indexing.workers import without_main

# "dynamic": a product's inputs are rounded to 8 bits too, with one scale for all of them, as they
# come: the quickest. "blocks": both have a scale for each 32, as `encoders.int8` writes them.
Method = Literal["dynamic", "blocks"]
METHODS: tuple[Method, ...] = ("dynamic", "blocks")
_NEEDED = ("onnx", "onnx_ir")
# What one file of Protocol Buffers may hold, and less than that.
_ONE_FILE = 1_800_000_000
_OPERATORS = {"DynamicQuantizeMatMul", "DynamicQuantizeLinear", "MatMulInteger", "MatMulNBits"}


def check_installed() -> None:
    """Raise `UsageError` unless what writes networks is installed; nothing is imported."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"weights are made 8 bits by {' and '.join(missing)}, which is not installed; run `pip "
            "install 'photosearch[quantise]'`, and the same command again"
        )


class Writer:
    """A process that writes networks with the weights of their matrix products in 8 bits.

    Use as a context manager.
    """

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=context)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def write(self, source: Path, target: Path, method: Method) -> bool:
        """Write the network in `source` to `target`, which is in a folder of its own.

        False when it has no product whose weights are float32 and constant, as one that consists
        of convolutions, or is in 8 bits already.

        Raises `BundleError` when ONNX Runtime cannot do it, or memory runs out.
        """
        try:
            # The process starts with the first network.
            with without_main():
                ended = self._pool.submit(_write, source, target, method)
            return ended.result()
        except BrokenProcessPool:
            fault = "ended its process; memory may have run out"
        # Its tools raise whatever their authors did not expect.
        except Exception as error:
            fault = " ".join(str(error).split())[:300] or type(error).__name__
        raise BundleError(f"{source}: cannot be made 8 bits: {fault}; the model stays as it is")


def _write(source: Path, target: Path, method: Method) -> bool:
    import_onnxruntime()
    # The tools tell of each tensor that they pass over.
    logging.disable(logging.WARNING)
    if method == "dynamic":
        _round(source, target, ("MatMul", "Gemm", "Gather"))
    else:
        between = target.with_name(f".{target.name}")
        # The table of tokens stays as it was, and may be most of the network.
        write_int8_products(source, between, beside=_bytes(source) > _ONE_FILE)
        _round(between, target, ("Gather",))
        for path in between.parent.glob(f"{between.name}*"):
            path.unlink()
    return _products(target)


def _round(source: Path, target: Path, operators: Sequence[str]) -> None:
    """By one scale a column of the weights, and of a table that is looked up in."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=list(operators),
        per_channel=True,
        weight_type=QuantType.QInt8,
        use_external_data_format=_bytes(source) > 4 * _ONE_FILE,
        extra_options={"MatMulConstBOnly": True},
    )


def _bytes(graph: Path) -> int:
    """Of a graph, and of the files beside it that it keeps weights in."""
    return sum(path.stat().st_size for path in graph.parent.iterdir() if path.is_file())


def _products(graph: Path) -> bool:
    import onnx

    model: Any = onnx.load(graph, load_external_data=False)
    return any(node.op_type in _OPERATORS for node in model.graph.node)
