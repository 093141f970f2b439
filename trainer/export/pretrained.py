"""Any model of open_clip as two towers that `export_bundle` takes.

    towers = open_towers("hf-hub:laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K")
    export_bundle(towers.image, towers.text, folder, fields=fields | towers.fields(), card=card)

photosearch prepares pictures and texts itself, so a model passes only if its own preparation is one
that photosearch has: a square picture, and CLIP's vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from photosearch.encoders import ImageSettings, Tokenizer
from trainer.export.errors import ExportError
from trainer.export.samples import sample_texts
from trainer.models.pretrained import Pretrained, load_pretrained, split_spec
from trainer.torchvision_ops import ensure_torchvision

_TEXTS = 32


@dataclass(frozen=True)
class PretrainedTowers:
    """Pixels (n, 3, S, S) and token ids (n, context) to features (n, dim)."""

    architecture: str
    image: nn.Module
    text: nn.Module
    settings: ImageSettings
    context: int
    dim: int
    logit_scale: float

    def fields(self) -> dict[str, Any]:
        """What bundle.json says of them."""
        return {
            "architecture": self.architecture,
            "embedding_dim": self.dim,
            "image": self.settings.fields,
            "text": {"context_length": self.context, "tokenizer": "clip-bpe"},
            "logit_scale": self.logit_scale,
        }


class _Text(nn.Module):
    """The text tower of a model that keeps its parts beside the image tower."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        network: Any = self.model
        features: Tensor = network.encode_text(ids)
        return features


def open_towers(spec: str) -> PretrainedTowers:
    """The towers of a model named as `load_pretrained` and `split_spec` name them.

    Raises:
        ValueError: it cannot be opened.
        ExportError: photosearch cannot prepare its pictures or texts, or it has other towers.
    """
    ensure_torchvision()
    import open_clip

    model, weights, like = split_spec(spec)
    opened = load_pretrained(model, weights, like=like, device="cpu")
    network = opened.model
    if not isinstance(network, open_clip.CLIP | open_clip.CustomTextCLIP):
        raise ExportError(
            f"{opened.name}: is a {type(network).__name__}, and only models of two plain towers "
            "can be exported"
        )
    settings = _settings(opened.name, network.visual.preprocess_cfg)
    context = _context(opened)
    scale = float(network.logit_scale.detach().exp())
    image: nn.Module = network.visual
    if isinstance(network, open_clip.CustomTextCLIP):
        text: nn.Module = network.text
    else:
        # Copied later on, and then without the image tower.
        del network.visual
        text = _Text(network)
    with torch.inference_mode():
        dim = text(torch.from_numpy(Tokenizer(context)(["a"]))).shape[1]
    return PretrainedTowers(opened.name, image, text, settings, context, int(dim), scale)


def _settings(name: str, preparation: dict[str, Any]) -> ImageSettings:
    size, mode = preparation["size"], preparation["resize_mode"]
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) != 1 or mode not in ("shortest", "squash") or preparation["mode"] != "RGB":
        raise ExportError(
            f"{name}: takes {preparation['mode']} pictures of {size} pixels, resized as {mode!r}; "
            "photosearch has only RGB squares, resized by the shortest side or squashed"
        )
    return ImageSettings(
        size=sides.pop(),
        resize="shortest" if mode == "shortest" else "squash",
        crop="center" if mode == "shortest" else "none",
        interpolation=preparation["interpolation"],
        mean=tuple(preparation["mean"]),
        std=tuple(preparation["std"]),
    )


def _context(opened: Pretrained) -> int:
    """The context length. Raises `ExportError` unless the tokenizer is photosearch's own."""
    texts = sample_texts(_TEXTS)
    theirs = opened.tokenizer(texts).numpy()
    if not np.array_equal(theirs, Tokenizer(theirs.shape[1])(texts)):
        raise ExportError(
            f"{opened.name}: has a tokenizer of its own, and photosearch has only CLIP's"
        )
    return int(theirs.shape[1])
