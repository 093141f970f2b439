"""A sentence encoder as text tower: BERT's layers, then the mean over the words of a text.

    tower = SentenceTower(context_length=64)                      # all-MiniLM-L6-v2's own shape
    load_sentence_encoder(tower, packaged_encoder())
    features = tower(ids)                                         # (B, L) int64 -> (B, 384)

Padding takes no part: a row gives the same features whatever it is padded to, up to rounding, so a
batch is padded to its longest row only. (BERT: arXiv 1810.04805; MiniLM: 2002.10957; the mean over
tokens: Sentence-BERT, 1908.10084.)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.models.state import read_state

PAD = 0
# Of BERT, in every layer normalisation.
_EPSILON = 1e-12
# Parts of a layer: ours, and BERT's name of each.
_PARTS = {
    "proj": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "fc1": "intermediate.dense",
    "fc2": "output.dense",
    "norm2": "output.LayerNorm",
}
_ATTENTION = ("query", "key", "value")


class BertLayer(nn.Module):
    """Self-attention and feed-forward on tokens (B, L, C), each normalised after its residual."""

    def __init__(self, width: int, heads: int, *, ratio: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width, eps=_EPSILON)
        self.fc1 = nn.Linear(width, ratio * width)
        self.fc2 = nn.Linear(ratio * width, width)
        self.norm2 = nn.LayerNorm(width, eps=_EPSILON)

    def forward(self, tokens: Tensor, bias: Tensor) -> Tensor:
        # Written out, since PyTorch's own attention becomes twice as many nodes in ONNX, which a
        # search waits for while they are loaded.
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)) for part in self.qkv(tokens).chunk(3, -1)
        )
        scale = query.shape[-1] ** -0.5
        logits = (query * scale).transpose(1, 2) @ key.permute(0, 2, 3, 1) + bias
        mixed = logits.softmax(-1) @ value.transpose(1, 2)
        tokens = self.norm1(tokens + self.proj(mixed.transpose(1, 2).flatten(2)))
        tokens = self.norm2(tokens + self.fc2(F.gelu(self.fc1(tokens))))
        return tokens


class SentenceTower(nn.Module):
    """Text tower: token ids (B, L) int64, L up to `context_length` -> features (B, width).

    Rows shorter than L are padded on the right with `PAD`. Features are not of unit norm.

    Raises `ValueError` for a width that the heads do not divide.
    """

    def __init__(
        self,
        *,
        context_length: int = 64,
        vocab_size: int = 30522,
        width: int = 384,
        heads: int = 12,
        layers: int = 6,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of heads {heads}; change either")
        self.context_length = context_length
        self.token_embedding = nn.Embedding(vocab_size, width)
        # BERT's vector of the first of two sentences is added to that of each position.
        self.positional_embedding = nn.Parameter(torch.empty(context_length, width))
        self.norm = nn.LayerNorm(width, eps=_EPSILON)
        self.layers = nn.ModuleList(BertLayer(width, heads) for _ in range(layers))
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.positional_embedding, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        there = ids.ne(PAD)
        x = self.norm(self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]])
        # Added to the logits of attention, so that no word looks at padding; float16 holds it.
        bias = torch.where(there, 0.0, -1e4).to(x.dtype)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, bias)
        weights = there.to(x.dtype).unsqueeze(-1)
        features: Tensor = (x * weights).sum(1) / weights.sum(1).clamp_min(1.0)
        return features


def load_sentence_encoder(tower: SentenceTower, folder: Path) -> None:
    """Start `tower` from the sentence encoder in `folder`, as sentence-transformers stores it.

    Raises `ValueError` when there is none, it is no BERT with the mean over its tokens, or of
    another shape.
    """
    _check_kind(folder, tower)
    source = read_state(folder / "model.safetensors")
    try:
        tower.load_state_dict(_renamed(source, tower))
    except (KeyError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        if isinstance(error, KeyError):
            reason = f"has no {reason}"
        raise ValueError(f"{folder}: not a sentence encoder of this shape: {reason}") from None


def _check_kind(folder: Path, tower: SentenceTower) -> None:
    """Raises `ValueError` unless `tower` computes what the encoder in `folder` does."""
    heads = {layer.heads for layer in tower.layers if isinstance(layer, BertLayer)}
    config, pooling = _read(folder / "config.json"), _read(folder / "1_Pooling" / "config.json")
    modes = {name for name, on in pooling.items() if name.startswith("pooling_mode") and on is True}
    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        raise ValueError(f"{folder}: is no BERT with GELU, which the text tower is")
    if modes != {"pooling_mode_mean_tokens"}:
        raise ValueError(f"{folder}: does not take the mean over tokens, as the text tower does")
    found = config.get("num_attention_heads")
    if heads != {found}:  # which no weight would tell
        raise ValueError(f"{folder}: has {found} heads, and the text tower {heads}")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: not part of a sentence encoder ({error})") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: not part of a sentence encoder (no settings in it)")
    return content


def _renamed(source: dict[str, Tensor], tower: SentenceTower) -> dict[str, Tensor]:
    """BERT's tensors under the names of `tower`, query, key and value one upon the other."""
    positions = source["embeddings.position_embeddings.weight"]
    if len(positions) < tower.context_length:
        raise ValueError(f"has only {len(positions)} positions")
    kinds = source["embeddings.token_type_embeddings.weight"]
    state = {
        "token_embedding.weight": source["embeddings.word_embeddings.weight"],
        "positional_embedding": positions[: tower.context_length] + kinds[0],
    }
    layers = len(tower.layers)
    if f"encoder.layer.{layers}.output.dense.weight" in source:
        raise ValueError(f"has more than {layers} layers")
    for kind in ("weight", "bias"):
        state[f"norm.{kind}"] = source[f"embeddings.LayerNorm.{kind}"]
        for number in range(layers):
            layer = f"encoder.layer.{number}"
            attention = [f"{layer}.attention.self.{part}.{kind}" for part in _ATTENTION]
            state[f"layers.{number}.qkv.{kind}"] = torch.cat([source[name] for name in attention])
            for ours, theirs in _PARTS.items():
                state[f"layers.{number}.{ours}.{kind}"] = source[f"{layer}.{theirs}.{kind}"]
    return state
