"""The retrieval gate: a bundle must find what its towers find in PyTorch.

    recall = measure([Path("val.tar")], (image, text), tokenise, float32, int8)
    recall.drop("int8") < LIMIT

All are asked the same captions of the same photos, so a difference between them is the doing of the
export, and much surer than the interval of each figure would suggest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from photosearch.encoders import Encoder, Tokenise
from trainer.data.photo_tars import PhotoTarError, decode
from trainer.evaluate.captioned import batches, captions_of, distinct_photos
from trainer.evaluate.retrieval import chance_recall, retrieval
from trainer.export.errors import ExportError
from trainer.export.tower import embeddings

# R@10 may drop by less than half a point.
LIMIT = 0.005
_K = 10
# Among fewer photos nearly everything is among the first ten, and fewer captions cannot show a drop
# as small as the limit.
_LEAST_PHOTOS, _LEAST_CAPTIONS = 100, 201
_PHOTOS_AT_ONCE = 64


@dataclass(frozen=True)
class Recall:
    """R@10 from text to photo, as a share, of "pytorch", "float32" and perhaps "int8"."""

    data: tuple[Path, ...]
    gallery: int
    queries: int
    chance: float
    values: Mapping[str, float]

    def drop(self, name: str) -> float:
        """How much less than the towers in PyTorch it finds; negative when it finds more."""
        return self.values["pytorch"] - self.values[name]

    def record(self) -> dict[str, Any]:
        """The JSON form, as "retrieval" in bundle.json's "export"."""
        return {
            "data": [{"file": path.name, "sha256": _sha256(path)} for path in self.data],
            "task": "text to photo",
            "metric": f"R@{_K}",
            "gallery": self.gallery,
            "queries": self.queries,
            "chance": self.chance,
            "limit": LIMIT,
            **self.values,
        }


def measure(
    tars: Sequence[Path],
    pytorch: tuple[nn.Module, nn.Module],
    tokenise: Tokenise,
    float32: Encoder,
    int8: Encoder | None = None,
) -> Recall:
    """R@10 on the captioned photos of `tars`, which make one gallery.

    Args:
        tars: photos with captions.
        pytorch: the image tower and the text tower.
        tokenise: makes the token ids of the text tower.
        float32: the bundle made of them.
        int8: the same with an 8-bit text tower; only that is used.

    Raises:
        ExportError: too few photos or captions to tell anything.
        PhotoTarError: a tar cannot be read, or a photo has no captions.
    """
    photos, captions, owners = _encode_photos(tars, pytorch[0], float32)
    if len(photos["float32"]) < _LEAST_PHOTOS or len(captions) < _LEAST_CAPTIONS:
        raise ExportError(
            f"{' + '.join(map(str, tars))}: {len(photos['float32'])} photos with {len(captions)} "
            f"captions; a gate needs at least {_LEAST_PHOTOS} photos and {_LEAST_CAPTIONS} captions"
        )
    texts = {
        "pytorch": embeddings(pytorch[1], torch.from_numpy(tokenise(captions))),
        "float32": float32.encode_texts(captions),
    }
    if int8 is not None:
        photos["int8"] = photos["float32"]
        texts["int8"] = int8.encode_texts(captions)
    values = {name: _recall(photos[name], texts[name], owners) for name in texts}
    gallery = len(photos["float32"])
    chance = chance_recall(_K, gallery, np.ones(1, np.int64))
    return Recall(tuple(tars), gallery, len(captions), chance, values)


def _recall(
    photos: NDArray[np.float32], texts: NDArray[np.float32], owners: NDArray[np.int64]
) -> float:
    # A text that rounding left without a direction finds nothing.
    whole = np.abs(np.linalg.norm(texts, axis=1) - 1) < 1e-3
    if not whole.any():
        return 0.0
    # The interval is not used, so it need not be resampled.
    result = retrieval(photos, texts[whole], owners[whole], ks=(_K,), resamples=1)
    return result.text_to_photo.figure(f"R@{_K}").value * float(whole.mean())


def _encode_photos(
    tars: Sequence[Path], tower: nn.Module, encoder: Encoder
) -> tuple[dict[str, NDArray[np.float32]], list[str], NDArray[np.int64]]:
    """Photos (n, dim) by both, all captions, and the photo of each; every photo is decoded once."""
    rows: dict[str, list[NDArray[np.float32]]] = {"pytorch": [], "float32": []}
    captions: list[str] = []
    counts: list[int] = []
    prepare = encoder.preprocess
    with tqdm(unit="photo", desc="gate", disable=None) as bar:  # None: only in a terminal
        for group in batches(distinct_photos(tars), _PHOTOS_AT_ONCE):
            pixels = np.stack([prepare.pixels(decode(sample)) for sample in group])
            normal = torch.from_numpy(prepare.normalise(pixels))
            rows["pytorch"].append(embeddings(tower, normal))
            rows["float32"].append(encoder.encode_pixels(pixels))
            for mine in map(captions_of, group):
                captions += mine
                counts.append(len(mine))
            bar.update(len(group))
    if not counts:
        raise PhotoTarError(f"{' + '.join(map(str, tars))}: holds no photos")
    photos = {name: np.concatenate(parts) for name, parts in rows.items()}
    return photos, captions, np.repeat(np.arange(len(counts)), counts)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
