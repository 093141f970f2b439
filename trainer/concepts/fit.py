"""A linear classifier for each concept, on features that stay as they are.

The features are put into fewer directions of equal spread first, so that a concept of which there
are a dozen photos is not told by what only these have in common.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from trainer.concepts.targets import Targets

Floats = NDArray[np.float32]
_DIRECTIONS, _RIDGE, _DECAY, _STEPS, _RATE = 512, 0.05, 1e-2, 150, 0.02


def fit(features: Floats, found: Targets) -> tuple[Floats, Floats]:
    """Weights (F, K) and biases (K,): the log odds that a photo with features (F,) shows each.

    features: standardised, (n, F), those of the photos of `found`.
    """
    middle = features.mean(0)
    centred = features - middle
    spread, directions = np.linalg.eigh(centred.T @ centred / len(centred))
    kept = slice(None, -min(_DIRECTIONS, len(spread)) - 1, -1)
    spread, directions = spread[kept], directions[:, kept]
    onto = (directions / np.sqrt(spread + _RIDGE * spread.mean())).astype(np.float32)
    weights, biases = _logistic(centred @ onto, found)
    whole = onto @ weights
    return whole.astype(np.float32), (biases - middle @ whole).astype(np.float32)


def _logistic(rows: Floats, found: Targets) -> tuple[Floats, Floats]:
    """Logistic regressions, in which a rare concept counts for more a photo than a common one."""
    inputs = torch.from_numpy(rows)
    shown = torch.from_numpy(found.shown.astype(np.float32))
    sure = torch.from_numpy(found.sure.astype(np.float32))
    many = (shown * sure).sum(0)
    share = (many + 0.5) / (sure.sum(0) + 1)
    weights = torch.zeros(rows.shape[1], shown.shape[1], requires_grad=True)
    biases = torch.log(share / (1 - share)).requires_grad_()
    optimizer = torch.optim.Adam([weights, biases], _RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    for _ in range(_STEPS):
        losses = F.binary_cross_entropy_with_logits(
            inputs @ weights + biases, shown, weight=sure, reduction="none"
        )
        loss = (losses.sum(0) / many.clamp_min(1).sqrt()).sum() / 8 + _DECAY * (weights**2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return weights.detach().numpy(), biases.detach().numpy()
