"""CLIP's loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from trainer.losses.pairs import Pairs, similarities, zero


def clip_loss(pairs: Pairs, scale: Tensor | float) -> Tensor:
    """Symmetric cross-entropy of each pair among all pairs (CLIP, arXiv 2103.00020, figure 3).

    L = (H(images -> texts) + H(texts -> images)) / 2, with similarities multiplied by `scale`, the
    inverse of the temperature. A scalar; zero where no pair is present.
    """
    if not pairs.count:
        return zero(pairs)
    of_images, of_texts = similarities(pairs, scale)
    total = F.cross_entropy(of_images, pairs.own, reduction="sum")
    total = total + F.cross_entropy(of_texts, pairs.own, reduction="sum")
    return total / (2 * pairs.count)
