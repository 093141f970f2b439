"""Starting a backbone from a classifier's file, and giving its norms true statistics."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_tflite import Network, Scheme, mobilenet_v2, pixels, random_mobilenet, write_classifier
from torch import nn

from trainer.models.nano_image import NanoImageTower
from trainer.models.warm_start import calibrate_norms, read_convolutions, warm_start
from trainer.teachers.classifier import TfliteClassifier

SIZE = 64


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Coarse random patterns, uint8 (8, 64, 64, 3)."""
    patches = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)
    return patches.repeat(4, axis=1).repeat(4, axis=2)


@pytest.fixture(scope="module")
def original(pictures: np.ndarray) -> Any:
    return random_mobilenet(pictures)


@pytest.fixture(scope="module")
def network(original: Any) -> Network:
    return mobilenet_v2(original, 10, np.random.default_rng(0))


@pytest.fixture(scope="module", params=["uint8", "int8", "float32"])
def stored(
    request: pytest.FixtureRequest,
    network: Network,
    pictures: np.ndarray,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Scheme, Path]:
    path = tmp_path_factory.mktemp("classifier") / "model.tflite"
    return request.param, write_classifier(path, network, pictures, scheme=request.param)


def fresh(name: str = "mobilenetv2_100") -> nn.Module:
    """A backbone that holds something else, in its norms too."""
    torch.manual_seed(1)
    backbone: nn.Module = NanoImageTower(name, dim=1, hidden=1).backbone
    for value in backbone.state_dict().values():
        if value.is_floating_point():
            value.add_(torch.rand_like(value))
    return backbone.eval()


def features(backbone: nn.Module, pictures: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return np.asarray(backbone(torch.from_numpy(pixels(pictures)).permute(0, 3, 1, 2)))


def cosines(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """(n, n), of each of ours with each of theirs."""
    ours, theirs = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (ours, theirs))
    return np.asarray(ours @ theirs.T)


def test_weights_are_read_in_order_of_execution(
    stored: tuple[Scheme, Path], network: Network
) -> None:
    scheme, path = stored
    read = list(read_convolutions(path))
    assert len(read) == len(network.convolutions) + 1  # and the logits
    for (weight, bias), layer in zip(read[:-1], network.convolutions, strict=True):
        assert weight.dtype == bias.dtype == np.float32
        # One step in 255 of the whole range, or in 127 to each side of a channel's own.
        if scheme == "uint8":
            step = np.full(len(weight), np.ptp(layer.weight) / 255)
        elif scheme == "int8":
            step = np.abs(layer.weight).max((1, 2, 3)) / 127
        else:
            step = np.zeros(len(weight))
        error = np.abs(weight - layer.weight).max((1, 2, 3))
        assert (error <= 0.51 * step + 1e-7).all()
        np.testing.assert_allclose(bias, layer.bias, atol=0.01)


def test_backbone_gives_the_classifiers_features(
    stored: tuple[Scheme, Path], original: Any, pictures: np.ndarray
) -> None:
    scheme, path = stored
    backbone = fresh()
    before = features(backbone, pictures)
    warm_start(backbone, path)
    ours, float_ones = features(backbone, pictures), features(original, pictures)
    assert np.diag(cosines(before, float_ones)).max() < 0.9
    if scheme == "float32":
        np.testing.assert_allclose(ours, float_ones, atol=1e-3)
        return
    assert np.diag(cosines(ours, float_ones)).min() > 0.99
    theirs = TfliteClassifier(path)(pictures)[0]
    alike = cosines(ours, theirs)
    assert np.diag(alike).min() > 0.99
    # All of these pictures look alike to a random network: what they differ in must agree too.
    assert (np.diag(alike) > alike + np.diag(np.full(len(alike), -1.0))).all()
    assert np.diag(cosines(ours - ours.mean(0), theirs - theirs.mean(0))).min() > 0.9


def test_another_architecture_is_refused(stored: tuple[Scheme, Path]) -> None:
    path = stored[1]
    untouched = fresh("mobilenetv4_conv_small")
    before = copy.deepcopy(untouched.state_dict())
    with pytest.raises(ValueError, match=r"model\.tflite: holds 52 convolutions before the logits"):
        warm_start(untouched, path)
    assert all(torch.equal(before[name], value) for name, value in untouched.state_dict().items())


def test_another_width_is_refused(stored: tuple[Scheme, Path]) -> None:
    backbone: Any = fresh()
    backbone.conv_head = nn.Conv2d(320, 640, 1, bias=False)
    with pytest.raises(ValueError, match=r"convolution 51 is \(1280, 320, 1, 1\), the backbone's"):
        warm_start(backbone, stored[1])


def test_a_file_that_is_missing_or_no_network(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.tflite: no such classifier"):
        warm_start(fresh(), tmp_path / "gone.tflite")
    (tmp_path / "page.tflite").write_bytes(b"<html>404 Not Found</html>" * 20)
    with pytest.raises(ValueError, match=r"page\.tflite: not a usable \.tflite file"):
        warm_start(fresh(), tmp_path / "page.tflite")


class TestCalibration:
    @pytest.fixture(scope="class")
    def batches(self) -> list[torch.Tensor]:
        random = torch.Generator().manual_seed(0)
        return [torch.rand((count, 3, SIZE, SIZE), generator=random) * 2 - 1 for count in (6, 4)]

    @pytest.fixture
    def warm(self, network: Network, pictures: np.ndarray, tmp_path: Path) -> nn.Module:
        backbone = fresh()
        warm_start(backbone, write_classifier(tmp_path / "m.tflite", network, pictures))
        return backbone

    def test_leaves_the_function_as_it_was(
        self, warm: nn.Module, batches: list[torch.Tensor]
    ) -> None:
        with torch.no_grad():
            before = [warm(batch) for batch in batches]
            calibrate_norms(warm, batches)
            after = [warm(batch) for batch in batches]
        for ours, theirs in zip(after, before, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)
        assert not warm.training
        warm.train()
        calibrate_norms(warm, batches)
        assert warm.training

    @pytest.mark.slow
    def test_norms_hold_the_statistics_of_their_inputs(
        self, warm: nn.Module, batches: list[torch.Tensor]
    ) -> None:
        calibrate_norms(warm, batches)
        seen: dict[nn.BatchNorm2d, torch.Tensor] = {}
        norms = [module for module in warm.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.register_forward_pre_hook(lambda norm, inputs: seen.update({norm: inputs[0]}))
        with torch.no_grad():
            warm(torch.cat(batches))
        assert len(seen) == 52
        for norm, inputs in seen.items():
            assert norm.running_mean is not None
            assert norm.running_var is not None
            mean, variance = inputs.mean((0, 2, 3)), inputs.var((0, 2, 3), unbiased=False)
            torch.testing.assert_close(norm.running_mean, mean, atol=1e-3, rtol=1e-3)
            torch.testing.assert_close(norm.running_var, variance, atol=1e-4, rtol=1e-2)

    def test_training_then_starts_where_the_classifier_stood(
        self, warm: nn.Module, batches: list[torch.Tensor]
    ) -> None:
        """In training mode the norms use the batch: it must be what they were calibrated on."""
        everything = torch.cat(batches)
        with torch.no_grad():
            expected = warm(everything)
            apart = copy.deepcopy(warm).train()(everything)
            calibrate_norms(warm, batches)
            trained = warm.train()(everything)
        assert float((trained - expected).abs().mean()) < 0.01 * float(expected.abs().mean())
        assert float((apart - expected).abs().mean()) > 0.2 * float(expected.abs().mean())
