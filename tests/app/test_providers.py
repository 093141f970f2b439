"""Which provider encodes pictures: one that is there, gives the same, and is quicker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from photosearch import UsageError
from photosearch.encoders import open_encoder
from photosearch.encoders.onnx import import_onnxruntime
from photosearch.encoders.providers import AUTO, CPU, KNOWN, candidates, quickest, same

CUDA, COREML, DIRECTML, OPENVINO = (
    "CUDAExecutionProvider",
    "CoreMLExecutionProvider",
    "DmlExecutionProvider",
    "OpenVINOExecutionProvider",
)
ROW = (3, 64, 64)


def network(path: Path) -> Any:
    return import_onnxruntime().InferenceSession(str(path), providers=[CPU])


@pytest.fixture
def reference(tiny_bundle: Path) -> Any:
    return network(tiny_bundle / "image.onnx")


def altered(tiny_bundle: Path, folder: Path, noise: float) -> Any:
    """The same network, whose last weights are off by so large a share."""
    model = onnx.load(tiny_bundle / "image.onnx")
    weights = next(each for each in model.graph.initializer if each.name == "project")
    exact = numpy_helper.to_array(weights)
    off = noise * exact.std() * np.random.default_rng(0).normal(size=exact.shape)
    weights.CopyFrom(numpy_helper.from_array((exact + off).astype(np.float32), "project"))
    onnx.save(model, folder / "altered.onnx")
    return network(folder / "altered.onnx")


def test_those_that_are_there_are_tried_the_quickest_first() -> None:
    assert candidates([CPU], AUTO) == []
    assert candidates([COREML, CPU], AUTO) == [COREML]
    assert candidates([DIRECTML, CUDA, CPU], AUTO) == [CUDA, DIRECTML]
    assert candidates([OPENVINO, CPU], AUTO) == [OPENVINO]
    assert candidates(["AzureExecutionProvider", CPU], AUTO) == []


def test_a_named_one_is_the_only_one() -> None:
    assert candidates([CUDA, DIRECTML, CPU], "cpu") == []
    assert candidates([CUDA, DIRECTML, CPU], "directml") == [DIRECTML]
    with pytest.raises(UsageError, match="has no coreml"):
        candidates([CUDA, CPU], "coreml")
    with pytest.raises(UsageError, match="may be auto, cpu, cuda, coreml, directml, openvino"):
        candidates([CPU], "gpu")


def test_one_that_gives_the_same_is_taken(reference: Any, tiny_bundle: Path) -> None:
    other = network(tiny_bundle / "image.onnx")
    taken = quickest(reference, lambda _: other, "image", ROW, [CPU], insist=True)
    assert taken is other


def test_roundings_of_float16_are_the_same(
    reference: Any, tiny_bundle: Path, tmp_path: Path
) -> None:
    other = altered(tiny_bundle, tmp_path, 1e-3)
    assert quickest(reference, lambda _: other, "image", ROW, [CPU], insist=True) is other


def test_one_that_computes_something_else_is_not(
    reference: Any, tiny_bundle: Path, tmp_path: Path
) -> None:
    other = altered(tiny_bundle, tmp_path, 0.1)
    assert quickest(reference, lambda _: other, "image", ROW, [CPU]) is reference
    with pytest.raises(UsageError, match="gives other embeddings than the processor"):
        quickest(reference, lambda _: other, "image", ROW, [CPU], insist=True)
    numbers = np.ones((2, 3), np.float32)
    assert same(numbers, 2 * numbers)
    assert not same(numbers, np.full_like(numbers, np.nan))
    assert not same(numbers, np.zeros_like(numbers))


def test_one_that_does_not_start_is_passed_over(reference: Any, tiny_bundle: Path) -> None:
    """As without the card: ONNX Runtime then runs the network on the processor, and says so."""
    broken = tiny_bundle / "README.md"
    assert quickest(reference, lambda _: network(broken), "image", ROW, [CUDA]) is reference
    fallen_back = network(tiny_bundle / "image.onnx")
    assert quickest(reference, lambda _: fallen_back, "image", ROW, [CUDA]) is reference
    with pytest.raises(UsageError, match="does not start"):
        quickest(reference, lambda _: fallen_back, "image", ROW, [CUDA], insist=True)


@pytest.mark.slow
def test_the_environment_is_heard(tiny_bundle: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    expected = open_encoder(tiny_bundle).encode_pixels(pixels)
    program = (
        "import sys, numpy\n"
        "from photosearch.encoders import open_encoder\n"
        "pixels = numpy.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), numpy.uint8)\n"
        "numpy.save(sys.argv[2], open_encoder(sys.argv[1]).encode_pixels(pixels))\n"
    )
    out = tiny_bundle.parent / "rows.npy"

    def run(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, str(tiny_bundle), str(out)],
            env=os.environ | {"PHOTOSEARCH_PROVIDER": name},
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert run("CPU").returncode == 0
    assert np.load(out) == pytest.approx(expected, abs=1e-6)
    refused = run("abacus")
    assert refused.returncode != 0
    assert "PHOTOSEARCH_PROVIDER is 'abacus', and must be auto, cpu, cuda" in refused.stderr


def test_the_setting_names_those_that_there_are() -> None:
    from photosearch.settings import SETTINGS

    assert SETTINGS["provider"].kind.range() == f"auto, cpu, {', '.join(KNOWN)}".replace(
        ", openvino", " or openvino"
    )
