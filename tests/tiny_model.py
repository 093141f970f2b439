"""A small bundle of random weights: its networks see and read something, and nothing is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from manifest import bundle_fields
from networks import network
from onnx import TensorProto, helper

from photosearch.encoders import write_manifest

SIZE, CONTEXT, DIM = 64, 16, 32
_VOCABULARY, _CHANNELS, _TOKEN_WIDTH = 49408, 16, 8


def tiny_fields() -> dict[str, Any]:
    """What `write_manifest` takes to describe it."""
    return bundle_fields(size=SIZE, context=CONTEXT, dim=DIM, provenance={"weights": "random"})


def write_tiny(folder: Path) -> Path:
    """The bundle in `folder`, which is made."""
    folder.mkdir()
    rng = np.random.default_rng(20240607)
    onnx.save(_image_network(rng), folder / "image.onnx")
    onnx.save(_text_network(rng), folder / "text.onnx")
    (folder / "README.md").write_text("# tiny\n\nRandom weights, for tests.\n", encoding="utf-8")
    write_manifest(folder, tiny_fields())
    return folder


def _image_network(rng: np.random.Generator) -> onnx.ModelProto:
    """Patches, a ReLU, a coarse grid of averages, and a projection."""
    grid = _CHANNELS * 2 * 2
    weights = {
        "patch": rng.normal(size=(_CHANNELS, 3, 8, 8)) / 8,
        "project": rng.normal(size=(grid, DIM)),
    }
    nodes = [
        helper.make_node("Conv", ["image", "patch"], ["patches"], strides=[8, 8]),
        helper.make_node("Relu", ["patches"], ["active"]),
        helper.make_node("AveragePool", ["active"], ["grid"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["grid"], ["flat"]),
        helper.make_node("MatMul", ["flat", "project"], ["embedding"]),
    ]
    return network(nodes, "image", TensorProto.FLOAT, ["n", 3, SIZE, SIZE], weights)


def _text_network(rng: np.random.Generator) -> onnx.ModelProto:
    """Token vectors side by side, and a projection: the order of the words counts."""
    weights = {
        "table": rng.normal(size=(_VOCABULARY, _TOKEN_WIDTH)),
        "project": rng.normal(size=(CONTEXT * _TOKEN_WIDTH, DIM)),
    }
    nodes = [
        helper.make_node("Gather", ["table", "tokens"], ["vectors"]),
        helper.make_node("Flatten", ["vectors"], ["flat"]),
        helper.make_node("MatMul", ["flat", "project"], ["embedding"]),
    ]
    return network(nodes, "tokens", TensorProto.INT64, ["n", CONTEXT], weights)
