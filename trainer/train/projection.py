"""Teaching the projection alone, on cached features of the classifier that the backbone starts as.

The backbone of a warm-started tower computes what its classifier computed, so its features need
no second pass: an epoch takes seconds, and the tower is useful before its backbone learns at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.evaluate.retrieval import retrieval
from trainer.teachers.bootstrap import BootstrapTeacher
from trainer.teachers.features import ViewFeatures
from trainer.train.task import Batch, Outputs, Share, TaskDefaults
from trainer.train.text import cosine_losses, epoch_rows


class Projection(nn.Module):
    """The `projection` of a `NanoImageTower`, under the same parameter names, without a backbone.

    Features (n, f) to embeddings (n, d); features drop out while training.
    """

    def __init__(self, projection: nn.Module) -> None:
        super().__init__()
        self.projection = projection

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        embeddings: torch.Tensor = self.projection(F.dropout(features, 0.1, self.training))
        return embeddings


def pairs(
    seen: Sequence[ViewFeatures], teacher: BootstrapTeacher, columns: slice
) -> tuple[np.ndarray, np.ndarray]:
    """Features float16 (n, f) of views, and what the teacher makes of them, float16 (n, d).

    `columns` are those of the one classifier among the features of all.
    """
    targets = [teacher.embed(view.features, view.probabilities) for view in seen]
    features = [view.features[:, columns] for view in seen]
    return np.concatenate(features), np.concatenate(targets).astype(np.float16)


class ProjectionDistillation(TaskDefaults):
    """Mean of 1 - cosine to the teacher, over cached features.

    features: float16 (n, f); targets: float16 (n, d). held_out: features and teacher embeddings of
    captioned photos, the embeddings of their captions (m, d) and the photo of each (m,).
    """

    def __init__(
        self,
        projection: nn.Module,
        features: np.ndarray,
        targets: np.ndarray,
        held_out: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
        *,
        batch_size: int = 512,
        seed: int = 0,
    ) -> None:
        self.model: nn.Module = Projection(projection)
        self.unit = "view"
        self.batch_size = batch_size
        self._features, self._targets = features, targets
        self._held_out = held_out
        self._seed = seed

    def batch(self, step: int, share: Share) -> Batch:
        """Features float32 (b, f) and targets float32 (b, d)."""
        rows = share.of(epoch_rows(len(self._features), self.batch_size, step, self._seed))
        return Batch(
            torch.from_numpy(self._features[rows].astype(np.float32)),
            torch.from_numpy(self._targets[rows].astype(np.float32)),
        )

    def embed(self, model: nn.Module, inputs: Any) -> Outputs:
        return (model(inputs),)

    def losses(self, outputs: Sequence[Outputs], targets: Sequence[Any]) -> dict[str, Tensor]:
        return cosine_losses(outputs, targets)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        features, targets, captions, owners = self._held_out
        with torch.inference_mode():
            device = next(model.parameters()).device
            rows = model(torch.from_numpy(features.astype(np.float32)).to(device))
            images = F.normalize(rows, dim=1).cpu().numpy()
        found = retrieval(images, captions, owners, resamples=1).text_to_photo
        return {
            "r1": found.figure("R@1").value,
            "r10": found.figure("R@10").value,
            "cosine": float((images * targets).sum(axis=1).mean()),
        }
