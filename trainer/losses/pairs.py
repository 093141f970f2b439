"""Image-text pairs spread over processes: who is compared with whom."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from trainer.losses.gather import gather, processes


@dataclass(frozen=True)
class Pairs:
    """Unit-norm embeddings of pairs: `rows` of this process beside those of all processes.

    images, texts: (b, d), pair i of this process. all_images, all_texts: (n, d), where pair i
    stands in row `own[i]`. `count` is n divided by the number of processes: a sum over rows divided
    by it is a share of a loss whose mean over processes is the mean over all n pairs, even when
    processes have different numbers of pairs.
    """

    images: Tensor
    texts: Tensor
    all_images: Tensor
    all_texts: Tensor
    own: Tensor
    count: float


def gather_pairs(images: Tensor, texts: Tensor, present: Tensor | None = None) -> Pairs:
    """Pair the rows of images (b, d) and texts (b, e) and gather those of all processes.

    Gradients flow back to the process that each row came from ("gather with gradient"). `present`
    (b,) bool leaves out pairs whose text is missing, here and in every process; such rows of
    `texts` may hold anything finite. Every process must call it with the same b.

    Raises `ValueError` when the numbers of rows differ.
    """
    if len(images) != len(texts):
        raise ValueError(f"{len(images)} images cannot be paired with {len(texts)} texts")
    images, texts = at_least_float32(images), at_least_float32(texts)
    all_images, all_texts = gather(images), gather(texts)
    first = dist.get_rank() * len(images) if processes() > 1 else 0
    own = torch.arange(first, first + len(images), device=images.device)
    if present is not None:
        everywhere = gather(present)
        # Where each row of the gathered batch stands once missing ones are gone.
        own = (everywhere.cumsum(0) - 1)[own][present]
        images, texts = images[present], texts[present]
        all_images, all_texts = all_images[everywhere], all_texts[everywhere]
    return Pairs(images, texts, all_images, all_texts, own, len(all_images) / processes())


def at_least_float32(rows: Tensor) -> Tensor:
    """Half-precision rows as float32: the softmax of similarities needs its digits."""
    return rows if rows.dtype in (torch.float32, torch.float64) else rows.float()


def similarities(pairs: Pairs, scale: Tensor | float) -> tuple[Tensor, Tensor]:
    """Logits (b, n) of this process's images against all texts, and of texts against images.

    They are float32 under automatic mixed precision too.
    """
    with torch.autocast(pairs.images.device.type, enabled=False):
        return image_similarities(pairs, scale), scale * pairs.texts @ pairs.all_images.T


def image_similarities(pairs: Pairs, scale: Tensor | float) -> Tensor:
    """The first of `similarities` alone."""
    with torch.autocast(pairs.images.device.type, enabled=False):
        return scale * pairs.images @ pairs.all_texts.T


def zero(pairs: Pairs) -> Tensor:
    """Zero, with a gradient of zeros: other processes wait for the backward pass of a gather."""
    return pairs.all_images.sum() + pairs.all_texts.sum()
