"""Retrieval on held-out captioned photos, while training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from photosearch.encoders import ImageSettings, Preprocess
from trainer.data.photo_tars import PhotoTarError, decode
from trainer.evaluate.captioned import captions_of, distinct_photos
from trainer.evaluate.retrieval import retrieval
from trainer.models.config import ModelConfig
from trainer.models.family import Clip
from trainer.models.tokens import tokenizer_of
from trainer.train.pixels import normalised

_AT_ONCE = 64


class Validation:
    """The photos of captioned tars with all their captions, decoded once and kept in memory.

    Pictures are prepared as the model's configuration says, at `size` pixels.

    Raises `PhotoTarError` for photos without captions, twice, or none at all.
    """

    def __init__(self, tars: Sequence[Path], config: ModelConfig, size: int) -> None:
        image = asdict(replace(config.image, size=size))
        fields = ("size", "resize", "crop", "interpolation", "mean", "std")
        preprocess = Preprocess(ImageSettings(**{field: image[field] for field in fields}))
        pictures: list[NDArray[np.uint8]] = []
        texts: list[str] = []
        owners: list[int] = []
        for number, sample in enumerate(distinct_photos(tars)):
            captions = captions_of(sample)
            pictures.append(preprocess.pixels(decode(sample)))
            texts += captions
            owners += [number] * len(captions)
        if not pictures:
            raise PhotoTarError(f"{' + '.join(map(str, tars))}: holds no photos")
        self._pictures = torch.from_numpy(np.stack(pictures))
        self._ids = torch.from_numpy(tokenizer_of(config.text)(texts))
        self._owners = np.asarray(owners)
        self._image = config.image
        self._embedded: torch.Tensor | None = None

    @property
    def summary(self) -> str:
        """What is searched, and what chance would find there."""
        photos, captions = len(self._pictures), len(self._ids)
        return (
            f"{captions:,} captions over a gallery of {photos:,} photos "
            f"(chance R@1 {min(1, 1 / photos):.2%}, R@10 {min(1, 10 / photos):.2%})"
        )

    @torch.inference_mode()
    def figures(self, model: Clip, *, texts_locked: bool = False) -> dict[str, float]:
        """R@1 and R@10, of photos for a caption and of captions for a photo.

        texts_locked: the text tower is the same in all calls, so it reads the captions once.
        """
        device = model.logit_scale.device
        images = [
            model.encode_image(normalised(part.to(device), self._image), normalize=True)
            for part in self._pictures.split(_AT_ONCE)
        ]
        texts = self._embedded if texts_locked else None
        if texts is None:
            parts = self._ids.split(4 * _AT_ONCE)
            texts = torch.cat([model.encode_text(p.to(device), normalize=True) for p in parts])
            self._embedded = texts
        found = retrieval(
            torch.cat(images).float().cpu().numpy(),
            texts.float().cpu().numpy(),
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
