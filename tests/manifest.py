"""What the bundles of the tests say of themselves in bundle.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def bundle_fields(
    *, size: int, context: int, dim: int, image: Mapping[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """All fields of a bundle with 100 as its factor; `image` and `changes` replace others."""
    preparation = {
        "size": size,
        "resize": "squash",
        "crop": "none",
        "interpolation": "bicubic",
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.3, 0.25],
    }
    return {
        "name": "tiny",
        "version": "1",
        "architecture": "Tiny",
        "embedding_dim": dim,
        "image": preparation | dict(image or {}),
        "text": {"context_length": context, "tokenizer": "clip-bpe"},
        "logit_scale": 100.0,
        "calibration": None,
        "licence": "Apache-2.0",
        "provenance": {},
        "metrics": [],
    } | changes
