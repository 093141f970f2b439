"""The captioned photos of a test set: encoding them, and what a bundle finds among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from photosearch.encoders import Encoder
from trainer.data.photo_tars import PhotoSample, PhotoTarError, decode, read_photos
from trainer.evaluate.calibration import calibration
from trainer.evaluate.measures import Measure, retrieval_measures
from trainer.evaluate.retrieval import retrieval

T = TypeVar("T")


@dataclass(frozen=True)
class Captioned:
    """Embedded photos (n, d) and captions (m, d), unit norm, and each caption's photo (m,)."""

    images: NDArray[np.float32]
    texts: NDArray[np.float32]
    owners: NDArray[np.int64]


def measure_captioned(
    encoder: Encoder,
    tars: Sequence[Path],
    calibrate: bool = False,
    batch: int = 64,
    progress: bool = False,
) -> list[Measure]:
    """Retrieval on captioned photos, both ways, and on request its calibration.

    Raises what `encode_captioned` and, on request, `calibration` do.
    """
    data = encode_captioned(encoder, tars, batch=batch, progress=progress)
    name = " + ".join(tar.name for tar in tars)
    measures = retrieval_measures(name, retrieval(data.images, data.texts, data.owners))
    if calibrate:
        for found in calibration(data.images, data.texts, data.owners):
            measures.append(Measure(name, found.task, found.figure, found.queries, found.gallery))
    return measures


def encode_captioned(
    encoder: Encoder, tars: Sequence[Path], *, batch: int = 64, progress: bool = False
) -> Captioned:
    """Encode every photo of `tars` and every caption of `{"captions": [...]}` beside it.

    Several tars are shards of one test set: their photos make one gallery. Only a batch of
    pictures is decoded at a time.

    Raises:
        PhotoTarError: a tar that is damaged or empty, a photo without captions, or a photo that
            comes twice, which would count as its own rival.
    """
    pairs = ((sample, captions_of(sample)) for sample in distinct_photos(tars))
    data = encode_pairs(encoder, pairs, batch=batch, progress=progress)
    if data is None:
        raise PhotoTarError(f"{' + '.join(map(str, tars))}: holds no photos")
    return data


def encode_pairs(
    encoder: Encoder,
    pairs: Iterator[tuple[PhotoSample, list[str]]],
    *,
    batch: int = 64,
    progress: bool = False,
) -> Captioned | None:
    """Encode photos with their captions, `batch` photos at a time; None when there are none."""
    images, texts, owners = [], [], []
    total = 0
    with tqdm(unit="photo", desc="encoding", disable=not progress) as bar:
        for group in batches(pairs, batch):
            captions = [mine for _, mine in group]
            images.append(encoder.encode_images([decode(sample) for sample, _ in group]))
            texts.append(encoder.encode_texts([text for mine in captions for text in mine]))
            numbers = np.arange(total, total + len(group))
            owners.append(np.repeat(numbers, [len(mine) for mine in captions]))
            total += len(group)
            bar.update(len(group))
    if not images:
        return None
    return Captioned(np.concatenate(images), np.concatenate(texts), np.concatenate(owners))


def distinct_photos(tars: Sequence[Path]) -> Iterator[PhotoSample]:
    """The photos of all `tars`. Raises `PhotoTarError` at one that comes twice."""
    seen: dict[str, str] = {}
    for sample in read_photos(*tars):
        if sample.key in seen:
            raise PhotoTarError(f"{sample.origin}: the same photo as {seen[sample.key]}")
        seen[sample.key] = sample.origin
        yield sample


def captions_of(sample: PhotoSample) -> list[str]:
    """The captions in a photo's JSON. Raises `PhotoTarError` when it has none, or blank ones."""
    captions = sample.meta.get("captions")
    if not (
        isinstance(captions, list)
        and captions
        and all(isinstance(text, str) and text.strip() for text in captions)
    ):
        raise PhotoTarError(
            f"{sample.origin}: has no captions; a test set needs "
            f'{{"captions": ["...", ...]}} in {sample.key}.json'
        )
    return captions


def batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    """`items` in lists of `size`, the last one shorter."""
    while group := list(islice(items, size)):
        yield group
