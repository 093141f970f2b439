"""Losses that tell each pair from all others: CLIP's, and SigLIP's."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.losses.pairs import Pairs, image_similarities, similarities, zero


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


def sigmoid_loss(pairs: Pairs, scale: Tensor | float, bias: Tensor | float) -> Tensor:
    """Whether each image and each text of the batch belong together (SigLIP, arXiv 2303.15343).

    Algorithm 1: L = -1/n sum over images i and texts j of log sigmoid(z_ij (scale x_i y_j + bias)),
    with z 1 for the pairs and -1 for all others, over n pairs. A scalar; zero where no pair is
    present.
    """
    if not pairs.count:
        return zero(pairs)
    logits = image_similarities(pairs, scale) + bias
    signs = torch.full_like(logits, -1)
    signs[torch.arange(len(logits), device=logits.device), pairs.own] = 1
    return -F.logsigmoid(signs * logits).sum() / pairs.count
