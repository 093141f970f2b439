"""Distilling a text tower: towards a sentence encoder's embedding of every text of a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photosearch.encoders import Tokenise
from trainer.train.task import Batch, Outputs, Share, TaskDefaults


@lru_cache(maxsize=2)
def _epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch)).permutation(count)


def epoch_rows(count: int, batch: int, step: int, seed: int) -> np.ndarray:
    """The rows of step `step`: epochs of shuffled batches, as a function of the step alone."""
    per_epoch = max(1, count // batch)
    epoch, place = divmod(step, per_epoch)
    order = _epoch_order(count, seed, epoch)
    return order[place * batch : (place + 1) * batch]


def text_cosines(tower: nn.Module, ids: torch.Tensor, targets: np.ndarray) -> np.ndarray:
    """Cosine (n,) between the tower's embeddings of ids (n, context) and targets (n, d)."""
    device = next(tower.parameters()).device
    with torch.inference_mode():
        parts = [F.normalize(tower(part.to(device)), dim=1).cpu() for part in ids.split(256)]
    return (torch.cat(parts).numpy() * np.asarray(targets, np.float32)).sum(1)


def cosine_losses(outputs: Sequence[Outputs], targets: Sequence[Tensor]) -> dict[str, Tensor]:
    """Mean of 1 - cosine between embeddings (n, d) and their targets, over all shares."""
    embeddings = torch.cat([part for (part,) in outputs]).float()
    return {"loss": 1.0 - F.cosine_similarity(embeddings, torch.cat(list(targets)), dim=1).mean()}


class TextDistillation(TaskDefaults):
    """Mean of 1 - cosine to the teacher, over corpus texts.

    targets: float16 (n, d), unit norm, row i for texts[i]. held_out: named pairs of texts and
    targets, whose mean cosine is reported.
    """

    def __init__(
        self,
        tower: nn.Module,
        tokenise: Tokenise,
        texts: Sequence[str],
        targets: np.ndarray,
        held_out: dict[str, tuple[list[str], np.ndarray]],
        *,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        self.model = tower
        self.unit = "text"
        self.batch_size = batch_size
        self._texts, self._targets = texts, targets
        self._tokenise = tokenise
        self._seed = seed
        self._held_out = {
            name: (torch.from_numpy(tokenise(list(lines))), goals)
            for name, (lines, goals) in held_out.items()
        }

    def batch(self, step: int, share: Share) -> Batch:
        """Token ids int64 (b, context) and targets float32 (b, d)."""
        rows = share.of(epoch_rows(len(self._texts), self.batch_size, step, self._seed))
        ids = self._tokenise([self._texts[row] for row in rows])
        # Targets lie on disk, where reading in order is faster.
        goals = np.asarray(self._targets[np.sort(rows)], np.float32)[np.argsort(np.argsort(rows))]
        return Batch(torch.from_numpy(ids), torch.from_numpy(goals))

    def embed(self, model: nn.Module, inputs: Any) -> Outputs:
        return (model(inputs),)

    def losses(self, outputs: Sequence[Outputs], targets: Sequence[Any]) -> dict[str, Tensor]:
        return cosine_losses(outputs, targets)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        return {
            f"cosine_{name}": float(text_cosines(model, ids, goals).mean())
            for name, (ids, goals) in self._held_out.items()
        }
