"""Where model bundles are found."""

from __future__ import annotations

import os
from pathlib import Path

from photosearch.encoders.bundle import Bundle
from photosearch.encoders.encoder import Encoder
from photosearch.settings import Settings, read_environment
from photosearch.shipped import asset
from photosearch.text_process import begun

DEFAULT_MODEL = "mobileclip-small"


def bundled_path() -> Path:
    """The folder of the bundle that comes with us."""
    return asset("models", DEFAULT_MODEL)


def default_bundle_path() -> Path:
    """The folder of the bundle named by PHOTOSEARCH_MODEL, or of the one that comes with us."""
    return read_environment().model or bundled_path()


def open_encoder(
    path: str | os.PathLike[str] | None = None, settings: Settings | None = None
) -> Encoder:
    """An encoder for the bundle in folder `path`, or for the default one.

    Without `settings` those of the environment hold.

    The networks themselves are loaded, and their hashes checked, when they are first used.

    Raises `BundleError` when there is no usable bundle; `UsageError` for a setting that cannot be.
    """
    from photosearch.encoders.onnx import OnnxEncoder

    settings = read_environment() if settings is None else settings
    return OnnxEncoder(
        Bundle.open(path or default_bundle_path(), verify=False),
        threads=settings.threads,
        provider=settings.provider,
        text_process=begun(),
    )
