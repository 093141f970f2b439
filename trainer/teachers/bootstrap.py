"""The bootstrap teacher: frozen classifiers, a sentence encoder, and heads trained on captions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from trainer.teachers.conse import conse, normalise
from trainer.teachers.head import Head, HeadRecipe, train_head
from trainer.teachers.labelled import LabelledPhotos


def digest(path: Path) -> str:
    """The sha256 of a file, in hex. Raises `ValueError` when it is not there."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class BootstrapTeacher:
    """A joint-space teacher: `normalise(mean of heads + conse_share * ConSE)`.

    class_embeddings: float32 (C, d), the sentence encoder's embeddings of the class prompts.
    classifiers: for each classifier file its name and sha256, in the order of the features.
    """

    heads: list[Head]
    class_embeddings: np.ndarray
    conse_share: float
    classifiers: list[dict[str, str]]
    sentence_encoder: str

    @classmethod
    def train(
        cls,
        features: Sequence[np.ndarray],
        probabilities: Sequence[np.ndarray],
        captions: list[np.ndarray],
        class_embeddings: np.ndarray,
        *,
        classifiers: Sequence[Path],
        sentence_encoder: str,
        seeds: int = 2,
        conse_share: float = 0.5,
        labelled: LabelledPhotos | None = None,
        recipe: HeadRecipe | None = None,
    ) -> BootstrapTeacher:
        """Train `seeds` heads; the arrays are one per view, as in `train_head`.

        With labelled photos there are as many heads again, that learn from them too. The mean of
        both kinds knows more words than the first, and places captions better than the second.
        """
        priors = [conse(view, class_embeddings) for view in probabilities]
        kinds = [None] if labelled is None else [None, labelled]
        heads = [
            train_head(features, priors, captions, seed=seed, labelled=kind, recipe=recipe)
            for kind in kinds
            for seed in range(seeds)
        ]
        named = [{"name": path.parent.name, "sha256": digest(path)} for path in classifiers]
        return cls(heads, class_embeddings, conse_share, named, sentence_encoder)

    def embed(self, features: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Unit-norm float32 (n, d) from features (n, F) and probabilities (n, C)."""
        prior = conse(probabilities, self.class_embeddings)
        with torch.inference_mode():
            inputs = torch.from_numpy(features).float(), torch.from_numpy(prior)
            mean = torch.stack([head(*inputs) for head in self.heads]).mean(0).numpy()
        return normalise(normalise(mean) + self.conse_share * prior)

    def check_classifiers(self, paths: Sequence[Path]) -> None:
        """Raises `ValueError` unless `paths` are the classifiers it was taught on, in order."""
        for path in paths:
            if not path.is_file():
                raise ValueError(f"{path}: no such classifier; give the path of a .tflite file")
        if [digest(path) for path in paths] != [known["sha256"] for known in self.classifiers]:
            names = ", ".join(known["name"] for known in self.classifiers)
            raise ValueError(
                f"{', '.join(map(str, paths))}: the teacher was taught on other classifiers; "
                f"give, in order: {names}"
            )

    def tensors(self) -> dict[str, torch.Tensor]:
        """Class embeddings and the weights of all heads, by name."""
        tensors = {"class_embeddings": torch.from_numpy(self.class_embeddings)}
        for number, head in enumerate(self.heads):
            tensors |= {f"heads.{number}.{k}": v for k, v in head.state_dict().items()}
        return tensors

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.tensors(), folder / "teacher.safetensors")
        about = {
            "heads": len(self.heads),
            "conse_share": self.conse_share,
            "classifiers": self.classifiers,
            "sentence_encoder": self.sentence_encoder,
        }
        (folder / "teacher.json").write_text(json.dumps(about, indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path) -> BootstrapTeacher:
        """Raises `ValueError` when `folder` holds no teacher."""
        try:
            about = json.loads((folder / "teacher.json").read_text())
            tensors = load_file(folder / "teacher.safetensors")
        except FileNotFoundError as error:
            raise ValueError(
                f"{folder}: no teacher here ({error.filename} is missing); "
                "make one with `photosearch-trainer teach`"
            ) from None
        heads = []
        for number in range(about["heads"]):
            prefix = f"heads.{number}."
            state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            hidden, inputs = state["layers.1.weight"].shape
            dim = len(state["layers.4.bias"])
            head = Head(inputs - dim, dim, hidden)
            head.load_state_dict(state)
            heads.append(head.eval())
        return cls(
            heads,
            tensors["class_embeddings"].numpy(),
            about["conse_share"],
            about["classifiers"],
            about["sentence_encoder"],
        )
