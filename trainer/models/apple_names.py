"""What Apple's MobileCLIP checkpoints call the tensors that our models name as open_clip does.

    names = apple_tensors({key: tuple(value.shape) for key, value in model.state_dict().items()})
    names["text.text_projection"].name           # "text_encoder.projection_layer"

Apple's files are those of the repository apple/ml-mobileclip: MobileCLIP-S0, S1, S2 and B, and what
is built of the same towers. Image towers stand under `image_encoder.model`, text towers under
`text_encoder`, as its modules `models/mci.py`, `models/vit.py` and `text_encoder.py` build them.
One table serves both directions, so what is written can be read, and a name that it lacks is an
error instead of a weight that is silently left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

Rules = tuple[tuple[str, str], ...]
Namer = Callable[[str], str | None]

# Apple's image projection is a plain matrix (features, dim) where timm's is a linear layer.
PROJECTION = frozenset({"visual.trunk.head.fc.weight", "visual.trunk.head.weight"})
PROJECTION_BIAS = frozenset({"visual.trunk.head.fc.bias", "visual.trunk.head.bias"})
# Apple's table of positions has leading axes up to four.
_POSITIONS = frozenset({"visual.trunk.pos_embed", "text.positional_embedding"})


class AppleTensor(NamedTuple):
    """Name and shape of one tensor, and whether it is ours transposed rather than reshaped."""

    name: str
    shape: tuple[int, ...]
    transposed: bool


def apple_tensors(ours: Mapping[str, tuple[int, ...]]) -> dict[str, AppleTensor]:
    """Apple's form of each of our tensors, given ours as names and shapes.

    The bias of the image projection is left out, because Apple's towers have none.

    Raises `ValueError` for a model with a part that Apple's code does not have.
    """
    towers = (
        ("visual.trunk.", "image_encoder.model.", _image_namer(ours)),
        ("text.", "text_encoder.", _text_namer(ours)),
        ("", "", {"logit_scale": "logit_scale"}.get),
    )
    tensors = {}
    for key, shape in ours.items():
        if key in PROJECTION_BIAS:
            continue
        prefix, apples, namer = next(tower for tower in towers if key.startswith(tower[0]))
        name = namer(key.removeprefix(prefix))
        if name is None:
            raise ValueError(f"Apple's code has no such model: nothing in it is like our {key}")
        if key in _POSITIONS:
            shape = (1,) * (4 - len(shape)) + shape
        transposed = key in PROJECTION
        tensors[key] = AppleTensor(apples + name, shape[::-1] if transposed else shape, transposed)
    return tensors


def _renamed(rules: Rules, name: str) -> str | None:
    """`name` with its beginning replaced by the first of the rules that fits it."""
    for pattern, replacement in rules:
        renamed, count = re.subn(rf"^{pattern}", replacement, name)
        if count:
            return renamed
    return None


# --- image towers ---------------------------------------------------------------------------------

# Parts of a FastViT block, wherever they stand in a name; a layer scale is a bare parameter.
_FASTVIT_PARTS = {
    "identity": "rbr_skip",
    "conv_kxk": "rbr_conv",
    "conv_scale": "rbr_scale",
    "large_conv": "lkb_origin",
    "mlp": "convffn",
}
_FASTVIT: Rules = (
    (r"stem\.", "patch_embed."),
    # Only this squeeze-and-excitation is Apple's own; those of the downsampling are timm's.
    (r"final_conv\.se\.fc1\.", "conv_exp.se.reduce."),
    (r"final_conv\.se\.fc2\.", "conv_exp.se.expand."),
    (r"final_conv\.", "conv_exp."),
    (r"head\.fc\.weight$", "head.proj"),
)


def _image_namer(keys: Iterable[str]) -> Namer:
    """From timm's names of the image tower to Apple's, each without its prefix."""
    keys = list(keys)
    if not any(key.startswith("visual.trunk.stem.") for key in keys):
        return partial(_renamed, _VIT)
    # timm groups into stages what Apple keeps in one flat list: the downsampling in front of a
    # stage, its position encoding and its blocks take a place each.
    places: list[tuple[str, str]] = []
    for stage in range(4):
        for part, renamed in (("downsample.", ""), ("pos_emb.pos_enc.", "pe."), ("blocks.", "")):
            ours = f"stages.{stage}.{part}"
            if any(key.startswith(f"visual.trunk.{ours}") for key in keys):
                places.append((re.escape(ours), f"network.{len(places)}.{renamed}"))
    return partial(_fastvit_name, (*_FASTVIT, *places))


def _fastvit_name(rules: Rules, name: str) -> str | None:
    renamed = _renamed(rules, name)
    if renamed is None:
        return None
    parts = (part for part in renamed.split(".") if part != "gamma")
    return ".".join(_FASTVIT_PARTS.get(part, part) for part in parts)


def _layer_rules(layers: str, *parts: str) -> Rules:
    """One transformer layer: norm, query-key-value, output, norm and the two linear layers."""
    apples = (
        "pre_norm_mha.0.",
        "pre_norm_mha.1.qkv_proj.",
        "pre_norm_mha.1.out_proj.",
        "pre_norm_ffn.0.",
        "pre_norm_ffn.1.",
        "pre_norm_ffn.4.",
    )
    return tuple(
        (re.escape(layers) + r"(\d+)\." + re.escape(ours), rf"transformer.\1.{theirs}")
        for ours, theirs in zip(parts, apples, strict=True)
    )


_VIT: Rules = (
    (r"patch_embed\.backbone\.(\d)\.conv\.", r"patch_emb.\1.block.conv."),
    (r"patch_embed\.backbone\.(\d)\.bn\.", r"patch_emb.\1.block.norm."),
    *_layer_rules("blocks.", "norm1.", "attn.qkv.", "attn.proj.", "norm2.", "mlp.fc1.", "mlp.fc2."),
    (r"norm\.", "post_transformer_norm."),
    (r"cls_token$", "cls_token"),
    (r"pos_embed$", "pos_embed.pos_embed.pos_embed"),
    (r"head\.weight$", "classifier.proj"),
)


# --- text towers ----------------------------------------------------------------------------------

_TEXT: Rules = (
    (r"token_embedding\.", "embedding_layer."),
    (r"positional_embedding$", "positional_embedding.pos_embed.pos_embed"),
    (r"text_projection$", "projection_layer"),
)
_TRANSFORMER: Rules = (
    *_TEXT,
    *_layer_rules(
        "transformer.resblocks.",
        "ln_1.",
        "attn.in_proj_",
        "attn.out_proj.",
        "ln_2.",
        "mlp.c_fc.",
        "mlp.c_proj.",
    ),
    (r"ln_final\.", "final_layer_norm."),
)
_MCT: Rules = (
    *_TEXT,
    *_layer_rules("blocks.", "norm1.", "qkv.", "proj.", "norm2.", "fc1.", "fc2."),
    (r"blocks\.(\d+)\.token_mixer\.mixer\.skip\.", r"transformer.\1.token_mixer.mixer.rbr_skip."),
    (r"blocks\.(\d+)\.token_mixer\.mixer\.", r"transformer.\1.token_mixer.mixer.rbr_conv.0."),
    (r"blocks\.(\d+)\.token_mixer\.norm\.", r"transformer.\1.token_mixer.norm.rbr_skip."),
    (r"blocks\.(\d+)\.token_mixer\.layer_scale$", r"transformer.\1.token_mixer.layer_scale"),
    (r"blocks\.(\d+)\.convffn\.", r"transformer.\1.convffn."),
    (r"blocks\.(\d+)\.layer_scale$", r"transformer.\1.layer_scale"),
    (r"final_norm\.", "final_layer_norm."),
)


def _text_namer(keys: Iterable[str]) -> Namer:
    """From our names of the text tower to Apple's, each without its prefix."""
    mct = any(key.startswith("text.blocks.") for key in keys)
    return partial(_renamed, _MCT if mct else _TRANSFORMER)
