"""A model as it is published as ONNX, made of a bundle without PyTorch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from photosearch.encoders import Bundle
from photosearch.encoders.tokenizer import _ranks


def publish(bundle: Path, folder: Path) -> Path:
    """Write what a repository of immich's exports holds into `folder`; its tokens are CLIP's."""
    opened = Bundle.open(bundle)
    image, height = opened.image, opened.image.shape[0]
    for tower, file in (("visual", "image.onnx"), ("textual", "text.onnx")):
        (folder / tower).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bundle / file, folder / tower / "model.onnx")
    (folder / "config.json").write_text(json.dumps({"embed_dim": opened.dim}))
    (folder / "README.md").write_text("# Theirs")
    preprocessing = {
        "size": [height, height],
        "mean": image.mean,
        "std": image.std,
        "interpolation": "bicubic",
        "resize_mode": "squash",
    }
    (folder / "visual" / "preprocess_cfg.json").write_text(json.dumps(preprocessing))
    tokenizer = {"model": {"type": "BPE", "merges": list(_ranks())}}
    (folder / "textual" / "tokenizer.json").write_text(json.dumps(tokenizer))
    return folder
