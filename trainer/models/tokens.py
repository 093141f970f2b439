"""The tokenizer of a model that is not a bundle yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from photosearch.encoders import TextSettings, Tokenise, tokenizer_for
from photosearch.encoders.bundle import CLIP_BPE, TOKENIZER
from trainer.models.config import TextConfig
from trainer.models.sentence_tower import PAD
from trainer.teachers.sentence import packaged_encoder


def text_facts(text: TextConfig) -> dict[str, Any]:
    """How the texts of this text tower are prepared, as "text" in bundle.json."""
    facts: dict[str, Any] = {"context_length": text.context_length, "tokenizer": CLIP_BPE}
    if text.tower == "sentence":
        facts |= {"tokenizer": TOKENIZER, "pad_id": PAD, "padding": "longest"}
    return facts


def tokenizer_file(text: TextConfig, sentence_encoder: Path | None = None) -> Path | None:
    """The file that makes its tokens, in the folder of a sentence encoder; None for CLIP's.

    Raises `ValueError` when no folder is given, and the packaged sentence encoder not installed.
    """
    if text.tower != "sentence":
        return None
    return (sentence_encoder or packaged_encoder()) / TOKENIZER


def tokenizer_of(text: TextConfig) -> Tokenise:
    """The tokenizer of this text tower: CLIP's, or that of the packaged sentence encoder.

    Raises `ValueError` when that is not installed, and `BundleError` when it cannot be read.
    """
    return tokenizer_for(TextSettings(**text_facts(text)), tokenizer_file(text))
