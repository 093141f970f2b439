"""Tiny open_clip models with random weights: folders, files and downloaded repositories.

write_folder(folder)                                    # for local-dir:FOLDER
write_repository(cache, "someone/tiny", folder)         # as the Hugging Face hub caches it
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from trainer.torchvision_ops import ensure_torchvision

SIZE, DIM = 32, 16

# Patches are dropped at random unless a model is in evaluation mode.
CLIP: dict[str, Any] = {
    "embed_dim": DIM,
    "vision_cfg": {
        "image_size": SIZE,
        "layers": 2,
        "width": 64,
        "patch_size": 8,
        "patch_dropout": 0.5,
    },
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
_TEXT = {"context_length": 76, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
COCA: dict[str, Any] = {
    "embed_dim": DIM,
    "vision_cfg": {
        **CLIP["vision_cfg"],
        "patch_dropout": 0.0,
        "attentional_pool": True,
        "attn_pooler_heads": 2,
        "output_tokens": True,
    },
    "text_cfg": {**_TEXT, "embed_cls": True, "output_tokens": True},
    "multimodal_cfg": {**_TEXT, "attn_pooler_heads": 2},
    "custom_text": True,
}
PREPROCESSING = {"mean": [0.1, 0.2, 0.3], "std": [0.5, 0.6, 0.7]}


def write_folder(
    folder: Path,
    config: dict[str, Any] = CLIP,
    *,
    preprocessing: dict[str, Any] = PREPROCESSING,
    logit_scale: float = 50.0,
    seed: int = 0,
    **changes: Any,
) -> Path:
    """A folder that open_clip can open: `open_clip_config.json` and random weights.

    `changes` go into the model's configuration.
    """
    ensure_torchvision()
    import open_clip

    folder.mkdir(parents=True)
    config = {**config, **changes}
    about = {"model_cfg": config, "preprocess_cfg": preprocessing}
    (folder / "open_clip_config.json").write_text(json.dumps(about))
    # Drawn here, since open_clip leaves part of CoCa's decoder as the memory happens to be.
    random = torch.Generator().manual_seed(seed)
    state = open_clip.create_model(f"local-dir:{folder}", load_weights=False).state_dict()
    for name, value in state.items():
        if value.ndim > 1:
            state[name] = torch.randn(value.shape, generator=random) / min(value.shape) ** 0.5
        else:
            state[name] = torch.full_like(value, 1.0 if name.endswith("weight") else 0.1)
    state["logit_scale"] = torch.tensor(logit_scale).log()
    save_file(state, folder / "open_clip_model.safetensors")
    return folder


def write_repository(cache: Path, repository: str, folder: Path) -> None:
    """`folder` as the hub's client keeps it once downloaded."""
    home = cache / f"models--{repository.replace('/', '--')}"
    commit = "0" * 40
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(commit)
    shutil.copytree(folder, home / "snapshots" / commit)


def write_checkpoint(folder: Path, path: Path) -> Path:
    """The weights of `folder` as `torch.save` writes them."""
    torch.save({"state_dict": load_file(folder / "open_clip_model.safetensors")}, path)
    return path


def favour(folder: Path, logits: dict[str, float]) -> None:
    """Add to the logits of a CoCa model's next token, by its name in the vocabulary, as "dog</w>".

    The decoder has no bias of its own, so one goes through its last norm.
    """
    import open_clip

    file = folder / "open_clip_model.safetensors"
    state = load_file(file)
    encoder = open_clip.get_tokenizer("ViT-B-32").encoder
    state["text_decoder.ln_final.bias"][:] = 1.0
    projection = state["text_decoder.text_projection"]
    for token, logit in logits.items():
        column = projection[:, encoder[token]]
        column += logit / len(column) - column.mean()
    save_file(state, file)
