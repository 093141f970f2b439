"""A teacher that is any model of open_clip: OpenAI's, LAION's, DataComp's, or one of your own.

teacher = OpenClipTeacher("ViT-L-14", "datacomp_xl_s13b_b90k")
teacher.embed_images([photo]) @ teacher.embed_texts(["a dog on a beach"]).T
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from trainer.models.pretrained import load_pretrained

_BATCH = 32


class OpenClipTeacher:
    """A `Teacher`. `preprocessing` says in words whose mean and standard deviation it applies.

    `logit_scale` is the factor on cosines that the weights hold. Takes the arguments of
    `load_pretrained`, and raises its errors.
    """

    def __init__(self, model: str, weights: str | None = None, **options: Any) -> None:
        self._opened = load_pretrained(model, weights, **options)
        self.name = self._opened.name
        self.preprocessing = self._opened.preprocessing
        self.digest = self._opened.digest
        self.logit_scale = float(self._opened.model.logit_scale.exp())
        self.dim = len(self._embed_texts([""])[0])

    def embed_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Unit-norm embeddings (n, dim) of RGB pictures of any size."""
        parts = (images[start : start + _BATCH] for start in range(0, len(images), _BATCH))
        return self._stacked(self._embed_images(part) for part in parts)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit-norm embeddings (n, dim)."""
        parts = (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))
        return self._stacked(self._embed_texts(part) for part in parts)

    @torch.inference_mode()
    def _embed_images(self, images: Sequence[Image.Image]) -> Tensor:
        pixels = torch.stack([self._opened.preprocess(image) for image in images])
        return self._opened.model.encode_image(pixels.to(self._opened.device))

    @torch.inference_mode()
    def _embed_texts(self, texts: Sequence[str]) -> Tensor:
        ids = self._opened.tokenizer(list(texts))
        return self._opened.model.encode_text(ids.to(self._opened.device))

    def _stacked(self, parts: Iterator[Tensor]) -> NDArray[np.float32]:
        rows = [F.normalize(part.float(), dim=-1).cpu().numpy() for part in parts]
        return np.concatenate(rows) if rows else np.empty((0, self.dim), np.float32)
