"""The head that joins frozen image features to a locked text space.

Locked-text tuning (the reverse of LiT, arXiv 2111.07991): captions are embedded once by a frozen
sentence encoder, and only this head learns, by InfoNCE, to land beside them. Photos of which only a
label is known may join in: they learn to tell the labels' embeddings apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from tqdm import tqdm

from trainer.teachers.labelled import LabelledPhotos

CLAMP = 6.0
CONSE_GAIN = 10.0


@dataclass(frozen=True)
class HeadRecipe:
    """Optimisation settings of one head; the defaults are those chosen on held-out photos."""

    hidden: int = 1024
    dropout: float = 0.4
    epochs: int = 14
    batch: int = 512
    learning_rate: float = 1e-3
    weight_decay: float = 0.2
    mean_caption_weight: float = 0.5
    label_weight: float = 0.3
    label_scale: float = 30.0


class Head(nn.Module):
    """Features (n, F) and ConSE embeddings (n, d) to unit-norm embeddings (n, d)."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, feature_dim: int, dim: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(feature_dim))
        self.register_buffer("std", torch.ones(feature_dim))
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(feature_dim + dim, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, dim),
        )

    def forward(self, features: torch.Tensor, conse: torch.Tensor) -> torch.Tensor:
        standardised = ((features - self.mean) / self.std).clamp(-CLAMP, CLAMP)
        return F.normalize(self.layers(torch.cat([standardised, CONSE_GAIN * conse], 1)), dim=1)


def train_head(
    features: Sequence[np.ndarray],
    conse: Sequence[np.ndarray],
    captions: list[np.ndarray],
    *,
    seed: int,
    labelled: LabelledPhotos | None = None,
    recipe: HeadRecipe | None = None,
) -> Head:
    """Train one head on captioned photos, and on labelled ones where there are some.

    features and conse: one (n, F) and one (n, d) array for each view of the same n photos;
    captions: n arrays (captions of photo i, d), unit norm. Each step sees a random view and a
    random caption of each photo, and as many labelled photos.
    """
    recipe = recipe or HeadRecipe()
    views = torch.from_numpy(np.stack(features)).float()
    priors = torch.from_numpy(np.stack(conse)).float()
    count = views.shape[1]
    mean_caption = F.normalize(
        torch.stack([torch.from_numpy(c).float().mean(0) for c in captions]), dim=1
    )
    width = max(len(c) for c in captions)
    padded = torch.stack([torch.from_numpy(c[np.arange(width) % len(c)]).float() for c in captions])
    random = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    head = Head(views.shape[2], priors.shape[2], recipe.hidden, recipe.dropout)
    flat = views.flatten(0, 1)
    batches = None if labelled is None else _LabelBatches(labelled, random)
    if batches is not None:
        flat = torch.cat([flat, batches.features])
    head.mean.copy_(flat.mean(0))
    head.std.copy_(flat.std(0).clamp_min(1e-3))
    log_scale = nn.Parameter(torch.tensor(np.log(1 / 0.07), dtype=torch.float32))
    optimizer = torch.optim.AdamW(
        [
            {"params": head.parameters(), "weight_decay": recipe.weight_decay},
            {"params": [log_scale], "weight_decay": 0.0},
        ],
        lr=recipe.learning_rate,
    )
    steps_per_epoch = max(1, count // recipe.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, recipe.epochs * steps_per_epoch
    )
    head.train()
    for _ in tqdm(range(recipe.epochs), desc=f"head, seed {seed}", unit="epoch"):
        order = torch.randperm(count, generator=random)
        for rows in order.chunk(steps_per_epoch):
            view = torch.randint(len(views), (len(rows),), generator=random)
            choice = torch.randint(width, (len(rows),), generator=random)
            images = head(views[view, rows], priors[view, rows])
            logits = log_scale.exp().clamp(max=100.0) * images @ padded[rows, choice].T
            target = torch.arange(len(rows))
            contrast = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
            pull = 1.0 - (images * mean_caption[rows]).sum(1).mean()
            loss = contrast + recipe.mean_caption_weight * pull
            if batches is not None:
                loss = loss + recipe.label_weight * batches.loss(head, len(rows), recipe)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return head.eval()


class _LabelBatches:
    """Random batches of labelled photos, and what a head loses on them."""

    def __init__(self, photos: LabelledPhotos, random: torch.Generator) -> None:
        self.features = torch.from_numpy(photos.features).float()
        self._priors = torch.from_numpy(photos.conse).float()
        self._labels = torch.from_numpy(photos.labels).long()
        self._table = torch.from_numpy(photos.label_embeddings).float()
        self._random = random

    def loss(self, head: Head, count: int, recipe: HeadRecipe) -> torch.Tensor:
        """Cross-entropy over all labels, and half of 1 - cosine to the photo's own."""
        rows = torch.randint(len(self._labels), (count,), generator=self._random)
        images = head(self.features[rows], self._priors[rows])
        labels = self._labels[rows]
        apart = F.cross_entropy(recipe.label_scale * images @ self._table.T, labels)
        pull = 1.0 - (images * self._table[labels]).sum(1).mean()
        return apart + 0.5 * pull
