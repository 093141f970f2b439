"""Reinforced training of an image tower and a text tower together (MobileCLIP, section 3.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.data.forms import Contents
from trainer.data.reinforced import TeacherRecord
from trainer.losses import (
    bank_loss,
    feature_loss,
    gather_pairs,
    reinforced_loss,
    teacher_pairs,
)
from trainer.models.family import Clip
from trainer.models.nano_image import NanoImageTower
from trainer.models.tokens import tokenizer_of
from trainer.models.warm_start import calibrate_norms
from trainer.train.pixels import normalised
from trainer.train.recipe import Recipe
from trainer.train.samples import Choices, Samples
from trainer.train.sources import Source
from trainer.train.student import is_classifier, student_config, train_mode
from trainer.train.task import Batch, Outputs, Share
from trainer.train.validation import Validation

_LARGEST_SCALE = 100.0
# Of the first batches so many photos each, a few hundred in all, tell what norms will see.
_CALIBRATION_STEPS, _CALIBRATION_BATCH = 8, 64


class ReinforcedTraining:
    """The task of `photosearch-trainer train`.

    The loss is the sum, over the kinds of captions, of (1 - lambda) L_CLIP + lambda L_distill, and
    of the recipe's extensions; SigLIP's loss may stand for L_CLIP. Real captions count where a
    photo has any: the loss on them is a mean over captioned photos, and the others are no negatives
    in it.

    Raises `ValueError` naming the recipe and the key that does not go with the shards.
    """

    unit = "image"

    def __init__(
        self, model: Clip, recipe: Recipe, source: Source, validation: Sequence[Validation]
    ) -> None:
        self.model: nn.Module = model
        self._clip, self._recipe, self._validation = model, recipe, validation
        config = student_config(recipe)
        self._image = config.image
        loss = recipe.loss
        contents = source.contents
        used = _used_teachers(recipe, contents)
        self._teachers = [contents.teachers[number] for number in used]
        self._scales = loss.teacher_scale or tuple(t.logit_scale for t in self._teachers)
        self._alike = _of_dimension(self._teachers, config.dim)
        self._bank = _open_bank(recipe, config.dim) if loss.bank else None
        if (loss.feature or loss.bank) and not self._alike:
            raise ValueError(
                f"{recipe.origin}: [loss] feature and bank: no teacher has the student's "
                f"{config.dim} dimensions, but "
                f"{', '.join(f'{t.name} {t.dim}' for t in self._teachers)}"
            )
        _check_contents(recipe, contents)
        slices = contents.slices()
        columns = [np.arange(part.start, part.stop) for part in (slices[i] for i in used)]
        self._samples = Samples(
            source,
            Choices(
                image_size=config.image.size,
                columns=np.concatenate([np.arange(0), *columns]),
                real_captions="real" in loss.captions,
                synthetic_captions="synthetic" in loss.captions,
                views=recipe.data.views,
                synthetic=recipe.data.synthetic,
                augmentation=recipe.data.augmentation,
            ),
            tokenizer_of(config.text),
            batch=recipe.run.batch,
            seed=recipe.run.seed,
        )

    def batch(self, step: int, share: Share) -> Batch:
        batch = self._samples.batch(step, share)
        if self._bank is not None:
            random = np.random.default_rng((self._recipe.run.seed, step))
            rows = random.integers(len(self._bank), size=self._recipe.loss.bank_rows)
            bank = np.asarray(self._bank[np.sort(rows)], np.float32)
            batch.targets["bank"] = torch.from_numpy(bank)
        return batch

    def embed(self, model: nn.Module, inputs: Any) -> Outputs:
        """Unit-norm images (b, d), texts (n, d) in one pass, none where there are no captions; the
        factor on similarities, and with the loss of SigLIP its bias."""
        assert isinstance(model, Clip)
        images = F.normalize(model.encode_image(self._pixels(inputs)).float(), dim=1)
        texts = images[:0]
        if "ids" in inputs:
            texts = F.normalize(model.encode_text(inputs["ids"]).float(), dim=1)
        scale = model.logit_scale.exp()
        if model.logit_bias is None:
            return images, texts, scale
        # Times one, since a parameter itself is no output that accumulation could take apart.
        return images, texts, scale, model.logit_bias * 1

    def _pixels(self, inputs: Any) -> Tensor:
        pixels = normalised(inputs["pictures"], self._image)
        if not self._recipe.run.channels_last:
            # A network that is not in channels-last memory takes its cue from its input, and
            # FastViT's backward pass in that memory has crashed on CPUs (torch 2.13).
            pixels = pixels.contiguous()
        return pixels

    def calibrate_norms(self) -> None:
        """Give norms that start from a .tflite classifier the statistics of what they will see.

        To be called once, before the first step. (`trainer.models.warm_start` says why.)
        """
        start = self._recipe.model.image_init
        if start is None or not is_classifier(Path(start)):
            return
        assert isinstance(self._clip.visual, NanoImageTower)
        share = Share(0, max(1, self._recipe.run.batch // _CALIBRATION_BATCH))
        batches = (self._samples.batch(step, share).inputs for step in range(_CALIBRATION_STEPS))
        calibrate_norms(self._clip.visual.backbone, map(self._pixels, batches))

    def losses(self, outputs: Sequence[Outputs], targets: Sequence[Any]) -> dict[str, Tensor]:
        loss = self._recipe.loss
        images, scale = torch.cat([output[0] for output in outputs]), outputs[-1][2]
        bias = outputs[-1][3] if loss.contrastive == "sigmoid" else None
        stored = torch.cat([target["images"] for target in targets])
        terms: dict[str, Tensor] = {}
        # Reaches the scale in a batch without captions too: other processes wait for its gradient.
        total = 0 * scale if bias is None else 0 * (scale + bias)
        for kind in loss.captions:
            present = None
            if kind == "real":
                present = torch.cat([target["captioned"] for target in targets])
            texts = torch.cat(
                [_texts(kind, o[1], t) for o, t in zip(outputs, targets, strict=True)]
            )
            teachers = []
            if loss.lambda_:
                teachers = teacher_pairs(
                    stored,
                    torch.cat([target[kind] for target in targets]),
                    present,
                    dims=[teacher.dim for teacher in self._teachers],
                    scales=self._scales,
                )
            found = reinforced_loss(
                gather_pairs(images, texts, present),
                scale,
                teachers,
                distillation=loss.lambda_,
                bias=bias,
            )
            total = total + found.total
            if found.contrastive is not None:
                name = "clip_loss" if bias is None else "sigmoid_loss"
                terms[f"{name}_{kind}"] = found.contrastive
            if found.distillation is not None:
                terms[f"distillation_loss_{kind}"] = found.distillation
        if self._alike and (loss.feature or loss.bank):
            extra = self._extensions(images, stored, targets)
            weights = {"feature_loss": loss.feature, "bank_loss": loss.bank}
            for name, value in extra.items():
                total = total + weights[name] * value
            terms |= extra
        learned = {"logit_scale": scale} | ({} if bias is None else {"logit_bias": bias})
        return {"loss": total, **terms, **learned}

    def _extensions(
        self, images: Tensor, stored: Tensor, targets: Sequence[Any]
    ) -> dict[str, Tensor]:
        """The losses beyond the paper, averaged over the teachers of the student's dimension."""
        loss = self._recipe.loss
        theirs = [F.normalize(stored[:, part], dim=1) for part in self._alike]
        found = {}
        if loss.feature:
            pulls = [feature_loss(images, teacher) for teacher in theirs]
            found["feature_loss"] = torch.stack(pulls).mean()
        if loss.bank:
            texts = targets[0]["bank"]
            relations = [bank_loss(images, teacher, texts, loss.bank_scale) for teacher in theirs]
            found["bank_loss"] = torch.stack(relations).mean()
        return found

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        assert isinstance(model, Clip)
        locked = self._recipe.text_locked
        figures: dict[str, float] = {}
        for one in self._validation:
            figures |= one.figures(model, texts_locked=locked)
        return figures

    def train_mode(self) -> None:
        train_mode(self._clip, self._recipe)

    @torch.no_grad()
    def after_step(self) -> None:
        """Keep the factor on similarities below 100, as CLIP does (arXiv 2103.00020, 2.5)."""
        self._clip.logit_scale.clamp_(max=math.log(_LARGEST_SCALE))


def _texts(kind: str, texts: Tensor, targets: dict[str, Any]) -> Tensor:
    """The embeddings (b, d) of one kind of captions, out of the one pass over both."""
    if "captioned" not in targets:
        return texts
    captioned, count = targets["captioned"], targets["count"]
    if kind == "synthetic":
        return texts[count:]
    placed = texts.new_zeros(len(captioned), texts.shape[1])
    return placed.index_put((captioned,), texts[:count])


def _of_dimension(teachers: Sequence[TeacherRecord], dim: int) -> list[slice]:
    """Where the teachers of dimension `dim` stand among the columns of all."""
    found, start = [], 0
    for teacher in teachers:
        if teacher.dim == dim:
            found.append(slice(start, start + dim))
        start += teacher.dim
    return found


def _used_teachers(recipe: Recipe, contents: Contents) -> list[int]:
    """The numbers of the stored teachers to learn from, in the order of the recipe."""
    loss = recipe.loss
    if not loss.needs_teachers:
        return []
    names = [teacher.name for teacher in contents.teachers]
    if not names:
        raise ValueError(
            f"{recipe.origin}: [loss]: the shards hold captions and no teachers' embeddings; give "
            "lambda = 0 and no feature or bank, or reinforce them first"
        )
    for name in loss.teachers:
        if name not in names:
            raise ValueError(
                f"{recipe.origin}: [loss] teachers: the shards have no {name!r}, but "
                f"{', '.join(names)}"
            )
    used = [names.index(name) for name in loss.teachers] or list(range(len(names)))
    if loss.teacher_scale and len(loss.teacher_scale) != len(used):
        raise ValueError(
            f"{recipe.origin}: [loss] teacher_scale: {len(loss.teacher_scale)} values for "
            f"{len(used)} teachers"
        )
    return used


def _check_contents(recipe: Recipe, contents: Contents) -> None:
    kinds = recipe.loss.captions
    where = f"{recipe.origin}: [loss] captions:"
    if "synthetic" in kinds and not contents.synthetic:
        raise ValueError(f'{where} not all shards hold synthetic captions; take ["real"]')
    if "real" in kinds and not contents.captions:
        raise ValueError(f'{where} the shards hold no real captions; take ["synthetic"]')
    if contents.form == "captioned" and recipe.data.augmentation != "light":
        raise ValueError(
            f'{recipe.origin}: [data] augmentation: must be "light" for shards that hold no views'
        )


def _open_bank(recipe: Recipe, dim: int) -> np.ndarray:
    path = recipe.loss.bank_file
    try:
        bank = np.load(str(path), mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: not an array ({error})") from None
    if bank.ndim != 2 or bank.shape[1] != dim:
        raise ValueError(f"{path}: text embeddings {bank.shape}; the student needs (texts, {dim})")
    return bank
