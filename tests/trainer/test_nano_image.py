"""The small image tower: its backbones, its frozen norms, and its weights in files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from trainer.models.nano_image import BACKBONES, NanoImageTower, load_projection, load_tower

DIM, HIDDEN = 24, 32


@pytest.fixture(scope="module")
def images() -> Tensor:
    """Patterns that differ, float32 (4, 3, 64, 64)."""
    patches = torch.rand((4, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    return nn.functional.interpolate(patches * 2 - 1, size=64)


def tower(name: str = "mobilenetv2_100", *, seed: int = 0) -> NanoImageTower:
    torch.manual_seed(seed)
    return NanoImageTower(name, dim=DIM, hidden=HIDDEN)


def norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


def statistics(network: nn.Module) -> dict[str, Tensor]:
    """What batch normalisations keep of the batches they have seen."""
    kept = {
        name: value.clone()
        for name, value in network.state_dict().items()
        if name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    }
    assert len(kept) == 3 * len(norms(network))
    return kept


def unchanged(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[bool]:
    return {torch.equal(before[name], after[name]) for name in before}


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_embeds_pictures_of_any_size(name: str, images: Tensor) -> None:
    network = tower(name)
    assert network.training
    network.eval()
    with torch.no_grad():
        large, small = network(images), network(images[:, :, :32, :32])
    assert large.shape == small.shape == (4, DIM)
    assert large.isfinite().all()
    # The fused FastViT has no norms and, untrained, gives all pictures the same embedding.
    assert torch.allclose(large, large.roll(1, 0), atol=1e-4) == (name == "fastvit_slim")


def test_an_unknown_backbone() -> None:
    with pytest.raises(
        ValueError, match="resnet50: not a Nano backbone; choose one of mobilenetv2"
    ):
        NanoImageTower("resnet50")


class TestFrozenNorms:
    def test_training_leaves_their_statistics_alone(self, images: Tensor) -> None:
        network = tower()
        network.freeze_norms = True
        network.train()
        stem = next(m for m in network.backbone.modules() if isinstance(m, nn.Conv2d))
        before, weights = statistics(network), stem.weight.clone()
        optimizer = torch.optim.SGD(network.parameters(), 0.1)
        for _ in range(2):
            network(images).square().mean().backward()
            optimizer.step()
        assert unchanged(before, statistics(network)) == {True}
        assert not torch.equal(stem.weight, weights)
        gain = norms(network)[0].weight.grad
        assert gain is not None
        assert gain.abs().sum() > 0  # gains and offsets learn all the same

    def test_training_sees_what_evaluation_sees(self, images: Tensor) -> None:
        network = tower()
        network.freeze_norms = True
        with torch.no_grad():
            torch.testing.assert_close(network.train()(images), network.eval()(images))

    def test_without_it_they_follow_the_batches(self, images: Tensor) -> None:
        network = tower()
        before = statistics(network)
        with torch.no_grad():
            trained = network.train()(images)
            assert unchanged(before, statistics(network)) == {False}
            assert not torch.allclose(trained, network.eval()(images), atol=1e-3)

    def test_only_the_norms_stay_behind(self) -> None:
        network = tower()
        network.freeze_norms = True
        network.train()
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
                assert module.training != isinstance(module, nn.BatchNorm2d)
        network.eval()
        assert not any(module.training for module in network.modules())
        network.freeze_norms = False
        assert all(module.training for module in network.train().modules())


def save(state: dict[str, Tensor], path: Path) -> Path:
    if path.suffix == ".pt":
        torch.save(state, path)
    else:
        save_file(state, path)
    return path


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_a_saved_tower_is_the_same(suffix: str, images: Tensor, tmp_path: Path) -> None:
    network = tower()
    with torch.no_grad():
        network(images)  # so that the norms hold statistics
        path = save(network.state_dict(), tmp_path / f"model.{suffix}")
        again = load_tower(path)
        assert not again.training
        assert torch.equal(again(images), network.eval()(images))


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_a_projection_is_put_on_another_backbone(suffix: str, tmp_path: Path) -> None:
    taught, network = tower(), tower(seed=1)
    state = {f"projection.{name}": v for name, v in taught.projection.state_dict().items()}
    before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
    load_projection(network, save(state, tmp_path / f"model.{suffix}"))
    for name, value in taught.projection.state_dict().items():
        assert torch.equal(network.projection.state_dict()[name], value)
    assert unchanged(before, network.backbone.state_dict()) == {True}


def test_weights_of_something_else(tmp_path: Path) -> None:
    network = tower()
    whole = save(network.state_dict(), tmp_path / "whole.safetensors")
    wide = NanoImageTower(dim=DIM + 1, hidden=HIDDEN).projection.state_dict()
    projection = {f"projection.{name}": value for name, value in wide.items()}
    text = {"token_embedding.weight": torch.zeros(3, 2)}
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for state in (projection, text, {}):
        path = save(state, tmp_path / "other.safetensors")
        with pytest.raises(ValueError, match=r"other\.safetensors: holds something else"):
            load_projection(network, path)
        with pytest.raises(ValueError, match=r"other\.safetensors: not the weights of an image"):
            load_tower(path)
    with pytest.raises(ValueError, match=r"whole\.safetensors: holds something else"):
        load_projection(network, whole)
    assert unchanged(before, network.state_dict()) == {True}
    with pytest.raises(ValueError, match="not the weights of an image tower on mobilenetv4_conv"):
        load_tower(whole, "mobilenetv4_conv_small")
    with pytest.raises(ValueError, match="no such weights file"):
        load_projection(network, tmp_path / "gone.safetensors")
