"""Distillation of similarities from an ensemble of image-text teachers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor
from torch.nn import functional as F

from trainer.losses.pairs import Pairs, gather_pairs, similarities, zero


@dataclass(frozen=True)
class Teacher:
    """One teacher's embeddings of the pairs, and the factor on its similarities."""

    pairs: Pairs
    scale: float


def teacher_pairs(
    images: Tensor,
    texts: Tensor,
    present: Tensor | None = None,
    *,
    dims: Sequence[int],
    scales: Sequence[float],
) -> list[Teacher]:
    """Split stored embeddings (b, sum of dims) into teachers and gather them without gradient.

    The slice of each teacher has unit norm by itself, as reinforcement stores it. `present` as for
    `gather_pairs`.

    Raises `ValueError` when the widths do not add up, or the numbers of teachers differ.
    """
    if not images.shape[1] == texts.shape[1] == sum(dims) or len(dims) != len(scales):
        raise ValueError(
            f"stored embeddings {tuple(images.shape)} and {tuple(texts.shape)} are not of teachers "
            f"with dimensions {tuple(dims)} and scales {tuple(scales)}"
        )
    # One exchange between processes for all teachers.
    whole = gather_pairs(images.detach(), texts.detach(), present)
    fields = ("images", "texts", "all_images", "all_texts")
    parts = {field: getattr(whole, field).split(list(dims), dim=1) for field in fields}
    return [
        Teacher(replace(whole, **{field: parts[field][number] for field in fields}), scale)
        for number, scale in enumerate(scales)
    ]


def distillation_loss(student: Pairs, scale: Tensor | float, teachers: Sequence[Teacher]) -> Tensor:
    """L_distill of MobileCLIP (arXiv 2311.17049, section 3.2).

    With S_t(U, V) the softmax over each row of U V^T / t:

        1 / (2 n K) * sum over the K teachers of
            KL(S(teacher images, texts) || S(student images, texts)) + the same with both swapped

    Each teacher has its own softmax at its own temperature, and divergences are averaged after it:
    the student imitates every teacher, not one made of their mean similarities. A scalar; zero
    where no pair is present.

    Raises `ValueError` without a teacher.
    """
    if not teachers:
        raise ValueError("distillation needs at least one teacher")
    if not student.count:
        return zero(student)
    ours = [F.log_softmax(logits, dim=1) for logits in similarities(student, scale)]
    total = student.images.new_zeros(())
    for teacher in teachers:
        for mine, logits in zip(ours, similarities(teacher.pairs, teacher.scale), strict=True):
            theirs = F.log_softmax(logits, dim=1).to(mine.dtype)
            total = total + F.kl_div(mine, theirs, reduction="sum", log_target=True)
    return total / (2 * student.count * len(teachers))
