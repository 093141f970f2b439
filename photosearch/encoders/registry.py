"""Where model bundles are found."""

from __future__ import annotations

import os
from pathlib import Path

from photosearch.encoders.bundle import Bundle
from photosearch.encoders.encoder import Encoder
from photosearch.shipped import asset

DEFAULT_MODEL = "mobileclip-nano"


ENVIRONMENT = "PHOTOSEARCH_MODEL"


def bundled_path() -> Path:
    """The folder of the bundle that comes with us."""
    return asset("models", DEFAULT_MODEL)


def default_bundle_path() -> Path:
    """The folder of the bundle named by PHOTOSEARCH_MODEL, or of the one that comes with us."""
    named = os.environ.get(ENVIRONMENT)
    return Path(named).expanduser() if named else bundled_path()


def open_encoder(path: str | os.PathLike[str] | None = None) -> Encoder:
    """An encoder for the bundle in folder `path`, or for the default one.

    The networks themselves are loaded, and their hashes checked, when they are first used.

    Raises `BundleError` when there is no usable bundle.
    """
    from photosearch.encoders.onnx import OnnxEncoder

    return OnnxEncoder(Bundle.open(path or default_bundle_path(), verify=False))
