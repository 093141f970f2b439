"""Captions from what image classifiers take a photo for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from trainer.captioners.wording import GENERIC, TEMPLATES, captions, with_article
from trainer.data.corpus import read_class_names
from trainer.data.views import WHOLE
from trainer.fingerprint import fingerprint
from trainer.teachers.bootstrap import digest
from trainer.teachers.classifier import TfliteClassifier


class ClassifierCaptioner:
    """A `Captioner` that names the likeliest classes, by the mean of several classifiers.

    The classes are alternatives, not things seen side by side, so each caption names one of them,
    and those below `threshold` are never named. A caption's class is drawn in proportion to the
    probabilities. A photo of which no class is likely enough is "a photo".

    Raises `ValueError` when the class names are not those of the classifiers.
    """

    def __init__(
        self, class_names: Path, classifiers: Sequence[Path], *, threshold: float = 0.3
    ) -> None:
        self._names = read_class_names(class_names)
        self._classifiers = [TfliteClassifier(path) for path in classifiers]
        for path, classifier in zip(classifiers, self._classifiers, strict=True):
            if classifier.classes != len(self._names):
                raise ValueError(
                    f"{class_names}: names {len(self._names)} classes, but {path} has "
                    f"{classifier.classes}"
                )
        self._threshold = threshold
        self.name = "classifier"
        self.digest = fingerprint(
            {
                "captioner": self.name,
                "classifiers": [digest(path) for path in classifiers],
                "names": self._names,
                "threshold": float(threshold),
                "words": [TEMPLATES, GENERIC],
            }
        )

    def caption(
        self,
        images: Sequence[Image.Image],
        metas: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        count: int,
    ) -> list[list[str]]:
        """`count` captions of each RGB picture of any size."""
        return [
            self._captions(self._probabilities(image), key, count)
            for image, key in zip(images, keys, strict=True)
        ]

    def _probabilities(self, image: Image.Image) -> np.ndarray:
        """(C,), the mean over the classifiers."""
        seen = [
            classifier(np.asarray(WHOLE.replay(image, classifier.size))[None])[1][0]
            for classifier in self._classifiers
        ]
        return np.mean(seen, axis=0)

    def _captions(self, probabilities: np.ndarray, key: str, count: int) -> list[str]:
        likely = np.flatnonzero(probabilities >= self._threshold)
        if not len(likely):
            return captions([], key, count)
        shares = np.cumsum(probabilities[likely])
        seed = hashlib.sha256(f"{key}\nclass".encode()).digest()
        draws = np.random.default_rng(list(seed)).random(count) * shares[-1]
        chosen = likely[np.searchsorted(shares, draws, side="right").clip(max=len(likely) - 1)]
        return [
            captions([with_article(self._names[label])], key, number + 1)[number]
            for number, label in enumerate(chosen)
        ]
