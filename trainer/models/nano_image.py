"""The image towers small enough for two CPU cores to train: MobileCLIP-Nano and its candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import torch
from torch import nn

from trainer.models.state import read_state
from trainer.torchvision_ops import ensure_torchvision

# Candidates that Nano's backbone was chosen from; docs/decisions.md has the figures.
BACKBONES = ("mobilenetv2_100", "mobilenetv4_conv_small", "fastvit_slim")
MEAN = STD = (0.5, 0.5, 0.5)


class NanoImageTower(nn.Module):
    """A timm backbone, global average pooling and a two-layer projection.

    Maps float images (n, 3, S, S), S a multiple of 32, normalised with mean and standard deviation
    0.5, to embeddings (n, dim) that are not unit norm.

    With `freeze_norms` the backbone's batch normalisations use their running statistics in training
    too. A warm-started backbone needs that: its statistics are good already, and those of a small
    batch would undo more in the first steps than the rest of a short run can mend.
    """

    def __init__(
        self, backbone: str = "mobilenetv2_100", *, dim: int = 384, hidden: int = 768
    ) -> None:
        super().__init__()
        self.freeze_norms = False
        self.backbone, features = _build_backbone(backbone)
        self.projection = nn.Sequential(
            nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, dim)
        )

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        if mode and self.freeze_norms:
            for module in self.backbone.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        embeddings: torch.Tensor = self.projection(self.backbone(images))
        return embeddings


def _build_backbone(name: str) -> tuple[nn.Module, int]:
    ensure_torchvision()
    import timm
    from timm.models.fastvit import FastVit

    if name == "fastvit_slim":
        # A FastViT of half width, in the form that reparameterisation leaves: training the fused
        # network costs a third of training its branches, at some loss of quality per image.
        backbone: nn.Module = FastVit(
            layers=(2, 2, 4, 2),
            embed_dims=(32, 64, 128, 256),
            mlp_ratios=(3, 3, 3, 3),
            token_mixers=("repmixer",) * 4,
            num_classes=0,
            inference_mode=True,
        )
    elif name in BACKBONES:
        options: dict[str, Any] = {"pad_type": "same"} if name == "mobilenetv2_100" else {}
        backbone = timm.create_model(name, num_classes=0, **options)
    else:
        raise ValueError(f"{name}: not a Nano backbone; choose one of {', '.join(BACKBONES)}")
    with torch.no_grad():
        features = backbone.eval()(torch.zeros(1, 3, 64, 64)).shape[1]
    return backbone.train(), features


def load_projection(tower: NanoImageTower, path: Path) -> None:
    """Start the projection of `tower` from the weights of a run of `distil projection`.

    Raises `ValueError` when `path` holds anything else.
    """
    state = read_state(path)
    found = {name: tuple(value.shape) for name, value in state.items()}
    wanted = {
        name: tuple(value.shape)
        for name, value in tower.state_dict().items()
        if name.startswith("projection.")
    }
    if found != wanted:
        raise ValueError(f"{path}: holds something else than this tower's projection alone")
    tower.load_state_dict(state, strict=False)


def load_tower(path: Path, backbone: str = "mobilenetv2_100") -> NanoImageTower:
    """The tower whose averaged weights a finished training run wrote to `path`.

    Raises `ValueError` when they are not those of such a tower with this backbone.
    """
    state = read_state(path)
    try:
        hidden, dim = state["projection.0.weight"].shape[0], state["projection.2.weight"].shape[0]
        tower = NanoImageTower(backbone, dim=dim, hidden=hidden)
        tower.load_state_dict(state)
    except (KeyError, RuntimeError):
        raise ValueError(f"{path}: not the weights of an image tower on {backbone}") from None
    return tower.eval()
