"""What bundle.json says of a model of the family, whatever it has learned."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from trainer.models.config import ModelConfig
from trainer.models.tokens import text_facts


def facts_of(config: ModelConfig) -> dict[str, Any]:
    """Architecture, width, and how pictures and texts are prepared."""
    settings = asdict(config.image)
    names = ("size", "resize", "crop", "interpolation", "mean", "std")
    return {
        "architecture": config.name,
        "embedding_dim": config.dim,
        "image": {name: settings[name] for name in names},
        "text": text_facts(config.text),
    }
