"""A model's graph may keep weights in files beside it, and reads no other file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from photosearch.encoders import Bundle, write_manifest
from photosearch.encoders.onnx import OnnxEncoder
from photosearch.errors import BundleError


def keep_weights_in(bundle: Path, place: str, fields: dict[str, Any]) -> None:
    """Let the text network read the first of its weights from `place`, as its file says."""
    path = bundle / "text.onnx"
    model = onnx.load(path)
    (tensor,) = (one for one in model.graph.initializer if one.name == "project")
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", place
    path.write_bytes(model.SerializeToString())
    write_manifest(bundle, fields)


def weights(bundle: Path) -> bytes:
    model = onnx.load(bundle / "text.onnx")
    (tensor,) = (one for one in model.graph.initializer if one.name == "project")
    return np.asarray(onnx.numpy_helper.to_array(tensor), np.float32).tobytes()


def test_weights_beside_it_are_read(bundle_copy: Path, manifest_fields: dict[str, Any]) -> None:
    (bundle_copy / "weights.bin").write_bytes(weights(bundle_copy))
    before = OnnxEncoder(Bundle.open(bundle_copy)).encode_texts(["a cat"])
    keep_weights_in(bundle_copy, "weights.bin", manifest_fields)

    after = OnnxEncoder(Bundle.open(bundle_copy)).encode_texts(["a cat"])

    assert np.allclose(before, after)


@pytest.mark.parametrize("how", ["above", "absolute", "link"])
def test_weights_outside_the_folder_are_not_read(
    bundle_copy: Path, manifest_fields: dict[str, Any], how: str
) -> None:
    outside = bundle_copy.parent / "outside.bin"
    outside.write_bytes(weights(bundle_copy))
    place = {"above": "../outside.bin", "absolute": str(outside), "link": "link.bin"}[how]
    if how == "link":
        (bundle_copy / place).symlink_to(outside)
    keep_weights_in(bundle_copy, place, manifest_fields)

    with pytest.raises(BundleError, match=r"text\.onnx"):
        OnnxEncoder(Bundle.open(bundle_copy)).encode_texts(["a cat"])
