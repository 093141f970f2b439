"""From the files of a model that is published as ONNX to a bundle, with ONNX Runtime alone.

The graphs stay as they are: the bundle says what they take and give. Nothing counts as a bundle
before its networks have encoded pictures and texts.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders import Bundle, write_manifest
from photosearch.encoders.bundle import CARD, TOKENIZER
from photosearch.encoders.calibration import sigmoid_calibration
from photosearch.errors import BundleError, DownloadError
from photosearch.pulling.layouts import (
    Layout,
    OpenClip,
    Published,
    Transformers,
    dim_of,
    ids_of,
    layout_of,
    networks,
)
from photosearch.pulling.offers import Offer
from photosearch.pulling.onnx_graph import read_graph

# As the files of a bundle may be called, so that none lies outside of its folder or is hidden.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_SOFTMAX_SCALE = 100.0  # what the training of CLIP models ends at
_TEXTS = ("a dog on a beach", "two children playing in the snow, Zürich 1999", "犬")


def place_of(layout: Layout, name: str) -> str:
    """Where one of the two graphs lies in the bundle, by its name in the repository."""
    return f"{'image' if name == layout.image else 'text'}/{PurePosixPath(name).name}"


def weights_of(graph: Path, name: str) -> tuple[str, ...]:
    """The files that a graph keeps weights in, as they are called from its folder.

    `name` is that of the graph in the repository. Raises `DownloadError` where one would lie
    outside that folder.
    """
    found = read_graph(graph).elsewhere
    for file in found:
        if not _NAME.fullmatch(file) or file == graph.name:
            raise DownloadError(
                f"{name}: keeps weights in {file!r}, which is no file beside it, so it is not used"
            )
    return found


def write_bundle(
    offer: Offer, settings: Path, folder: Path, sigmoid: tuple[float, float] | None = None
) -> Bundle:
    """Make a bundle of `folder`, which holds the graphs already, by the files in `settings`.

    `sigmoid`: the scale and bias that a model trained with one has learned.

    Raises `DownloadError` when they say what photosearch does not know.
    """
    layout = layout_of(offer.kind, offer.variant)
    graphs = layout.image, layout.text
    kind: type[Published] = OpenClip if offer.kind == "open_clip" else Transformers
    published = kind(layout, settings)
    image, text = (read_graph(folder / place_of(layout, name)) for name in graphs)
    dim = dim_of(image, layout.image) or dim_of(text, layout.text) or published.dim()
    if dim is None:
        raise DownloadError(f"{layout.config}: does not tell how many numbers a vector has")
    read = published.text(ids_of(text, layout.text))
    if read["tokenizer"] == TOKENIZER:
        shutil.copyfile(settings / layout.tokenizer, folder / TOKENIZER)
    (folder / CARD).write_text(_card(offer, dim), encoding="utf-8")
    fields: dict[str, Any] = {
        "name": offer.name,
        "version": offer.version,
        "architecture": offer.name,
        "embedding_dim": dim,
        "image": published.image(),
        "text": read,
        "networks": networks(image, text, graphs),
        "logit_scale": _SOFTMAX_SCALE if sigmoid is None else sigmoid[0],
        "calibration": None if sigmoid is None else sigmoid_calibration(*sigmoid),
        "licence": offer.licence,
        "provenance": {},
        "metrics": [],
    }
    if offer.languages is not None:
        fields["languages"] = list(offer.languages)
    return write_manifest(folder, fields)


def check(bundle: Bundle) -> None:
    """Raise `BundleError` unless the networks give finite vectors of the right length."""
    from PIL import Image

    from photosearch.encoders.onnx import OnnxEncoder

    encoder = OnnxEncoder(bundle, threads=1, provider="cpu")
    height, width = bundle.image.shape
    slope = np.linspace(0, 255, 3 * width * height).reshape(height, width, 3).astype(np.uint8)
    pictures = [Image.fromarray(slope), Image.new("RGB", (3 * width, height), "green")]
    for file, vectors in (
        (bundle.network("image").file, encoder.encode_images(pictures)),
        (bundle.network("text").file, encoder.encode_texts(_TEXTS)),
    ):
        if vectors.shape[1] != bundle.dim or not _are_unit(vectors):
            raise BundleError(
                f"{bundle.folder / file}: gives no vectors of {bundle.dim} numbers that can be "
                "compared, so the model is not used"
            )


def _are_unit(vectors: NDArray[np.float32]) -> bool:
    return bool(np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3))


def _card(offer: Offer, dim: int) -> str:
    lines = [
        f"# {offer.name}",
        "",
        f"By {offer.maker}; {offer.repository} of the Hugging Face hub. The networks are as they "
        "are published there.",
        "",
        f"- Licence of the weights: {offer.licence}",
        f"- Embedding: {dim} numbers",
        f"- Image input: {offer.pixels} x {offer.pixels} pixels",
    ]
    if offer.imagenet is not None:
        lines.append(f"- ImageNet, zero-shot: {offer.imagenet} % top-1, as it was published")
    return "\n".join([*lines, ""])
