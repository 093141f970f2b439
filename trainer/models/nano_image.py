"""The image towers small enough for two CPU cores to train: MobileCLIP-Nano and its candidates."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from trainer.torchvision_ops import ensure_torchvision

# Candidates that Nano's backbone was chosen from; docs/decisions.md has the figures.
BACKBONES = ("mobilenetv2_100", "mobilenetv4_conv_small", "fastvit_slim")


class NanoImageTower(nn.Module):
    """A timm backbone, global average pooling and a two-layer projection.

    Maps float images (n, 3, S, S), S a multiple of 32, normalised with mean and standard deviation
    0.5, to embeddings (n, dim) that are not unit norm.
    """

    def __init__(
        self, backbone: str = "mobilenetv2_100", *, dim: int = 384, hidden: int = 768
    ) -> None:
        super().__init__()
        self.backbone, features = _build_backbone(backbone)
        self.projection = nn.Sequential(
            nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, dim)
        )

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
