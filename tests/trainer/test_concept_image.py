"""The image tower of classifiers, a head and a branch of concepts, and its form in 8 bits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from trainer.export.errors import ExportError
from trainer.export.int8_image import write_int8_convolutions
from trainer.export.onnx_file import write_onnx
from trainer.export.samples import sample_pixels
from trainer.models.concept_image import ConceptImageTower, Sight, load_classifier
from trainer.models.config import ImageConfig
from trainer.models.folding import fold_batch_norms

pytestmark = pytest.mark.slow

NAME, SIDE, DIM = "tf_efficientnet_lite0", 64, 24


def images(count: int, seed: int = 0) -> NDArray[np.float32]:
    pixels = sample_pixels(count, SIDE, seed=seed).astype(np.float32)
    return np.ascontiguousarray((pixels / 127.5 - 1).transpose(0, 3, 1, 2))


@pytest.fixture(scope="module")
def tower() -> ConceptImageTower:
    """With random weights, and normalisations that have seen pictures."""
    torch.manual_seed(0)
    tower = ConceptImageTower([NAME], dim=DIM, hidden=32)
    torch.nn.init.normal_(tower.concepts)
    with torch.no_grad():
        for _ in range(3):
            tower.train().look(torch.from_numpy(images(32)))
    return tower.eval()


def test_it_adds_the_classes_to_what_the_head_says(tower: ConceptImageTower) -> None:
    with torch.inference_mode():
        features, probabilities = tower.look(torch.from_numpy(images(4)))
        placed = tower(torch.from_numpy(images(4)))
        assert features.shape == (4, 1280)
        assert probabilities.sum(1) == pytest.approx(torch.ones(4), abs=1e-5)
        mixture = F.normalize(probabilities @ tower.concepts, dim=1)
        expected = tower.head(features, mixture) + 0.5 * mixture
    assert placed.numpy() == pytest.approx(F.normalize(expected, dim=1).numpy(), abs=1e-5)


def test_a_photo_of_one_class_lies_at_its_name_when_only_that_counts(
    tower: ConceptImageTower,
) -> None:
    sure = F.one_hot(torch.tensor([7, 500]), 1000).float()
    before = tower.share.detach().clone()
    with torch.no_grad():
        tower.share.fill_(1e6)
        placed = tower.place(torch.zeros(2, 1280), sure)
        tower.share.copy_(before)
        names = F.normalize(tower.concepts[[7, 500]], dim=1)
    assert (placed * names).sum(1).numpy() == pytest.approx(1, abs=1e-4)


def test_weights_under_the_names_of_another_implementation(tower: ConceptImageTower) -> None:
    (network,) = tower.classifiers
    state = network.state_dict()
    other = {
        f"_tensor_{n}.{name.rpartition('.')[2]}": v for n, (name, v) in enumerate(state.items())
    }
    fresh = ConceptImageTower([NAME], dim=DIM, hidden=8)
    load_classifier(fresh.classifiers[0], other, "other.pth")
    assert all(torch.equal(v, state[k]) for k, v in fresh.classifiers[0].state_dict().items())

    name = next(iter(other))
    with pytest.raises(ValueError, match=r"other\.pth: _tensor_0\.weight \(3,\) where this"):
        load_classifier(fresh.classifiers[0], other | {name: torch.zeros(3)}, "other.pth")
    with pytest.raises(ValueError, match=r"other\.pth: 1 tensors, and this network has"):
        load_classifier(fresh.classifiers[0], {name: other[name]}, "other.pth")


def test_classifiers_must_know_the_same_classes() -> None:
    names = [NAME, "tf_efficientnetv2_b3.in21k"]
    with torch.device("meta"), pytest.raises(ValueError, match="of different classes"):
        ConceptImageTower(names, dim=8, hidden=8)


def test_a_tower_with_concepts_needs_a_head() -> None:
    with pytest.raises(ValueError, match="the width of its head"):
        ImageConfig(
            tower=NAME, pool="avg", size=64, resize="squash", crop="none",
            interpolation="bicubic", mean=(0, 0, 0), std=(1, 1, 1), concepts=True,
        )  # fmt: skip


@pytest.fixture(scope="module")
def plain(tower: ConceptImageTower, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("network") / "image.onnx"
    write_onnx(
        fold_batch_norms(Sight(tower)), torch.zeros(2, 3, SIDE, SIDE), path, input_name="image"
    )
    return path


def answers(path: Path, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    network = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (rows,) = network.run(["embedding"], {"image": pictures})
    return np.asarray(rows)


def test_in_8_bits_it_sees_nearly_the_same(plain: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.onnx"
    write_int8_convolutions(plain, small, iter([images(16), images(16, seed=1)]))
    assert small.stat().st_size < 0.5 * plain.stat().st_size
    theirs, ours = answers(plain, images(16, seed=2)), answers(small, images(16, seed=2))
    features, others = theirs[:, :1280], ours[:, :1280]
    cosines = (features * others).sum(1)
    cosines /= np.linalg.norm(features, axis=1) * np.linalg.norm(others, axis=1)
    assert cosines.min() > 0.9
    # What follows the pooling is not in 8 bits: probabilities would not sum to 1.
    assert ours[:, 1280:].sum(1) == pytest.approx(1, abs=1e-4)
    graph = onnx.load(small).graph
    makers = {name: node for node in graph.node for name in node.output}
    kinds = {
        kind: {
            makers[name].op_type for node in graph.node if node.op_type == kind
            for name in node.input if name in makers
        }
        for kind in ("Conv", "Gemm", "MatMul", "Softmax")
    }  # fmt: skip
    assert kinds["Conv"] == {"DequantizeLinear"}
    assert "DequantizeLinear" not in kinds["Gemm"] | kinds["MatMul"] | kinds["Softmax"]
    # Two products with inputs of 8 bits fit 16 bits, in which some processors add them.
    weights = [onnx.numpy_helper.to_array(one) for one in graph.initializer]
    largest = max(np.abs(one.astype(int)).max() for one in weights if one.dtype == np.int8)
    assert 2 * largest * 255 < 2**15


def test_what_cannot_be_put_in_8_bits(plain: Path, tmp_path: Path) -> None:
    def nothing() -> Iterator[NDArray[np.float32]]:
        yield from ()

    with pytest.raises((ExportError, ValueError)):
        write_int8_convolutions(plain, tmp_path / "out.onnx", nothing())
    flat = tmp_path / "flat.onnx"
    write_onnx(
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16, 4)).eval(),
        torch.zeros(2, 3, 4, 4),
        flat,
        input_name="image",
    )
    with pytest.raises(ExportError, match="no convolution before a pooling"):
        write_int8_convolutions(flat, tmp_path / "out.onnx", iter([]))
