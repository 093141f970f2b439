"""The small image tower and its backbones."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from trainer.models.nano_image import BACKBONES, NanoImageTower

DIM, HIDDEN = 24, 32


@pytest.fixture(scope="module")
def images() -> Tensor:
    """Patterns that differ, float32 (4, 3, 64, 64)."""
    patches = torch.rand((4, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    return nn.functional.interpolate(patches * 2 - 1, size=64)


def tower(name: str = "mobilenetv2_100", *, seed: int = 0) -> NanoImageTower:
    torch.manual_seed(seed)
    return NanoImageTower(name, dim=DIM, hidden=HIDDEN)


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
