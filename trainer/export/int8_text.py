"""A text tower whose matrix products are 8-bit: a quarter of the size, and faster on most CPUs.

Weights are stored as integers with one scale for each 32 inputs of an output, and the inputs of a
product are rounded to 8 bits as they come, in blocks of 32 too (ONNX Runtime's `MatMulNBits`). So
a large value costs precision in its block alone, and a text gets the same embedding whatever else
is in its batch.

Convolutions stay float32, since ONNX Runtime's integer ones are slower. For the same reason there
is no such form of the image towers, which are convolutions almost throughout.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from photosearch.encoders.onnx import import_onnxruntime
from trainer.export.errors import ExportError

_BLOCK = 32
# Of the operator: the inputs are rounded to 8 bits, where the processor has products of integers.
_INTEGER_INPUTS = 4


def write_int8(source: Path, path: Path) -> None:
    """Write the network in the ONNX file `source` with 8-bit matrix products to `path`.

    Raises `ExportError` when it has no matrix product with constant weights.
    """
    import_onnxruntime()
    import onnx

    with root_logger_as_it_was():
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
        from onnxruntime.quantization.onnx_model import ONNXModel

        network = ONNXModel(onnx.load(source))
        network.replace_gemm_with_matmul()
        quantizer = MatMulNBitsQuantizer(
            network.model,
            bits=8,
            block_size=_BLOCK,
            is_symmetric=True,
            accuracy_level=_INTEGER_INPUTS,
        )
        quantizer.process()
        quantizer.model.save_model_to_file(str(path))
    if not any(node.op_type == "MatMulNBits" for node in onnx.load(path).graph.node):
        raise ExportError(f"{source.name}: has no linear layer to store in 8 bits; leave out int8")


@contextmanager
def root_logger_as_it_was() -> Iterator[None]:
    """ONNX Runtime's quantiser logs to the root logger, which thereby gets a handler for good."""
    root = logging.getLogger()
    handlers, level, disabled = list(root.handlers), root.level, root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(disabled)
        root.handlers[:] = handlers
        root.setLevel(level)
