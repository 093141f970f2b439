"""ONNX networks with the weights of their matrix products in 8 bits.

These are integers with one scale for each 32 inputs of an output, and the inputs of a product are
rounded to 8 bits as they come, in blocks of 32 too (ONNX Runtime's `MatMulNBits`). So a large value
costs precision in its block alone, and a vector does not depend on what is encoded with it.
"""

from __future__ import annotations

from pathlib import Path

_BLOCK = 32
# Of the operator: the inputs are rounded to 8 bits, where the processor has products of integers.
_INTEGER_INPUTS = 4


def write_int8_products(source: Path, target: Path, *, beside: bool = False) -> None:
    """Write the network in the ONNX file `source` to `target`, with weights in it or `beside` it.

    It needs the packages onnx and onnx-ir, and several times the memory that the weights take. ONNX
    Runtime logs to the root logger meanwhile, and raises whatever its authors did not expect.
    """
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
    from onnxruntime.quantization.onnx_model import ONNXModel

    network = ONNXModel(onnx.load(source))
    network.replace_gemm_with_matmul()
    made = MatMulNBitsQuantizer(
        network.model,
        bits=8,
        block_size=_BLOCK,
        is_symmetric=True,
        accuracy_level=_INTEGER_INPUTS,
    )
    made.process()
    made.model.save_model_to_file(str(target), beside)
