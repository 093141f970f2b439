"""MobileCLIP-S0 in the layout of Apple's modules: names and shapes, and its text tower."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


# --- MobileCLIP-S0, which open_clip has not -------------------------------------------------------


def apple_s0_layout() -> dict[str, tuple[int, ...]]:
    """Names and shapes in Apple's S0, from its modules mci0, TextTransformer and RepMixerBlock."""
    found: dict[str, tuple[int, ...]] = {"logit_scale": ()}

    def weight(name: str, *shape: int) -> None:
        found[f"{name}.weight"] = shape

    def affine(name: str, *shape: int) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = shape, shape[:1]

    def norm(name: str, width: int) -> None:
        affine(name, width)
        found[f"{name}.running_mean"] = found[f"{name}.running_var"] = (width,)
        found[f"{name}.num_batches_tracked"] = ()

    def conv_norm(name: str, *shape: int) -> None:
        weight(f"{name}.conv", *shape)
        norm(f"{name}.bn", shape[0])

    def mobile_one(name: str, *shape: int, skip: bool = False, scale: bool = False) -> None:
        conv_norm(f"{name}.rbr_conv.0", *shape)
        if skip:
            norm(f"{name}.rbr_skip", shape[0])
        if scale:
            conv_norm(f"{name}.rbr_scale", *shape[:2], 1, 1)

    def conv_ffn(name: str, width: int, hidden: int, *kernel: int) -> None:
        conv_norm(f"{name}.conv", width, 1, *kernel)
        affine(f"{name}.fc1", hidden, width, 1, 1)
        affine(f"{name}.fc2", width, hidden, 1, 1)

    def rep_mixer_block(
        name: str, width: int, hidden: int, *, mixer: tuple[int, int], ffn: tuple[int, int]
    ) -> None:
        norm(f"{name}.token_mixer.norm.rbr_skip", width)
        mobile_one(f"{name}.token_mixer.mixer", width, 1, *mixer, skip=True, scale=mixer[0] > 1)
        found[f"{name}.token_mixer.layer_scale"] = found[f"{name}.layer_scale"] = (width, 1, 1)
        conv_ffn(f"{name}.convffn", width, hidden, *ffn)

    image, text = "image_encoder.model", "text_encoder"
    mobile_one(f"{image}.patch_embed.0", 64, 3, 3, 3, scale=True)
    mobile_one(f"{image}.patch_embed.1", 64, 1, 3, 3, scale=True)
    mobile_one(f"{image}.patch_embed.2", 64, 64, 1, 1, skip=True)
    for place, width, depth in ((0, 64, 2), (2, 128, 6), (4, 256, 10)):
        for block in range(depth):
            rep_mixer_block(
                f"{image}.network.{place}.{block}", width, 3 * width, mixer=(3, 3), ffn=(7, 7)
            )
    for place, width in ((1, 128), (3, 256), (5, 512)):
        name = f"{image}.network.{place}.proj"
        conv_norm(f"{name}.0.lkb_origin", width, 1, 7, 7)
        conv_norm(f"{name}.0.small_conv", width, 1, 3, 3)
        if place > 1:
            affine(f"{name}.0.se.fc1", width // 4, width, 1, 1)
            affine(f"{name}.0.se.fc2", width, width // 4, 1, 1)
        mobile_one(f"{name}.1", width, width, 1, 1, skip=True)
    affine(f"{image}.network.6.pe", 512, 1, 7, 7)
    for block in range(2):
        name = f"{image}.network.7.{block}"
        norm(f"{name}.norm", 512)
        weight(f"{name}.token_mixer.qkv", 1536, 512)
        affine(f"{name}.token_mixer.proj", 512, 512)
        found[f"{name}.layer_scale_1"] = found[f"{name}.layer_scale_2"] = (512, 1, 1)
        conv_ffn(f"{name}.convffn", 512, 1536, 7, 7)
    mobile_one(f"{image}.conv_exp", 1024, 1, 3, 3, scale=True)
    affine(f"{image}.conv_exp.se.reduce", 64, 1024, 1, 1)
    affine(f"{image}.conv_exp.se.expand", 1024, 64, 1, 1)
    found[f"{image}.head.proj"] = (1024, 512)

    weight(f"{text}.embedding_layer", 49408, 512)
    found[f"{text}.positional_embedding.pos_embed.pos_embed"] = (1, 1, 77, 512)
    for block in (0, 5):
        rep_mixer_block(f"{text}.transformer.{block}", 512, 2048, mixer=(1, 11), ffn=(1, 11))
    for layer in range(1, 5):
        name = f"{text}.transformer.{layer}"
        affine(f"{name}.pre_norm_mha.0", 512)
        affine(f"{name}.pre_norm_mha.1.qkv_proj", 1536, 512)
        affine(f"{name}.pre_norm_mha.1.out_proj", 512, 512)
        affine(f"{name}.pre_norm_ffn.0", 512)
        affine(f"{name}.pre_norm_ffn.1", 2048, 512)
        affine(f"{name}.pre_norm_ffn.4", 512, 2048)
    affine(f"{text}.final_layer_norm", 512)
    found[f"{text}.projection_layer"] = (512, 512)
    return found


def apple_mct(state: State, ids: Tensor) -> Tensor:
    """Text features (B, dim) by the formulas of the paper, on the names in Apple's checkpoint."""

    def norm(x: Tensor, name: str) -> Tensor:
        mean, variance, gain, bias = (
            state[f"{name}.{leaf}"] for leaf in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(x, mean, variance, gain, bias)

    def conv(x: Tensor, name: str) -> Tensor:
        kernel = state[f"{name}.conv.weight"].squeeze(2)
        return norm(F.conv1d(x, kernel, padding=5, groups=x.shape[1]), f"{name}.bn")

    def token_wise(x: Tensor, name: str) -> Tensor:
        return F.conv1d(x, state[f"{name}.weight"].squeeze(2), state[f"{name}.bias"])

    def rep_mixer_block(x: Tensor, name: str) -> Tensor:
        mixed = conv(x, f"{name}.token_mixer.mixer.rbr_conv.0")
        mixed = mixed + norm(x, f"{name}.token_mixer.mixer.rbr_skip")
        mixed = mixed - norm(x, f"{name}.token_mixer.norm.rbr_skip")
        x = x + state[f"{name}.token_mixer.layer_scale"][..., 0] * mixed
        hidden = F.gelu(token_wise(conv(x, f"{name}.convffn.conv"), f"{name}.convffn.fc1"))
        return x + state[f"{name}.layer_scale"][..., 0] * token_wise(hidden, f"{name}.convffn.fc2")

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    def layer_norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"])

    def transformer_layer(x: Tensor, name: str) -> Tensor:
        stacked = linear(layer_norm(x, f"{name}.pre_norm_mha.0"), f"{name}.pre_norm_mha.1.qkv_proj")
        query, key, value = stacked.reshape(*x.shape[:2], 3, 8, -1).unbind(2)
        products = torch.einsum("bqhc,bkhc->bhqk", query, key)
        weights = products.div(query.shape[-1] ** 0.5).softmax(dim=-1)
        mixed = torch.einsum("bhqk,bkhc->bqhc", weights, value).flatten(2)
        x = x + linear(mixed, f"{name}.pre_norm_mha.1.out_proj")
        hidden = linear(layer_norm(x, f"{name}.pre_norm_ffn.0"), f"{name}.pre_norm_ffn.1")
        return x + linear(F.gelu(hidden), f"{name}.pre_norm_ffn.4")

    state = {key.removeprefix("text_encoder."): value for key, value in state.items()}
    x = state["embedding_layer.weight"][ids]
    x = x + state["positional_embedding.pos_embed.pos_embed"][0, 0]
    x = rep_mixer_block(x.mT, "transformer.0").mT
    for layer in range(1, 5):
        x = transformer_layer(x, f"transformer.{layer}")
    x = layer_norm(rep_mixer_block(x.mT, "transformer.5").mT, "final_layer_norm")
    return x[torch.arange(len(ids)), ids.argmax(dim=1)] @ state["projection_layer"]
