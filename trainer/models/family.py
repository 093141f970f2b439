"""The MobileCLIP family: an image tower and a text tower that end in one space.

    model = build("MobileCLIP-S0")                     # random weights; nothing is downloaded
    images = model.encode_image(pixels)                # (B, 3, 256, 256) -> (B, 512)
    texts = model.encode_text(ids)                     # (B, 77) int64    -> (B, 512)

Image towers come from timm; text towers from open_clip, but for those of MobileCLIP-S0 and our own
MobileCLIP-Nano and MobileCLIP-Small, which open_clip does not have. Parameters are named as in
open_clip, so `load_state_dict` takes its checkpoints. Under `with torch.device("meta")` a model
takes its shape without taking memory.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.models.concept_image import ConceptImageTower
from trainer.models.config import ImageConfig, ModelConfig, TextConfig, load_config
from trainer.models.mct import TextRepMixer
from trainer.models.nano_image import NanoImageTower
from trainer.models.sentence_tower import SentenceTower
from trainer.torchvision_ops import ensure_torchvision


class Clip(nn.Module):
    """Two towers and a learned temperature (CLIP, arXiv 2103.00020, section 2.3).

    `logit_scale` is the natural logarithm of the factor on cosine similarities. It starts from
    1/0.07; keeping it below its limit of 100 while it is learned is up to the training loop.
    `logit_bias` is None but in models that learn with the loss of SigLIP.
    """

    logit_bias: nn.Parameter | None

    def __init__(self, visual: nn.Module, text: nn.Module) -> None:
        super().__init__()
        self.visual = visual
        self.text = text
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.register_parameter("logit_bias", None)

    def begin_sigmoid(self) -> None:
        """Scale and bias as SigLIP starts (arXiv 2303.15343, section 3.2): 10 and -10.

        At first all pairs are thought unlikely, as nearly all of a batch's are.
        """
        with torch.no_grad():
            self.logit_scale.fill_(math.log(10))
        self.logit_bias = nn.Parameter(torch.full_like(self.logit_scale, -10.0))

    def encode_image(self, pixels: Tensor, *, normalize: bool = False) -> Tensor:
        """Features (B, dim) of normalised pixels (B, 3, S, S); unit norm when `normalize`."""
        features: Tensor = self.visual(pixels)
        return F.normalize(features, dim=-1) if normalize else features

    def encode_text(self, ids: Tensor, *, normalize: bool = False) -> Tensor:
        """Features (B, dim) of token ids (B, context_length); unit norm when `normalize`."""
        features: Tensor = self.text(ids)
        return F.normalize(features, dim=-1) if normalize else features

    def forward(self, pixels: Tensor, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Unit-norm image and text features, and the factor on their cosine similarities."""
        return (
            self.encode_image(pixels, normalize=True),
            self.encode_text(ids, normalize=True),
            self.logit_scale.exp(),
        )


def build(name: str) -> Clip:
    """The named model with random weights, in training mode.

    Raises `ValueError` for a name that has no configuration.
    """
    return build_from(load_config(name))


def build_from(config: ModelConfig) -> Clip:
    """The model that `config` describes, with random weights, in training mode."""
    return Clip(
        build_image_tower(config.image, config.dim), build_text_tower(config.text, config.dim)
    )


def build_image_tower(image: ImageConfig, dim: int) -> nn.Module:
    """Normalised pixels (B, 3, S, S) -> features (B, dim)."""
    if image.concepts and image.hidden is not None:
        return ConceptImageTower(image.tower.split("+"), dim=dim, hidden=image.hidden)
    if image.hidden is not None:
        return NanoImageTower(image.tower, dim=dim, hidden=image.hidden)
    ensure_torchvision()
    from open_clip.timm_model import TimmModel

    tower: nn.Module = TimmModel(
        image.tower,
        embed_dim=dim,
        image_size=image.size,
        pool=image.pool,
        proj=None,  # the network's own classifier is the projection
        drop_path=image.drop_path,
        pretrained=False,
    )
    # A transformer has a position for each patch of one size; convolutions take any.
    trunk: Any = tower.trunk
    square = (image.size, image.size)
    if hasattr(trunk, "set_input_size") and tuple(trunk.patch_embed.img_size) != square:
        trunk.set_input_size(img_size=image.size)
    return tower


def build_text_tower(text: TextConfig, dim: int) -> nn.Module:
    """Token ids (B, context_length) int64 -> features (B, dim).

    Raises `ValueError` for a sentence encoder of another width than `dim`.
    """
    if text.tower == "sentence":
        if text.width != dim:
            raise ValueError(f"a sentence encoder of width {text.width} gives no {dim} numbers")
        return SentenceTower(
            context_length=text.context_length,
            vocab_size=text.vocab_size,
            width=text.width,
            heads=text.heads,
            layers=text.layers,
        )
    if text.tower == "mct":
        return TextRepMixer(
            context_length=text.context_length,
            vocab_size=text.vocab_size,
            width=text.width,
            heads=text.heads,
            layers=text.layers,
            output_dim=dim,
            embed_dim=text.embed_dim,
            layer_scale=text.layer_scale,
        )
    ensure_torchvision()
    from open_clip.transformer import TextTransformer

    tower: nn.Module = TextTransformer(
        context_length=text.context_length,
        vocab_size=text.vocab_size,
        width=text.width,
        heads=text.heads,
        layers=text.layers,
        output_dim=dim,
        no_causal_mask=not text.causal,
    )
    return tower
