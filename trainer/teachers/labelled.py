"""Labelled photos: what a teacher's heads may learn from where there are no captions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.captioners.labels import labels
from trainer.captioners.wording import with_article
from trainer.data.photo_tars import read_photos
from trainer.teachers.conse import normalise

Embed = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class LabelledPhotos:
    """Photos with one label each, out of C.

    features: (n, F); conse: (n, d); labels: int (n,), rows of label_embeddings (C, d), unit norm.
    """

    features: np.ndarray
    conse: np.ndarray
    labels: np.ndarray
    label_embeddings: np.ndarray

    @classmethod
    def select(
        cls, tars: Sequence[Path], features: np.ndarray, conse: np.ndarray, embed: Embed
    ) -> LabelledPhotos:
        """Those photos of `tars` whose label says what they show, with their rows of the arrays.

        A label stands for the mean of its name and of "a photo of" it.

        Raises `ValueError` when there are none.
        """
        named = [
            [name.lower() for name in labels(sample.meta)[:1]] for sample in read_photos(*tars)
        ]
        rows = np.asarray([row for row, names in enumerate(named) if names])
        if not len(rows):
            raise ValueError(
                f"{', '.join(map(str, tars))}: no photo here has a label that says what it shows"
            )
        names = sorted({names[0] for names in named if names})
        place = {name: number for number, name in enumerate(names)}
        phrases = embed([f"a photo of {with_article(name)}" for name in names])
        return cls(
            features[rows],
            conse[rows],
            np.asarray([place[named[row][0]] for row in rows]),
            normalise(embed(names) + phrases),
        )
