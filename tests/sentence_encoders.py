"""A sentence encoder of a few neurons in the files of sentence-transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from own_tokenizers import bert, write
from safetensors.torch import save_file

WIDTH, HEADS, LAYERS, POSITIONS = 16, 2, 2, 40
# More than there are words, so that the table is one that is stored in 8 bits.
TOKENS = 1100
CONFIG = {"model_type": "bert", "hidden_act": "gelu", "num_attention_heads": HEADS}
POOLING = {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}


def weights(layers: int = LAYERS) -> dict[str, torch.Tensor]:
    """Random ones, named as BERT's."""
    dice = torch.Generator().manual_seed(4)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=dice) / shape[-1] ** 0.5

    state = {
        "embeddings.word_embeddings.weight": normal(TOKENS, WIDTH),
        "embeddings.position_embeddings.weight": normal(POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": normal(2, WIDTH),
    }
    parts = {"embeddings.LayerNorm": (WIDTH,)}
    for number in range(layers):
        layer = f"encoder.layer.{number}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            parts[f"{layer}.attention.{name}"] = (WIDTH, WIDTH)
        parts[f"{layer}.intermediate.dense"] = (4 * WIDTH, WIDTH)
        parts[f"{layer}.output.dense"] = (WIDTH, 4 * WIDTH)
        for name in ("attention.output", "output"):
            parts[f"{layer}.{name}.LayerNorm"] = (WIDTH,)
    for name, shape in parts.items():
        state[f"{name}.weight"] = normal(*shape) + (1.0 if len(shape) == 1 else 0.0)
        state[f"{name}.bias"] = normal(shape[0])
    return state


def write_encoder(
    folder: Path,
    *,
    config: dict[str, Any] | None = None,
    pooling: dict[str, Any] | None = None,
    layers: int = LAYERS,
) -> Path:
    """Write it to `folder`, which is made; `config` and `pooling` replace what they say."""
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | (config or {})))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(POOLING | (pooling or {})))
    save_file(weights(layers), folder / "model.safetensors")
    write(bert(), folder)
    return folder
