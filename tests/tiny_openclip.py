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
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    # Fresh weights hardly tell one picture from another.
    state = {
        name: value * (3 if value.ndim > 1 and "embedding" not in name else 1)
        for name, value in model.state_dict().items()
    }
    state["logit_scale"] = torch.tensor(logit_scale).log()
    save_file(
        {name: value.contiguous() for name, value in state.items()},
        folder / "open_clip_model.safetensors",
    )
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
