"""How far a student sees and finds what its teacher does, on photos that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.data.photo_tars import PhotoSample
from trainer.models.config import ModelConfig
from trainer.models.family import Clip
from trainer.train.validation import HeldPhotos

FIRST = 10
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Agreement:
    """image, text: the mean cosine with the teacher. found: of the teacher's first ten photos for a
    text, the share among the student's first ten. best: how often the teacher's first photo is
    among them. Chance is the share that ten photos are of all."""

    image: float
    text: float
    found: float
    best: float
    chance: float


def agreement(ours: tuple[Vectors, Vectors], theirs: tuple[Vectors, Vectors]) -> Agreement:
    """Of unit vectors of the same photos (n, d) and texts (m, d), by the student and the teacher.

    Raises `ValueError` for fewer than eleven photos, of which ten would not be a choice.
    """
    photos = len(theirs[0])
    if photos <= FIRST:
        raise ValueError(
            f"{photos} held-out photos are too few to compare what is found; give more"
        )
    mine, right = (
        np.argsort(-(texts @ images.T), 1)[:, :FIRST] for images, texts in (ours, theirs)
    )
    shared = [
        np.isin(theirs_first, ours_first)
        for ours_first, theirs_first in zip(mine, right, strict=True)
    ]
    return Agreement(
        image=float((ours[0] * theirs[0]).sum(1).mean()),
        text=float((ours[1] * theirs[1]).sum(1).mean()),
        found=float(np.mean(shared)),
        best=float(np.mean([one[0] for one in shared])),
        chance=FIRST / photos,
    )


class TeacherAgreement:
    """A `Validation`: held-out photos and texts, and the teacher's vectors of them."""

    def __init__(
        self,
        samples: Sequence[PhotoSample],
        texts: Sequence[str],
        theirs: tuple[Vectors, Vectors],
        config: ModelConfig,
    ) -> None:
        self._photos = HeldPhotos(samples, texts, config, config.image.size)
        self._theirs = theirs

    @property
    def summary(self) -> str:
        photos, texts = (len(part) for part in self._theirs)
        return (
            f"{texts:,} texts over {photos:,} photos of the library, by what the teacher finds "
            f"(chance {min(1, FIRST / photos):.2%})"
        )

    @torch.inference_mode()
    def figures(self, model: Clip, *, texts_locked: bool = False) -> dict[str, float]:
        """Cosines, and shares in [0, 1], by their names."""
        ours = self._photos.images(model), self._photos.texts(model, locked=texts_locked)
        found = agreement(ours, self._theirs)
        return {
            "image_cosine": found.image,
            "text_cosine": found.text,
            "found_of_teachers_ten": found.found,
            "teachers_first_in_ten": found.best,
        }
