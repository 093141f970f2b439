"""Held-out photos, while training: retrieval by their captions, and classes by their names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from photosearch.encoders import ImageSettings, Preprocess
from trainer.captioners.labels import labels
from trainer.data.photo_tars import PhotoSample, PhotoTarError, decode
from trainer.evaluate.captioned import captions_of, distinct_photos
from trainer.evaluate.classification import classify
from trainer.evaluate.retrieval import retrieval
from trainer.evaluate.zero_shot import simple_templates
from trainer.models.config import ModelConfig
from trainer.models.family import Clip
from trainer.models.tokens import tokenizer_of
from trainer.train.pixels import normalised

_AT_ONCE = 64


class Validation(Protocol):
    """Photos that a model is measured on."""

    @property
    def summary(self) -> str:
        """What is measured, and what chance would reach."""

    def figures(self, model: Clip, *, texts_locked: bool = False) -> dict[str, float]:
        """Shares in [0, 1] by their names.

        texts_locked: the text tower is the same in all calls, so it reads the texts once.
        """


class HeldPhotos:
    """Photos decoded once and kept in memory, with the texts that they are compared to.

    Pictures are prepared as the model's configuration says, at `size` pixels.
    """

    def __init__(
        self, samples: Iterable[PhotoSample], texts: Sequence[str], config: ModelConfig, size: int
    ) -> None:
        image = asdict(replace(config.image, size=size))
        fields = ("size", "resize", "crop", "interpolation", "mean", "std")
        preprocess = Preprocess(ImageSettings(**{field: image[field] for field in fields}))
        pictures: list[NDArray[np.uint8]] = [preprocess.pixels(decode(one)) for one in samples]
        self._pictures = torch.from_numpy(np.stack(pictures))
        self._ids = torch.from_numpy(tokenizer_of(config.text)(texts))
        self._image = config.image
        self._texts: NDArray[np.float32] | None = None

    def images(self, model: Clip) -> NDArray[np.float32]:
        device = model.logit_scale.device
        parts = [
            model.encode_image(normalised(part.to(device), self._image), normalize=True)
            for part in self._pictures.split(_AT_ONCE)
        ]
        return np.asarray(torch.cat(parts).float().cpu().numpy())

    def texts(self, model: Clip, *, locked: bool) -> NDArray[np.float32]:
        if self._texts is None or not locked:
            device = model.logit_scale.device
            parts = self._ids.split(4 * _AT_ONCE)
            rows = torch.cat([model.encode_text(p.to(device), normalize=True) for p in parts])
            self._texts = np.asarray(rows.float().cpu().numpy())
        return self._texts


class Retrieval:
    """Captioned photos, and all their captions.

    Raises `PhotoTarError` for photos without captions, twice, or none at all.
    """

    def __init__(self, tars: Sequence[Path], config: ModelConfig, size: int) -> None:
        samples = _distinct(tars)
        captions = [captions_of(sample) for sample in samples]
        texts = [text for group in captions for text in group]
        self._owners = np.repeat(np.arange(len(samples)), [len(group) for group in captions])
        self._photos = HeldPhotos(samples, texts, config, size)
        self._counts = len(samples), len(texts)

    @property
    def summary(self) -> str:
        """What is searched, and what chance would find there."""
        photos, captions = self._counts
        return (
            f"{captions:,} captions over a gallery of {photos:,} photos "
            f"(chance R@1 {min(1, 1 / photos):.2%}, R@10 {min(1, 10 / photos):.2%})"
        )

    @torch.inference_mode()
    def figures(self, model: Clip, *, texts_locked: bool = False) -> dict[str, float]:
        """R@1 and R@10, of photos for a caption and of captions for a photo."""
        found = retrieval(
            self._photos.images(model),
            self._photos.texts(model, locked=texts_locked),
            self._owners,
            ks=(1, 10),
            resamples=1,
        )
        return {
            f"{name}_r{k}": direction.figure(f"R@{k}").value
            for name, direction in (
                ("text_to_photo", found.text_to_photo),
                ("photo_to_text", found.photo_to_text),
            )
            for k in (1, 10)
        }


class ZeroShot:
    """Photos with a label, classified among all their labels as CLIP does (arXiv 2103.00020, 3.1).

    Raises `PhotoTarError` for photos twice, and `ValueError` for fewer than two labels; photos
    whose label says nothing are left out.
    """

    def __init__(self, tars: Sequence[Path], config: ModelConfig, size: int) -> None:
        samples = [one for one in _distinct(tars) if labels(one.meta)]
        named = [labels(one.meta)[0] for one in samples]
        names = sorted(set(named))
        if len(names) < 2:
            raise ValueError(f"{' + '.join(map(str, tars))}: has no two labels to tell apart")
        self._labels = np.searchsorted(names, named)
        self._classes = len(names)
        templates = simple_templates()
        self._templates = len(templates)
        texts = [one.replace("{c}", name) for name in names for one in templates]
        self._photos = HeldPhotos(samples, texts, config, size)

    @property
    def summary(self) -> str:
        return (
            f"{len(self._labels):,} photos of {self._classes:,} classes "
            f"(chance top-1 {1 / self._classes:.2%})"
        )

    @torch.inference_mode()
    def figures(self, model: Clip, *, texts_locked: bool = False) -> dict[str, float]:
        """Top-1 accuracy."""
        texts = self._photos.texts(model, locked=texts_locked)
        classes = texts.reshape(self._classes, self._templates, -1).mean(1)
        classes /= np.linalg.norm(classes, axis=1, keepdims=True)
        ranks = classify(self._photos.images(model), classes, self._labels).ranks
        return {"zero_shot_top1": float((ranks == 1).mean())}


def open_validation(
    config: ModelConfig, *, captioned: Sequence[Path] = (), labelled: Sequence[Path] = ()
) -> list[Validation]:
    """What there is to measure on, at the size of `config`; none when both are empty."""
    size = config.image.size
    found: list[Validation] = []
    if captioned:
        found.append(Retrieval(captioned, config, size))
    if labelled:
        found.append(ZeroShot(labelled, config, size))
    return found


def _distinct(tars: Sequence[Path]) -> list[PhotoSample]:
    samples = list(distinct_photos(tars))
    if not samples:
        raise PhotoTarError(f"{' + '.join(map(str, tars))}: holds no photos")
    return samples
