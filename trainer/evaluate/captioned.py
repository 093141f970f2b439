"""Encode the captioned photos of a test set with a bundle's encoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from photosearch.encoders import Encoder
from trainer.data.photo_tars import PhotoSample, PhotoTarError, decode, read_photos


@dataclass(frozen=True)
class Captioned:
    """Embedded photos (n, d) and captions (m, d), unit norm, and each caption's photo (m,)."""

    images: NDArray[np.float32]
    texts: NDArray[np.float32]
    owners: NDArray[np.int64]


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
    images, texts, owners = [], [], []
    total = 0
    with tqdm(unit="photo", desc="encoding", disable=not progress) as bar:
        for samples in _batches(_distinct(tars), batch):
            captions = [_captions(sample) for sample in samples]
            images.append(encoder.encode_images([decode(sample) for sample in samples]))
            texts.append(encoder.encode_texts([text for mine in captions for text in mine]))
            numbers = np.arange(total, total + len(samples))
            owners.append(np.repeat(numbers, [len(mine) for mine in captions]))
            total += len(samples)
            bar.update(len(samples))
    if not images:
        raise PhotoTarError(f"{' + '.join(map(str, tars))}: holds no photos")
    return Captioned(np.concatenate(images), np.concatenate(texts), np.concatenate(owners))


def _distinct(tars: Sequence[Path]) -> Iterator[PhotoSample]:
    seen: dict[str, str] = {}
    for sample in read_photos(*tars):
        if sample.key in seen:
            raise PhotoTarError(f"{sample.origin}: the same photo as {seen[sample.key]}")
        seen[sample.key] = sample.origin
        yield sample


def _captions(sample: PhotoSample) -> list[str]:
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


def _batches(samples: Iterator[PhotoSample], size: int) -> Iterator[list[PhotoSample]]:
    while group := list(islice(samples, size)):
        yield group
