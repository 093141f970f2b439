"""What dataset reinforcement asks of a teacher and of a captioner (MobileCLIP, section 3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image


class Teacher(Protocol):
    """A frozen image-text model. `digest` changes whenever its embeddings would."""

    name: str
    dim: int
    logit_scale: float
    digest: str

    def embed_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Unit-norm embeddings (n, dim) of RGB pictures of any size."""

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit-norm embeddings (n, dim)."""


class Captioner(Protocol):
    """Writes synthetic captions. `digest` changes whenever its captions would."""

    name: str
    digest: str

    def caption(
        self,
        images: Sequence[Image.Image],
        metas: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        count: int,
    ) -> list[list[str]]:
        """`count` captions of each RGB picture; the same for the same picture, meta and key."""
