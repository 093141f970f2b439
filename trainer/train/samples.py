"""What the student is shown at each step: of each photo one view, one caption of each kind.

All choices are a function of seed, step and place in the batch, so they do not depend on how many
processes share it, nor on whether the run was interrupted. (Which photos a stream brings does.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from photosearch.encoders import Tokenise
from trainer.data.photo_tars import PhotoTarError
from trainer.data.reinforced import ReinforcedSample
from trainer.reinforce.augment import AugmentSettings, draw, replay
from trainer.train.nudge import nudge
from trainer.train.sources import Source
from trainer.train.task import Batch, Share

# CLIP's own augmentation (arXiv 2103.00020, section 2.3), with open_clip's figures.
_LIGHT = AugmentSettings(crop_scale=(0.9, 1.0), randaugment_ops=0)

# So many in a row are no accident.
_ATTEMPTS = 8

# A caption and the teachers' embedding of it.
Text = tuple[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Choices:
    """What is chosen from, and at what size. `columns`: of the stored embeddings, to be learned.

    views, synthetic: how many from the first, or None for all. augmentation: as in a recipe.
    real_captions, synthetic_captions: whether such captions are used.
    """

    image_size: int
    columns: NDArray[np.int64]
    real_captions: bool
    synthetic_captions: bool
    views: int | None = None
    synthetic: int | None = None
    augmentation: Literal["stored", "nudged", "light"] = "stored"


@dataclass(frozen=True)
class _Shown:
    """One photo as it is shown: its picture, and the texts and embeddings that go with it."""

    picture: NDArray[np.uint8]
    image: NDArray[np.float32]
    real: Text | None
    synthetic: Text | None


class Samples:
    """Batches of reinforced photos.

    A batch's inputs are "pictures" uint8 (b, S, S, 3) and "ids" int64 (n, context): the real
    captions of the photos that have any, then a synthetic caption of every photo; without either
    kind of captions there are no "ids". Its targets are "captioned" (b,) bool, "count", how many
    are, and the teachers' embeddings "images", "real" and "synthetic" (b, d) float32, where the
    real captions of photos without one are zeros.

    A photo that cannot be read is left out and another one is shown in its place.
    """

    def __init__(
        self, source: Source, choices: Choices, tokenise: Tokenise, *, batch: int, seed: int
    ) -> None:
        self._source, self._choices, self._tokenise = source, choices, tokenise
        self._batch, self._seed = batch, seed

    def batch(self, step: int, share: Share) -> Batch:
        """A share of the batch of `step`.

        Raises `ValueError` when photo after photo cannot be read.
        """
        places = share.of(np.arange(self._batch))
        skipped: list[str] = []
        numbers = self._source.choose(step, places, 0)
        shown = [
            self._readable(int(number), step, int(place), skipped)
            for number, place in zip(numbers, places, strict=True)
        ]
        pictures = torch.from_numpy(np.stack([item.picture for item in shown]))
        inputs = {"pictures": pictures}
        if self._choices.real_captions or self._choices.synthetic_captions:
            inputs["ids"] = torch.from_numpy(self._ids(shown))
        return Batch(inputs, self._targets(shown), tuple(skipped))

    def _ids(self, shown: list[_Shown]) -> NDArray[np.int64]:
        texts = []
        if self._choices.real_captions:
            texts += [item.real[0] for item in shown if item.real is not None]
        if self._choices.synthetic_captions:
            texts += [item.synthetic[0] for item in shown if item.synthetic is not None]
        # Without a single caption the text tower still runs, as it does in other processes.
        return self._tokenise(texts or [""])

    def _readable(self, number: int, step: int, place: int, skipped: list[str]) -> _Shown:
        """The photo of that number, or the first of some others that can be read."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._show(number, step, place)
            except (ValueError, PhotoTarError) as error:
                skipped.append(str(error))
                (number,) = self._source.choose(step, np.array([place]), attempt)
        raise ValueError(
            f"{_ATTEMPTS} photos in a row could not be read; the last one: {skipped[-1]}"
        )

    def _targets(self, shown: list[_Shown]) -> dict[str, Any]:
        blank = np.zeros(len(self._choices.columns), np.float32)

        def rows(texts: list[Text | None]) -> Tensor:
            return torch.from_numpy(np.stack([blank if t is None else t[1] for t in texts]))

        targets: dict[str, Any] = {
            "images": torch.from_numpy(np.stack([item.image for item in shown]))
        }
        if self._choices.real_captions:
            captioned = [item.real is not None for item in shown]
            # Their number stays on the CPU, which would have to wait for it.
            targets |= {"captioned": torch.tensor(captioned), "count": sum(captioned)}
            targets["real"] = rows([item.real for item in shown])
        if self._choices.synthetic_captions:
            targets["synthetic"] = rows([item.synthetic for item in shown])
        return targets

    def _show(self, number: int, step: int, place: int) -> _Shown:
        random = np.random.default_rng((self._seed, step, place))
        sample, choices = self._source.read(number), self._choices
        # Photos with captions alone have no views.
        view = int(random.integers(len(sample.augmentations[: choices.views]) or 1))
        return _Shown(
            np.array(self._pixels(sample, view, step, place)),
            self._learned(sample.image_embeddings, view),
            self._text(sample, 0, len(sample.captions), random),
            self._text(
                sample, len(sample.captions), len(sample.synthetic[: choices.synthetic]), random
            ),
        )

    def _pixels(self, sample: ReinforcedSample, view: int, step: int, place: int) -> Image.Image:
        kind, size = self._choices.augmentation, self._choices.image_size
        picture = sample.picture()
        if kind == "light":
            crop = draw(sample.key, step, picture.size, _LIGHT, seed=self._seed)
            return replay(picture, crop, size)
        if kind == "stored":
            return sample.replay(picture, view, size)
        # Numbers of its own: which captions are shown does not depend on it.
        random = np.random.default_rng((self._seed, step, place, 1))
        nudged, mirrored = nudge(sample.augmentations[view], random)
        shown = replace(sample, augmentations=[nudged]).replay(picture, 0, size)
        return shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else shown

    def _text(
        self, sample: ReinforcedSample, first: int, count: int, random: np.random.Generator
    ) -> Text | None:
        """One of `count` texts from number `first` on; None when `count` is 0."""
        # Drawn in any case, so that one kind of captions does not move the choice of the other.
        row = first + int(random.random() * count)
        if not count:
            return None
        text = [*sample.captions, *sample.synthetic][row]
        return text, self._learned(sample.text_embeddings, row)

    def _learned(self, embeddings: NDArray[np.float32], row: int) -> NDArray[np.float32]:
        columns = self._choices.columns
        return embeddings[row][columns] if len(columns) else np.zeros(0, np.float32)
