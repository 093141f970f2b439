"""Model bundles and the encoders that run them: pictures and texts in, unit vectors out."""

from photosearch.encoders.bundle import Bundle, ImageSettings, TextSettings, write_manifest
from photosearch.encoders.calibration import Calibration
from photosearch.encoders.encoder import Encoder
from photosearch.encoders.preprocess import Preprocess
from photosearch.encoders.registry import (
    DEFAULT_MODEL,
    bundled_path,
    default_bundle_path,
    open_encoder,
)
from photosearch.encoders.store import BundleStore
from photosearch.encoders.tokenizer import Tokenizer
from photosearch.encoders.tokens import Tokenise, open_tokenizer, tokenizer_for

__all__ = [
    "DEFAULT_MODEL",
    "Bundle",
    "BundleStore",
    "Calibration",
    "Encoder",
    "ImageSettings",
    "Preprocess",
    "TextSettings",
    "Tokenise",
    "Tokenizer",
    "bundled_path",
    "default_bundle_path",
    "open_encoder",
    "open_tokenizer",
    "tokenizer_for",
    "write_manifest",
]
