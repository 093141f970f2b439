"""What bundle.json says of a model of the family, whatever it has learned."""

from __future__ import annotations

from typing import Any

from trainer.models.config import ModelConfig, image_facts
from trainer.models.tokens import text_facts


def facts_of(config: ModelConfig) -> dict[str, Any]:
    """Architecture, width, and how pictures and texts are prepared."""
    return {
        "architecture": config.name,
        "embedding_dim": config.dim,
        "image": image_facts(config.image),
        "text": text_facts(config.text),
    }
