"""The bootstrap teacher, taught on features that carry their captions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.teachers.bootstrap import BootstrapTeacher
from trainer.teachers.conse import conse, normalise
from trainer.teachers.head import HeadRecipe

PHOTOS, HELD_OUT, CLASSES, DIM, WIDTH = 600, 100, 20, 16, 40


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    meaning = normalise(random.standard_normal((PHOTOS, DIM)))
    features = np.tanh(meaning @ random.standard_normal((DIM, WIDTH)))
    classes = normalise(random.standard_normal((CLASSES, DIM)))
    likeness = np.exp(4 * meaning @ classes.T)
    captions = meaning[:, None] + 0.15 * random.standard_normal((PHOTOS, 3, DIM))
    return {
        "features": features + 0.05 * random.standard_normal(features.shape),
        "probabilities": likeness / likeness.sum(axis=1, keepdims=True),
        "captions": captions / np.linalg.norm(captions, axis=2, keepdims=True),
        "classes": classes,
    }


@pytest.fixture(scope="module")
def teacher(
    data: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> BootstrapTeacher:
    classifier = tmp_path_factory.mktemp("classifier") / "model.tflite"
    classifier.write_bytes(b"any bytes: only their hash is kept")
    seen = slice(0, PHOTOS - HELD_OUT)
    return BootstrapTeacher.train(
        [data["features"][seen]],
        [data["probabilities"][seen]],
        list(data["captions"][seen].astype(np.float32)),
        data["classes"].astype(np.float32),
        classifiers=[classifier],
        sentence_encoder="a sentence encoder",
        recipe=HeadRecipe(hidden=128, batch=100, epochs=40, dropout=0.1),
    )


def recall(images: np.ndarray, captions: np.ndarray) -> float:
    """Share of first captions whose photo ranks first."""
    return float((np.argmax(captions[:, 0] @ images.T, axis=1) == np.arange(len(images))).mean())


def test_conse_is_the_weighted_mean_of_class_embeddings() -> None:
    classes = np.eye(3, dtype=np.float32)
    placed = conse(np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]), classes)
    assert placed == pytest.approx(np.array([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]), abs=1e-6)


@pytest.mark.slow
def test_teacher_finds_photos_it_never_saw(
    data: dict[str, np.ndarray], teacher: BootstrapTeacher
) -> None:
    unseen = slice(PHOTOS - HELD_OUT, PHOTOS)
    captions = data["captions"][unseen]
    images = teacher.embed(data["features"][unseen], data["probabilities"][unseen])
    assert np.linalg.norm(images, axis=1) == pytest.approx(np.ones(HELD_OUT), abs=1e-5)
    alone = conse(data["probabilities"][unseen], teacher.class_embeddings)
    assert recall(images, captions) > 0.6
    assert recall(images, captions) > recall(alone, captions) + 0.1


@pytest.mark.slow
def test_saved_teacher_is_the_same(
    data: dict[str, np.ndarray], teacher: BootstrapTeacher, tmp_path: Path
) -> None:
    teacher.save(tmp_path)
    again = BootstrapTeacher.load(tmp_path)
    inputs = data["features"], data["probabilities"]
    assert np.array_equal(again.embed(*inputs), teacher.embed(*inputs))
    assert again.classifiers == teacher.classifiers


def test_folder_without_a_teacher(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="photosearch-trainer teach"):
        BootstrapTeacher.load(tmp_path)
