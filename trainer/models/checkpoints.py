"""Weights in the layouts of open_clip and of Apple, taken in and given out.

    found = load_into(build("MobileCLIP-S0"), Path("mobileclip_s0.pt"))             # "apple"
    state = to_ours(read_state(Path("mobileclip_s0.pt")), "MobileCLIP-S0")
    apple = from_ours(state, "MobileCLIP-S0", "apple")

Three layouts are known. "openclip" is that of open_clip's `CustomTextCLIP`, in which Apple also
publishes MobileCLIP2. "apple" is that of the repository apple/ml-mobileclip, in which it publishes
MobileCLIP; see `trainer.models.apple_names`. "ours" is open_clip's wherever open_clip has the model
and differs in MCt text towers, which open_clip lacks. A layout names the same tensors: it says
nothing of how pixels are normalised, which is the model's configuration.

Nothing is guessed or left out. A tensor too many, too few or of another shape is an error.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from trainer.models.apple_names import PROJECTION_BIAS, apple_tensors
from trainer.models.config import ModelConfig, load_config
from trainer.models.family import Clip, build_from
from trainer.models.state import read_state

Layout = Literal["ours", "openclip", "apple"]

Shapes = Mapping[str, tuple[int, ...]]

# Parts of a name that only weights folded for inference have: Apple's and timm's, and our MCt's.
_FOLDED = {"reparam_conv", "lkb_reparam", "folded"}
_NAMED_IN_ERRORS = 3
_POSITIONS = "visual.trunk.pos_embed"
# What SigLIP's loss has learned beside the factor on similarities.
_BIAS = "logit_bias"


def detect_layout(state: Mapping[str, Tensor]) -> Layout:
    """The layout of `state`: "openclip", rather than "ours", where the two are the same.

    Raises `ValueError` for anything but an image and text model of the three layouts.
    """
    keys = _without_wrapper(state)
    layouts: tuple[tuple[Layout, str, str], ...] = (
        ("apple", "image_encoder.model.", "text_encoder."),
        ("ours", "visual.", "text.blocks."),
        ("ours", "visual.", "text.layers."),
        ("openclip", "visual.", "text.transformer.resblocks."),
    )
    for layout, *prefixes in layouts:
        if all(any(key.startswith(prefix) for key in keys) for prefix in prefixes):
            return layout
    raise ValueError(
        f"holds {_some(keys) or 'no tensor'}, which is not a model of the MobileCLIP family "
        "in the layout of open_clip, Apple or this trainer"
    )


def to_ours(
    state: Mapping[str, Tensor], name: str, layout: Layout | None = None
) -> dict[str, Tensor]:
    """The weights of the model called `name`, named and shaped as `build(name)` takes them.

    `layout` is that of `state`, found out when not given. Tensors keep their type, and share
    memory with `state` where possible. Apple's image projection has no bias: ours becomes zero.

    Raises `ValueError` for a layout that is not known, for weights folded for inference, and,
    naming the first few, for tensors that are missing, unknown or of another shape.
    """
    return _to_ours(state, _shapes(name), layout)


def from_ours(state: Mapping[str, Tensor], name: str, layout: Layout) -> dict[str, Tensor]:
    """The weights of the model called `name`, as `to_ours` returns them, in another layout.

    Raises `ValueError` as `to_ours` does, for a model that the layout has no names for, and for a
    bias of the image projection that is not zero, in Apple's layout.
    """
    ours = _to_ours(state, _shapes(name), "ours")
    if layout == "ours":
        return ours
    if layout == "openclip":
        if any(key.startswith(("text.blocks.", "text.layers.")) for key in ours):
            raise ValueError(f"open_clip has no model {name}: it lacks its text tower")
        return ours
    for key in PROJECTION_BIAS & ours.keys():
        if ours[key].any():
            raise ValueError(
                f"{key} is not zero, and Apple's image projection has no bias; write the layout of "
                f"open_clip, or train with {key!r} in the recipe's `freeze`, which keeps it zero"
            )
    apples = {}
    for key, apple in apple_tensors(_shapes_of(ours)).items():
        value = ours[key].T if apple.transposed else ours[key].reshape(apple.shape)
        apples[apple.name] = value.contiguous()
    return apples


def load_into(model: Clip, path: Path, layout: Layout | None = None) -> Layout:
    """Start `model` from the weights in the file `path`, and return their layout.

    `layout` is found out when not given. The weights are checked before the model is changed, which
    has a `logit_bias` afterwards if they have one, and none if not.

    Raises `ValueError` naming the file, for the reasons of `read_state` and `to_ours`.
    """
    state = read_state(path)
    try:
        layout = layout or detect_layout(state)
        shapes = dict(_shapes_of(model.state_dict()))
        shapes.pop(_BIAS, None)
        ours = _to_ours(state, shapes, layout)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    model.logit_bias = nn.Parameter(torch.zeros(())) if _BIAS in ours else None
    model.load_state_dict(ours)
    return layout


def _fit_positions(state: dict[str, Tensor], shapes: Shapes) -> None:
    """Stretch a transformer's table of positions to that of another image size."""
    stored, wanted = state.get(_POSITIONS), shapes.get(_POSITIONS)
    if stored is None or wanted is None or stored.shape == wanted or stored.ndim != 3:
        return
    # A class token may stand before the patches, which form a square.
    for prefix in (0, 1):
        before, after = stored.shape[1] - prefix, wanted[1] - prefix
        if math.isqrt(before) ** 2 == before and math.isqrt(after) ** 2 == after:
            from timm.layers.pos_embed import resample_abs_pos_embed

            side = math.isqrt(after)
            state[_POSITIONS] = resample_abs_pos_embed(
                stored, [side, side], num_prefix_tokens=prefix
            )
            return


def _to_ours(
    state: Mapping[str, Tensor], shapes: Shapes, layout: Layout | None
) -> dict[str, Tensor]:
    layout = layout or detect_layout(state)
    plain = _without_wrapper(state)
    folded = [key for key in plain if _FOLDED.intersection(key.split("."))]
    if folded:
        raise ValueError(
            f"folded for inference ({_some(folded)}), which cannot be undone; "
            "take the checkpoint from before it was reparameterised"
        )
    for key in ("logit_scale", _BIAS):
        if key in plain and plain[key].numel() == 1:  # some write it as (1,)
            plain[key] = plain[key].reshape(())
    if _BIAS in plain:
        shapes = {**shapes, _BIAS: ()}
    if layout != "apple":
        _fit_positions(plain, shapes)
        _check(plain, shapes)
        return plain
    apples = apple_tensors(shapes)
    _check(plain, {apple.name: apple.shape for apple in apples.values()})
    ours: dict[str, Tensor] = {}
    for key, shape in shapes.items():
        if key in PROJECTION_BIAS:
            weight = ours[key.removesuffix("bias") + "weight"]
            ours[key] = weight.new_zeros(shape)
        else:
            value = plain[apples[key].name]
            ours[key] = value.T.contiguous() if apples[key].transposed else value.reshape(shape)
    return ours


def _without_wrapper(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`state` without the prefix that training on several devices puts before every name."""
    wrapped = all(key.startswith("module.") for key in state)
    prefix = "module." if wrapped else ""
    return {key.removeprefix(prefix): value for key, value in state.items()}


def _check(state: Mapping[str, Tensor], shapes: Shapes) -> None:
    """Raise `ValueError` unless `state` holds tensors of exactly these names and shapes."""
    missing = [key for key in shapes if key not in state]
    unknown = [key for key in state if key not in shapes]
    misshapen = [
        f"{key} {tuple(value.shape)} instead of {shapes[key]}"
        for key, value in state.items()
        if key in shapes and tuple(value.shape) != tuple(shapes[key])
    ]
    faults = [
        f"{len(keys)} {fault} ({_some(keys)})"
        for fault, keys in (("missing", missing), ("unknown", unknown), ("misshapen", misshapen))
        if keys
    ]
    if faults:
        raise ValueError(f"not the weights of this model: {', '.join(faults)}")


def _shapes(name: str) -> Shapes:
    return _shapes_by(load_config(name))


# There and back asks for them twice, and building a model takes a second even without memory.
@functools.cache
def _shapes_by(config: ModelConfig) -> Shapes:
    with torch.device("meta"):
        return _shapes_of(build_from(config).state_dict())


def _shapes_of(state: Mapping[str, Tensor]) -> Shapes:
    return {key: tuple(value.shape) for key, value in state.items()}


def _some(keys: Iterable[str]) -> str:
    keys = list(keys)
    more = ", ..." if len(keys) > _NAMED_IN_ERRORS else ""
    return ", ".join(keys[:_NAMED_IN_ERRORS]) + more
