"""Labelled photos: what the teacher's heads learn from them, and which labels count."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tars import sample, write_tar

from trainer.teachers.conse import normalise
from trainer.teachers.head import HeadRecipe, train_head
from trainer.teachers.labelled import LabelledPhotos

DIM, WIDTH, PHOTOS = 16, 40, 300


def photo_tar(path: Path, metas: list[dict[str, str]]) -> Path:
    members = []
    for number, meta in enumerate(metas):
        members += sample(f"{number:03}", Image.new("RGB", (8, 8), (number, 0, 0)), meta)
    return write_tar(path, members)


def embed(texts: Sequence[str]) -> np.ndarray:
    """A vector a text, that depends on its letters alone."""
    rows = [np.random.default_rng(list(text.encode())).standard_normal(DIM) for text in texts]
    return normalise(np.stack(rows))


def test_labels_that_say_something_are_kept_with_their_rows(tmp_path: Path) -> None:
    tar = photo_tar(
        tmp_path / "a.tar",
        [
            {"source": "shop", "label": "Banana"},
            {"source": "shop", "label": "train"},
            {"source": "shop"},
            {"source": "shop", "label": "shop"},
            {"source": "zoo", "label": "owl"},
            {"source": "zoo", "label": "banana"},
        ],
    )
    features = np.arange(6.0)[:, None].repeat(3, axis=1)
    photos = LabelledPhotos.select([tar], features, features[:, :2], embed)
    assert photos.features[:, 0].tolist() == [0, 4, 5]
    assert photos.conse[:, 0].tolist() == [0, 4, 5]
    assert photos.labels.tolist() == [0, 1, 0]
    expected = normalise(
        embed(["banana", "owl"]) + embed(["a photo of a banana", "a photo of an owl"])
    )
    assert photos.label_embeddings == pytest.approx(expected)


def test_tar_without_labels_is_named(tmp_path: Path) -> None:
    tar = photo_tar(tmp_path / "plain.tar", [{"source": "x"}])
    with pytest.raises(ValueError, match=r"plain\.tar: no photo here has a label"):
        LabelledPhotos.select([tar], np.zeros((1, 3)), np.zeros((1, 2)), embed)


@pytest.mark.slow
def test_head_learns_labels_that_no_caption_speaks_of() -> None:
    random = np.random.default_rng(0)
    meaning = normalise(random.standard_normal((PHOTOS, DIM)))
    features = np.tanh(meaning @ random.standard_normal((DIM, WIDTH)))
    captions = [row[None].astype(np.float32) for row in meaning]
    # The labelled photos lie where no caption photo does, and mean what only their label says.
    table = normalise(random.standard_normal((3, DIM)))
    centres = 3 * random.standard_normal((3, WIDTH))
    labels = np.arange(90) % 3
    shown = centres[labels] + 0.3 * random.standard_normal((90, WIDTH))
    nothing = np.zeros((PHOTOS, DIM), np.float32)

    def agreement(labelled: LabelledPhotos | None) -> float:
        head = train_head(
            [features],
            [nothing],
            captions,
            seed=0,
            labelled=labelled,
            recipe=HeadRecipe(hidden=128, batch=100, epochs=60, dropout=0.1, label_weight=1.0),
        )
        with torch.inference_mode():
            unseen = torch.from_numpy(centres).float(), torch.zeros(3, DIM)
            return float((head(*unseen).numpy() * table).sum(axis=1).min())

    known = LabelledPhotos(shown, np.zeros((90, DIM)), labels, table)
    assert agreement(known) > 0.8
    assert agreement(None) < 0.5
