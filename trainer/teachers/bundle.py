"""An exported bundle as a teacher: what searches photos in the application teaches a student.

teacher = BundleTeacher(Path("assets/models/mobileclip-small"))
teacher.embed_images([photo]) @ teacher.embed_texts(["a dog on a beach"]).T
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photosearch.encoders import Bundle, open_encoder


class BundleTeacher:
    """A `Teacher`: the networks of a bundle, in ONNX Runtime, with its own preprocessing.

    Its digest is that of the networks, so one calibrated anew is the same teacher.

    Raises `BundleError` when there is no usable bundle in `folder`.
    """

    def __init__(self, folder: Path) -> None:
        bundle = Bundle.open(folder)
        self._encoder = open_encoder(folder)
        self.name = str(bundle.manifest["name"])
        self.dim = self._encoder.dim
        self.logit_scale = float(bundle.manifest["logit_scale"])
        self.digest = self._encoder.bundle_id

    def embed_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Unit-norm embeddings (n, dim) of RGB pictures of any size."""
        if not images:
            return np.empty((0, self.dim), np.float32)
        return self._encoder.encode_images(list(images))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit-norm embeddings (n, dim)."""
        if not texts:
            return np.empty((0, self.dim), np.float32)
        return self._encoder.encode_texts(list(texts))
