"""The mix of both losses for one kind of captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from trainer.losses.contrastive import clip_loss, sigmoid_loss
from trainer.losses.distillation import Teacher, distillation_loss
from trainer.losses.pairs import Pairs


@dataclass(frozen=True)
class Terms:
    """The loss to minimise, and the scalars it is made of; None for one that has no weight."""

    total: Tensor
    contrastive: Tensor | None
    distillation: Tensor | None


def reinforced_loss(
    student: Pairs,
    scale: Tensor | float,
    teachers: Sequence[Teacher],
    *,
    distillation: float,
    bias: Tensor | None = None,
) -> Terms:
    """L_total of one batch (MobileCLIP, arXiv 2311.17049, equation 1).

    (1 - lambda) L_CLIP + lambda L_distill, with lambda = `distillation`. The loss of a training
    step is the sum of this for the real and for the synthetic captions of the same images. A term
    without weight is not computed, so lambda = 0 needs no teachers. With a `bias` the loss of
    SigLIP takes the place of L_CLIP, which is not in the paper.

    Raises `ValueError` when lambda is not in [0, 1].
    """
    if not 0 <= distillation <= 1:
        raise ValueError(f"lambda = {distillation}: must be between 0 and 1")

    def contrastive_loss() -> Tensor:
        return clip_loss(student, scale) if bias is None else sigmoid_loss(student, scale, bias)

    if distillation == 0:
        hard = contrastive_loss()
        return Terms(hard, hard, None)
    soft = distillation_loss(student, scale, teachers)
    if distillation == 1:
        return Terms(soft, None, soft)
    hard = contrastive_loss()
    return Terms((1 - distillation) * hard + distillation * soft, hard, soft)
