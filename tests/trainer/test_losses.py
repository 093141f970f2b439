"""The losses of reinforced training against their formulas, written out in numpy with float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from trainer.losses import (
    Pairs,
    Teacher,
    bank_loss,
    clip_loss,
    distillation_loss,
    feature_loss,
    gather_pairs,
    reinforced_loss,
    sigmoid_loss,
    teacher_pairs,
)

Rows = NDArray[np.float64]
SCALE, TEACHER_SCALES, DIMS = 14.3, (100.0, 60.0), (5, 7)


def unit(seed: int, rows: int, dim: int) -> Rows:
    """Random unit vectors, float64."""
    values = np.random.default_rng(seed).standard_normal((rows, dim))
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def stored(seed: int, rows: int) -> Rows:
    """An ensemble's embeddings side by side, each teacher's of unit norm."""
    return np.concatenate([unit(seed + k, rows, dim) for k, dim in enumerate(DIMS)], axis=1)


def softmax(logits: Rows) -> Rows:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def clip_formula(images: Rows, texts: Rows, scale: float) -> float:
    """-1/2n sum_i log softmax_i(images) + log softmax_i(texts), element by element."""
    n = len(images)
    total = 0.0
    for i in range(n):
        to_texts = [math.exp(scale * float(images[i] @ texts[j])) for j in range(n)]
        to_images = [math.exp(scale * float(texts[i] @ images[j])) for j in range(n)]
        total -= math.log(to_texts[i] / sum(to_texts)) + math.log(to_images[i] / sum(to_images))
    return total / (2 * n)


def distillation_formula(
    images: Rows, texts: Rows, scale: float, stored_images: Rows, stored_texts: Rows
) -> float:
    """L_distill of the paper: divergences of each teacher's softmax, then their average."""
    n, total, start = len(images), 0.0, 0
    for dim, teacher_scale in zip(DIMS, TEACHER_SCALES, strict=True):
        one = stored_images[:, start : start + dim]
        other = stored_texts[:, start : start + dim]
        start += dim
        for theirs, ours in (
            (softmax(teacher_scale * one @ other.T), softmax(scale * images @ texts.T)),
            (softmax(teacher_scale * other @ one.T), softmax(scale * texts @ images.T)),
        ):
            total += float((theirs * (np.log(theirs) - np.log(ours))).sum())
    return total / (2 * n * len(DIMS))


def tensors(*arrays: Rows) -> list[torch.Tensor]:
    return [torch.from_numpy(array) for array in arrays]


@pytest.fixture
def batch() -> tuple[Rows, Rows, Rows, Rows]:
    """Student images and texts (9, 6), and the ensemble's (9, 12)."""
    return unit(1, 9, 6), unit(2, 9, 6), stored(10, 9), stored(20, 9)


def teachers_of(
    stored_images: Rows, stored_texts: Rows, present: torch.Tensor | None = None
) -> list[Teacher]:
    return teacher_pairs(
        *tensors(stored_images, stored_texts), present, dims=DIMS, scales=TEACHER_SCALES
    )


def test_clip_loss_is_its_formula(batch: tuple[Rows, ...]) -> None:
    images, texts, *_ = batch
    loss = clip_loss(gather_pairs(*tensors(images, texts)), SCALE)
    assert loss.item() == pytest.approx(clip_formula(images, texts, SCALE), rel=1e-12)


def test_clip_loss_knows_its_closed_forms() -> None:
    """Indistinguishable pairs cost log n; pairs apart by a margin m cost log(1 + (n-1) e^-m)."""
    alike = torch.ones(4, 2, dtype=torch.float64) / math.sqrt(2)
    assert clip_loss(gather_pairs(alike, alike), SCALE).item() == pytest.approx(math.log(4))
    apart = torch.eye(4, dtype=torch.float64)
    expected = math.log(1 + 3 * math.exp(-2.5))
    assert clip_loss(gather_pairs(apart, apart), 2.5).item() == pytest.approx(expected)


def test_distillation_loss_is_its_formula(batch: tuple[Rows, ...]) -> None:
    images, texts, stored_images, stored_texts = batch
    loss = distillation_loss(
        gather_pairs(*tensors(images, texts)), SCALE, teachers_of(stored_images, stored_texts)
    )
    expected = distillation_formula(images, texts, SCALE, stored_images, stored_texts)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_teachers_are_averaged_after_their_softmax(batch: tuple[Rows, ...]) -> None:
    """Averaging similarities first is another loss, and not the one computed."""
    images, texts, stored_images, stored_texts = batch
    loss = distillation_loss(
        gather_pairs(*tensors(images, texts)), SCALE, teachers_of(stored_images, stored_texts)
    ).item()
    logits = sum(
        scale * one @ other.T / len(DIMS)
        for scale, one, other in zip(
            TEACHER_SCALES,
            np.split(stored_images, DIMS[:1], axis=1),
            np.split(stored_texts, DIMS[:1], axis=1),
            strict=True,
        )
    )
    before = 0.0
    for theirs, ours in (
        (softmax(logits), softmax(SCALE * images @ texts.T)),
        (softmax(logits.T), softmax(SCALE * texts @ images.T)),
    ):
        before += float((theirs * (np.log(theirs) - np.log(ours))).sum()) / (2 * len(images))
    assert abs(loss - before) > 0.1


def test_a_student_like_its_teacher_has_nothing_to_learn() -> None:
    images, texts = tensors(unit(1, 8, 5), unit(2, 8, 5))
    images.requires_grad_()
    loss = distillation_loss(
        gather_pairs(images, texts), 30.0, teacher_pairs(images, texts, dims=(5,), scales=(30.0,))
    )
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-12)
    assert images.grad is not None
    assert images.grad.abs().max().item() < 1e-12


@pytest.mark.parametrize("weight", [0.0, 0.7, 1.0])
def test_the_mix_of_both_losses(batch: tuple[Rows, ...], weight: float) -> None:
    images, texts, stored_images, stored_texts = batch
    terms = reinforced_loss(
        gather_pairs(*tensors(images, texts)),
        SCALE,
        teachers_of(stored_images, stored_texts) if weight else [],
        distillation=weight,
    )
    clip = clip_formula(images, texts, SCALE)
    soft = distillation_formula(images, texts, SCALE, stored_images, stored_texts)
    assert terms.total.item() == pytest.approx((1 - weight) * clip + weight * soft, rel=1e-12)
    assert (terms.contrastive is None) == (weight == 1)
    assert (terms.distillation is None) == (weight == 0)


def test_gradients_are_those_of_the_formulas(batch: tuple[Rows, ...]) -> None:
    """Checked by central differences, for images, texts and the learned scale."""
    arrays = tensors(*batch)
    log_scale = torch.tensor(math.log(SCALE), dtype=torch.float64, requires_grad=True)
    student = [array.requires_grad_() for array in arrays[:2]]
    teachers = teacher_pairs(*arrays[2:], dims=DIMS, scales=TEACHER_SCALES)

    def loss(images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        pairs = gather_pairs(images, texts)
        return reinforced_loss(pairs, scale.exp(), teachers, distillation=0.6).total

    assert torch.autograd.gradcheck(loss, (*student, log_scale))


def test_the_loss_of_siglip_asks_of_each_image_and_text(batch: tuple[Rows, ...]) -> None:
    images, texts = batch[:2]
    logits = SCALE * images @ texts.T - 3.0
    own = np.eye(len(images), dtype=bool)
    expected = np.where(own, np.log1p(np.exp(-logits)), np.log1p(np.exp(logits))).sum()
    rows = [array.requires_grad_() for array in tensors(images, texts)]
    bias = torch.tensor(-3.0, dtype=torch.float64, requires_grad=True)
    loss = sigmoid_loss(gather_pairs(*rows), SCALE, bias)
    assert loss.item() == pytest.approx(expected / len(images), rel=1e-12)
    # In the place of CLIP's, beside distillation.
    teachers = teachers_of(*batch[2:])
    terms = reinforced_loss(gather_pairs(*rows), SCALE, teachers, distillation=0.25, bias=bias)
    soft = distillation_formula(images, texts, SCALE, *batch[2:])
    assert terms.total.item() == pytest.approx(0.75 * loss.item() + 0.25 * soft, rel=1e-12)
    log_scale = torch.tensor(math.log(SCALE), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda i, t, s, b: sigmoid_loss(gather_pairs(i, t), s.exp(), b), (*rows, log_scale, bias)
    )
    # Images without a caption are neither rows nor columns.
    present = torch.arange(len(images)) % 3 > 0
    fewer = sigmoid_loss(gather_pairs(*rows, present), SCALE, bias)
    kept = sigmoid_loss(gather_pairs(*(r[present] for r in rows)), SCALE, bias)
    assert fewer.item() == pytest.approx(kept.item(), rel=1e-12)
    assert sigmoid_loss(gather_pairs(*rows, present & ~present), SCALE, bias).item() == 0


def test_missing_texts_leave_the_batch(batch: tuple[Rows, ...]) -> None:
    """Images without a caption are neither rows nor rivals in the loss, and get no gradient."""
    present = np.array([True, False, True, True, False, True, True, True, False])
    images, texts, stored_images, stored_texts = batch
    blank = [np.where(present[:, None], rows, 0) for rows in (texts, stored_texts)]
    student = torch.from_numpy(images).requires_grad_()
    mask = torch.from_numpy(present)
    terms = reinforced_loss(
        gather_pairs(student, torch.from_numpy(blank[0]), mask),
        SCALE,
        teachers_of(stored_images, blank[1], mask),
        distillation=0.25,
    )
    kept = [rows[present] for rows in batch]
    assert terms.contrastive is not None
    assert terms.distillation is not None
    clip = clip_formula(kept[0], kept[1], SCALE)
    soft = distillation_formula(kept[0], kept[1], SCALE, kept[2], kept[3])
    assert terms.contrastive.item() == pytest.approx(clip, rel=1e-12)
    assert terms.distillation.item() == pytest.approx(soft, rel=1e-12)
    terms.total.backward()
    assert student.grad is not None
    assert (student.grad.abs().sum(1) > 0).tolist() == present.tolist()


def test_a_batch_without_any_text_costs_nothing(batch: tuple[Rows, ...]) -> None:
    images, texts = tensors(*batch[:2])
    images.requires_grad_()
    none = torch.zeros(len(images), dtype=torch.bool)
    terms = reinforced_loss(
        gather_pairs(images, texts, none),
        SCALE,
        teachers_of(batch[2], batch[3], none),
        distillation=0.5,
    )
    terms.total.backward()
    assert terms.total.item() == 0
    assert images.grad is not None
    assert images.grad.abs().max().item() == 0


def test_the_softmax_is_float32_under_autocast() -> None:
    """In bfloat16 similarities of 100 are 0.5 apart, and the loss would be off by percents."""
    images, texts = unit(1, 32, 64), unit(1, 32, 64) + 0.05 * unit(2, 32, 64)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    teacher = unit(3, 32, 64)
    rows = [torch.from_numpy(array).float() for array in (images, texts, teacher, teacher)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pairs = gather_pairs(*rows[:2])
        teachers = teacher_pairs(*rows[2:], dims=(64,), scales=(100.0,))
        terms = reinforced_loss(pairs, torch.tensor(100.0), teachers, distillation=0.5)
        bank = bank_loss(rows[0], rows[1], rows[2], 100.0)
    assert terms.total.dtype == bank.dtype == torch.float32
    clip = clip_formula(images, texts, 100.0)
    assert terms.contrastive is not None
    assert terms.contrastive.item() == pytest.approx(clip, rel=1e-3)
    ours, theirs = softmax(100 * images @ teacher.T), softmax(100 * texts @ teacher.T)
    divergence = float((theirs * (np.log(theirs) - np.log(ours))).sum()) / 32
    assert bank.item() == pytest.approx(divergence, rel=1e-3)


def test_half_precision_features_are_compared_in_float32() -> None:
    pairs = gather_pairs(*(torch.from_numpy(unit(s, 4, 8)).bfloat16() for s in (1, 2)))
    assert {pairs.images.dtype, pairs.all_texts.dtype} == {torch.float32}


def test_feature_loss_is_one_minus_the_cosine() -> None:
    images, teacher = unit(1, 5, 6), unit(2, 5, 6)
    expected = 1 - float((images * teacher).sum(1).mean())
    assert feature_loss(*tensors(images, teacher)).item() == pytest.approx(expected, rel=1e-12)
    assert feature_loss(*tensors(3 * images, images)).item() == pytest.approx(0, abs=1e-12)


def test_bank_loss_is_its_formula() -> None:
    images, teacher, bank = unit(1, 5, 6), unit(2, 5, 6), unit(3, 11, 6)
    ours, theirs = softmax(30 * images @ bank.T), softmax(30 * teacher @ bank.T)
    expected = float((theirs * (np.log(theirs) - np.log(ours))).sum(1).mean())
    loss = bank_loss(*tensors(images, teacher, bank), 30.0)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_what_does_not_fit_is_refused(batch: tuple[Rows, ...]) -> None:
    images, texts, stored_images, stored_texts = tensors(*batch)
    with pytest.raises(ValueError, match="9 images cannot be paired with 8 texts"):
        gather_pairs(images, texts[:8])
    with pytest.raises(ValueError, match=r"dimensions \(5, 6\)"):
        teacher_pairs(stored_images, stored_texts, dims=(5, 6), scales=TEACHER_SCALES)
    with pytest.raises(ValueError, match=r"scales \(100\.0,\)"):
        teacher_pairs(stored_images, stored_texts, dims=DIMS, scales=(100.0,))
    pairs: Pairs = gather_pairs(images, texts)
    with pytest.raises(ValueError, match="at least one teacher"):
        distillation_loss(pairs, SCALE, [])
    with pytest.raises(ValueError, match=r"lambda = 1\.5"):
        reinforced_loss(pairs, SCALE, [], distillation=1.5)
    with pytest.raises(ValueError, match="cannot be compared"):
        feature_loss(images, stored_images)
