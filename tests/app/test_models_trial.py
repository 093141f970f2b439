"""Models that nobody could find anything by are refused, with the reason, and the old one stays."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from colour_bundle import DIM, SIZE
from networks import network
from onnx import NodeProto, TensorProto, helper
from shell import Shell

from photosearch import BundleError, Library
from photosearch.encoders import Bundle, write_manifest
from photosearch.indexing import trial

pytestmark = pytest.mark.slow

CALIBRATION = {
    "kind": "background",
    "scale": 10.0,
    "slope": 1.0,
    "weight": 1.0,
    "offset": 0.0,
    "floor": 0.0,
    "growth": 0.0,
    "sizes": [10, 100],
    "gap": 1.0,
}
MEAN = helper.make_node("ReduceMean", ["image"], ["colour"], axes=[2, 3], keepdims=0)


@pytest.fixture
def bundle(tmp_path: Path, colours: Path) -> Path:
    """One that finds pictures by their colour, to be changed."""
    return Path(shutil.copytree(colours, tmp_path / "bundle"))


def pictures_by(bundle: Path, nodes: Sequence[NodeProto], **weights: np.ndarray) -> Path:
    """The bundle with another network for pictures."""
    shape = ["n", 3, SIZE, SIZE]
    fields = Bundle.open(bundle).fields
    model = network(nodes, "image", TensorProto.FLOAT, shape, weights)
    onnx.save(model, bundle / "image.onnx")
    write_manifest(bundle, fields)
    return bundle


def refused(library: Path, bundle: Path) -> str:
    with Library.open(library) as opened:
        before = opened.models.all()
        with pytest.raises(BundleError) as raised:
            opened.models.use(bundle, at_once=True)
        assert opened.models.all() == before
    told = str(raised.value)
    assert told.startswith("colours-1-")
    assert told.endswith("; nothing was changed")
    assert "\n" not in told
    return told


@pytest.fixture
def place(tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library that another model answers for."""
    monkeypatch.delenv("PHOTOSEARCH_MODEL", raising=False)
    with Library.open(tmp_path / "library") as library:
        library.models.use(tiny_bundle, at_once=True)
    return tmp_path / "library"


def test_one_that_can_tell_pictures_apart_is_taken(place: Path, bundle: Path) -> None:
    with Library.open(place) as library:
        assert library.models.use(bundle, at_once=True).active


@pytest.mark.parametrize(
    ("widen", "add", "why"),
    [
        (np.zeros((3, DIM)), 0.0, "gives pictures vectors that are not of length 1"),
        (np.zeros((3, DIM)), 1.0, "gives pictures the same vector, whatever they are"),
        (np.zeros((3, DIM)), np.nan, "gives pictures vectors that are not finite"),
    ],
)
def test_vectors_that_are_of_no_use(
    place: Path, bundle: Path, widen: np.ndarray, add: float, why: str
) -> None:
    nodes = [
        MEAN,
        helper.make_node("MatMul", ["colour", "widen"], ["wide"]),
        helper.make_node("Add", ["wide", "add"], ["embedding"]),
    ]
    pictures_by(bundle, nodes, widen=widen, add=np.array([add]))
    assert why in refused(place, bundle)


def test_one_that_needs_too_much_memory(place: Path, bundle: Path) -> None:
    nodes = [
        MEAN,
        helper.make_node("ConstantOfShape", ["shape"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=0),
        helper.make_node("MatMul", ["colour", "widen"], ["wide"]),
        helper.make_node("Add", ["wide", "sum"], ["embedding"]),
    ]
    pictures_by(bundle, nodes, shape=np.array([1 << 40]), widen=np.eye(3, DIM))
    assert "of memory" in refused(place, bundle)


def test_one_that_never_ends(place: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SECONDS", 8.0)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("Identity", ["before"], ["after"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, ["n", 3]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, ["n", 3]),
        ],
    )
    nodes = [
        MEAN,
        helper.make_node("Loop", ["", "start", "colour"], ["turned"], body=body),
        helper.make_node("MatMul", ["turned", "widen"], ["embedding"]),
    ]
    pictures_by(bundle, nodes, start=np.array(True), widen=np.eye(3, DIM))
    assert "gave no vectors within 8 s" in refused(place, bundle)


@pytest.mark.parametrize("turned", [False, True])
def test_plain_colours_fit_their_names_where_cosines_are_said_to_mean_something(
    place: Path, bundle: Path, turned: bool
) -> None:
    fields = Bundle.open(bundle).fields | {"calibration": CALIBRATION}
    np.save(bundle / "background.npy", np.eye(100, DIM, dtype=np.float16))
    write_manifest(bundle, fields)
    if not turned:
        with Library.open(place) as library:
            assert library.models.use(bundle, at_once=True).active
        return
    pictures_by(
        bundle,
        [MEAN, helper.make_node("MatMul", ["colour", "widen"], ["embedding"])],
        widen=np.roll(np.eye(3), 1, axis=0) @ np.eye(3, DIM),
    )
    assert "takes plain colours for others than their names say" in refused(place, bundle)


def test_the_command_says_it_in_one_line(shell: Shell, place: Path, bundle: Path) -> None:
    nodes = [MEAN, helper.make_node("MatMul", ["colour", "widen"], ["embedding"])]
    pictures_by(bundle, nodes, widen=np.zeros((3, DIM)))
    del shell.environment["PHOTOSEARCH_MODEL"]
    result = shell("models", "use", bundle)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert b"not of length 1" in result.stderr
