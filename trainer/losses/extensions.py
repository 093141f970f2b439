"""Losses that MobileCLIP does not have, for little data and small batches.

Relations within a batch say little when the batch is small. Where student and teacher share a
space, these two say what an image is worth by itself: where it lies, and how near it is to each of
a fixed set of texts.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.losses.pairs import at_least_float32


def feature_loss(images: Tensor, teacher_images: Tensor) -> Tensor:
    """Mean over images (b, d) of 1 - cosine to the teacher's embedding of the same view.

    Raises `ValueError` when the two are not of one width.
    """
    if images.shape != teacher_images.shape:
        raise ValueError(
            f"image embeddings {tuple(images.shape)} cannot be compared with the teacher's "
            f"{tuple(teacher_images.shape)}"
        )
    cosines = F.cosine_similarity(at_least_float32(images), at_least_float32(teacher_images), dim=1)
    return 1 - cosines.mean()


def bank_loss(images: Tensor, teacher_images: Tensor, bank: Tensor, scale: float) -> Tensor:
    """KL divergence of each image's similarities to a bank of texts from the teacher's.

    Args:
        images, teacher_images: (b, d) unit norm, of the same views.
        bank: (t, d) unit norm text embeddings of the teacher's space.
        scale: factor on similarities, before the softmax over the bank.

    Returns:
        The mean over images: KL(softmax(teacher) || softmax(student)).
    """
    with torch.autocast(images.device.type, enabled=False):
        texts = at_least_float32(bank).T
        ours = F.log_softmax(scale * at_least_float32(images) @ texts, dim=1)
        theirs = F.log_softmax(scale * at_least_float32(teacher_images) @ texts, dim=1)
        return F.kl_div(ours, theirs, reduction="batchmean", log_target=True)
