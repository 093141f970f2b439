"""Distilling an image tower: towards the teacher's embeddings of stored views of each photo.

Only the image tower learns; the teacher's embeddings were computed once, with the parameters of
the view they belong to (dataset reinforcement, MobileCLIP section 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import ImageEnhance
from torch import Tensor, nn

from trainer.data.photo_tars import PhotoSample, decode, read_photos
from trainer.data.views import WHOLE, View
from trainer.evaluate.retrieval import retrieval
from trainer.losses import bank_loss, feature_loss
from trainer.models.nano_image import MEAN, STD
from trainer.teachers.embeddings import read_embeddings
from trainer.teachers.sentence import SentenceEncoder
from trainer.train.task import Batch, Outputs, Share, TaskDefaults
from trainer.train.text import epoch_rows


@dataclass
class ReinforcedPhotos:
    """Photos in memory, undecoded, with the teacher's embeddings of their views.

    photos: n samples; views: (v, 6) stored parameters of all views and targets: (v, d)
    their teacher embeddings; rows: n lists, the views of each photo. Photos of different tars may
    have different numbers of views.
    """

    photos: list[PhotoSample]
    views: np.ndarray
    targets: np.ndarray
    rows: list[list[int]]

    @classmethod
    def load(cls, stored: Mapping[Path, Sequence[Path]]) -> ReinforcedPhotos:
        """Read photo tars, each with its files of teacher embeddings, one a view.

        Raises `ValueError` when a file is missing, damaged or of other photos than its tar.
        """
        photos: list[PhotoSample] = []
        rows: list[list[int]] = []
        views, targets = [], []
        total = 0
        for tar, files in stored.items():
            samples = list(read_photos(tar))
            photos += samples
            firsts = []
            for file in files:
                parameters, embeddings = read_embeddings(file, [s.key for s in samples], tar)
                views.append(parameters)
                targets.append(embeddings)
                firsts.append(total)
                total += len(samples)
            rows += [[first + number for first in firsts] for number in range(len(samples))]
        return cls(photos, np.concatenate(views), np.concatenate(targets), rows)


def to_tensor(pictures: Tensor) -> Tensor:
    """uint8 (n, S, S, 3) to normalised float32 (n, 3, S, S) in channels-last memory."""
    images = pictures.permute(0, 3, 1, 2).float().div_(255.0)
    mean, std = (images.new_tensor(value).view(1, 3, 1, 1) for value in (MEAN, STD))
    return (images - mean) / std


@dataclass(frozen=True)
class HeldOut:
    """Held-out photos for choosing models: images, teacher embeddings and caption embeddings.

    pictures: uint8 (n, S, S, 3); targets: (n, d); captions: (m, d); owner: int (m,), the photo of
    each caption.
    """

    pictures: np.ndarray
    targets: np.ndarray
    captions: np.ndarray
    owner: np.ndarray

    @classmethod
    def load(cls, tar: Path, embeddings: Path, encoder: SentenceEncoder, size: int) -> HeldOut:
        """Decode the captioned photos of `tar` at `size`; `embeddings` are the teacher's.

        Raises `ValueError` when `embeddings` is missing, damaged or of other photos than `tar`, or
        none of the photos has a caption.
        """
        samples = list(read_photos(tar))
        _, targets = read_embeddings(embeddings, [sample.key for sample in samples], tar)
        captions = [sample.meta.get("captions", []) for sample in samples]
        if not any(captions):
            raise ValueError(f"{tar}: has no captions to measure with")
        groups = encoder.grouped(captions)
        return cls(
            np.stack([np.asarray(WHOLE.replay(decode(sample), size)) for sample in samples]),
            targets.astype(np.float32),
            np.concatenate(groups),
            np.repeat(np.arange(len(groups)), [len(group) for group in groups]),
        )

    def figures(self, tower: nn.Module) -> dict[str, float]:
        """Text-to-photo R@1 and R@10, and the mean cosine to the teacher."""
        device = next(tower.parameters()).device
        with torch.inference_mode():
            parts = [
                F.normalize(tower(to_tensor(part.to(device))), dim=1).cpu()
                for part in torch.from_numpy(self.pictures).split(50)
            ]
        images = torch.cat(parts).numpy()
        found = retrieval(images, self.captions, self.owner, resamples=1).text_to_photo
        return {
            "r1": found.figure("R@1").value,
            "r10": found.figure("R@10").value,
            "cosine": float((images * self.targets).sum(axis=1).mean()),
        }


class ImageDistillation(TaskDefaults):
    """Loss: 2 (1 - cosine) + half the KL divergence of the similarities to a bank of texts.

    bank: float16 (t, d) text embeddings, of which `bank_rows` random ones serve at each step.
    """

    KL_SCALE = 30.0

    def __init__(
        self,
        tower: nn.Module,
        photos: ReinforcedPhotos,
        bank: np.ndarray,
        held_out: HeldOut,
        *,
        image_size: int,
        batch_size: int = 64,
        bank_rows: int = 2048,
        seed: int = 0,
    ) -> None:
        self.model = tower
        self.unit = "image"
        self.batch_size = batch_size
        self._photos, self._bank, self._held_out = photos, bank, held_out
        self._size, self._bank_rows = image_size, bank_rows
        self._seed = seed

    def batch(self, step: int, share: Share) -> Batch:
        """Images uint8 (b, S, S, 3); teacher embeddings (b, d) and bank texts (t, d)."""
        random = np.random.default_rng((self._seed, 1, step, share.index))
        rows = share.of(epoch_rows(len(self._photos.photos), self.batch_size, step, self._seed))
        chosen = [int(random.choice(self._photos.rows[row])) for row in rows]
        pictures = np.stack(
            [self._picture(row, view, random) for row, view in zip(rows, chosen, strict=True)]
        )
        texts = self._bank[np.sort(random.integers(len(self._bank), size=self._bank_rows))]
        targets = self._photos.targets[chosen].astype(np.float32)
        return Batch(
            torch.from_numpy(pictures),
            (torch.from_numpy(targets), torch.from_numpy(texts.astype(np.float32))),
        )

    def _picture(self, row: int, view: int, random: np.random.Generator) -> np.ndarray:
        """The stored view, nudged: what the teacher would hardly see a difference in."""
        stored = View.from_row(self._photos.views[view])
        share = random.uniform(0.9, 1.0, size=2)
        offset = random.uniform(0.0, 1.0, size=2) * (1.0 - share)
        nudged = View(
            left=stored.left + stored.width * offset[0],
            top=stored.top + stored.height * offset[1],
            width=stored.width * share[0],
            height=stored.height * share[1],
            flip=bool(random.random() < 0.5),
            short_side=stored.short_side,
        )
        picture = nudged.replay(decode(self._photos.photos[row]), self._size)
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            picture = enhance(picture).enhance(random.uniform(0.8, 1.2))
        return np.asarray(picture)

    def embed(self, model: nn.Module, inputs: Any) -> Outputs:
        return (F.normalize(model(to_tensor(inputs)).float(), dim=1),)

    def losses(self, outputs: Sequence[Outputs], targets: Sequence[Any]) -> dict[str, Tensor]:
        embeddings = torch.cat([part for (part,) in outputs])
        goals = torch.cat([goal for goal, _ in targets])
        texts = targets[0][1]  # any bank does; that of the first share
        pull = feature_loss(embeddings, goals)
        relation = bank_loss(embeddings, goals, texts, self.KL_SCALE)
        return {"loss": 2.0 * pull + 0.5 * relation, "pull": pull, "relation": relation}

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        return self._held_out.figures(model)
