"""Several teachers side by side (MobileCLIP, arXiv 2311.17049, section 3.1).

ensemble = Ensemble([open_teacher(spec) for spec in specs])
rows = ensemble.embed_images(photos)
rows[:, ensemble.slices[0]]                              # those of the first teacher
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer.teachers.protocol import Teacher


class Ensemble:
    """Concatenates the embeddings of `teachers`, in their order.

    `dim` is the sum of theirs, and `slices` tell where each one's numbers stand. A teacher's slice
    has unit norm by itself; a whole row does not.

    Raises `ValueError` when there are no teachers.
    """

    def __init__(self, teachers: Sequence[Teacher]) -> None:
        if not teachers:
            raise ValueError("an ensemble needs at least one teacher")
        self.teachers = list(teachers)
        ends = list(accumulate(teacher.dim for teacher in self.teachers))
        self.slices = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        self.dim = ends[-1]

    def embed_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Embeddings (n, dim) of RGB pictures of any size."""
        return np.concatenate([teacher.embed_images(images) for teacher in self.teachers], axis=1)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeddings (n, dim)."""
        return np.concatenate([teacher.embed_texts(texts) for teacher in self.teachers], axis=1)
