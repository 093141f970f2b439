"""The bootstrap teacher with its networks: pictures and texts into one space, by specification."""

from __future__ import annotations

import json
import shutil
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tars import sample, write_tar
from tiny_tflite import random_network, write_classifier

from trainer.data.photo_tars import decode, read_photos
from trainer.teachers.bootstrap import BootstrapTeacher
from trainer.teachers.bootstrap_towers import LOGIT_SCALE, BootstrapTowers
from trainer.teachers.classifier import TfliteClassifier
from trainer.teachers.conse import PROMPT
from trainer.teachers.features import compute_features
from trainer.teachers.head import HeadRecipe
from trainer.teachers.open import open_teacher
from trainer.teachers.sentence import SentenceEncoder, packaged_encoder

pytestmark = pytest.mark.slow

CLASSES = ["dog", "apple", "house", "car", "tree"]
SIZE = 32


def pictures() -> list[Image.Image]:
    """Six of random coarse patches, wide and tall."""
    random = np.random.default_rng(0)
    return [
        Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8)).resize(size)
        for size in [(80, 50), (40, 90), (64, 64)] * 2
    ]


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder()


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("classifiers")
    seen = np.stack([np.asarray(picture.resize((SIZE, SIZE))) for picture in pictures()])
    return [
        write_classifier(
            folder / f"{seed}.tflite",
            random_network(np.random.default_rng(seed), len(CLASSES)),
            seen,
        )
        for seed in range(2)
    ]


@pytest.fixture(scope="module")
def folder(
    classifiers: list[Path], encoder: SentenceEncoder, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A teacher taught on the pictures above, as `photosearch-trainer teach` does."""
    texts = [f"a picture of number {number}" for number in range(6)]
    features, chances = zip(
        *(
            classifier(np.stack([np.asarray(p.resize((SIZE, SIZE))) for p in pictures()]))
            for classifier in map(TfliteClassifier, classifiers)
        ),
        strict=True,
    )
    teacher = BootstrapTeacher.train(
        [np.concatenate(features, axis=1)],
        [np.mean(chances, axis=0)],
        encoder.grouped([[text] for text in texts]),
        encoder([PROMPT.format(name) for name in CLASSES]),
        classifiers=classifiers,
        sentence_encoder=encoder.name,
        recipe=HeadRecipe(hidden=64, dropout=0.0, batch=6, epochs=60),
    )
    path = tmp_path_factory.mktemp("teacher")
    teacher.save(path)
    return path


@pytest.fixture(scope="module")
def spec(folder: Path, classifiers: list[Path]) -> str:
    return f"bootstrap:{folder}:{','.join(map(str, classifiers))}"


@pytest.fixture
def edited(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "edited")


def edit(folder: Path, **changes: object) -> None:
    about = json.loads((folder / "teacher.json").read_text())
    (folder / "teacher.json").write_text(json.dumps(about | changes))


def test_pictures_land_beside_their_captions(spec: str, encoder: SentenceEncoder) -> None:
    teacher = open_teacher(spec)
    images = teacher.embed_images(pictures())
    texts = teacher.embed_texts([f"a picture of number {number}" for number in range(6)])
    assert images.shape == texts.shape == (6, teacher.dim) == (6, 384)
    assert images.dtype == texts.dtype == np.float32
    for rows in (images, texts):
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (images @ texts.T).argmax(axis=1).tolist() == list(range(6))
    assert texts == pytest.approx(encoder([f"a picture of number {n}" for n in range(6)]), abs=1e-6)
    assert teacher.embed_images([]).shape == teacher.embed_texts([]).shape == (0, 384)
    assert teacher.logit_scale == LOGIT_SCALE


def test_embeddings_are_those_of_cached_features(
    spec: str, folder: Path, classifiers: list[Path], tmp_path: Path
) -> None:
    samples = [sample(f"photo-{number}", one, None) for number, one in enumerate(pictures())]
    tar = write_tar(tmp_path / "photos.tar", chain(*samples))
    seen = compute_features(tar, classifiers, tmp_path / "cache", workers=1)
    stored = BootstrapTeacher.load(folder).embed(seen.features, seen.probabilities)
    ours = open_teacher(spec).embed_images([decode(one) for one in read_photos(tar)])
    assert ((ours * stored).sum(axis=1) > 0.999).all()


def test_other_classifiers_are_refused(folder: Path, classifiers: list[Path]) -> None:
    first, second = classifiers
    for wrong in ([second, first], [first], [first, first]):
        with pytest.raises(ValueError, match="taught on other classifiers"):
            BootstrapTowers(folder, wrong)
    with pytest.raises(ValueError, match="no such classifier"):
        BootstrapTowers(folder, [first, folder / "missing.tflite"])


def test_digest_is_that_of_the_embeddings(
    spec: str, folder: Path, edited: Path, classifiers: list[Path]
) -> None:
    first = BootstrapTowers(folder, classifiers)
    digest = first.digest
    first.embed_texts(["its tokenizer is set anew by each call"])
    assert open_teacher(spec).digest == digest
    assert BootstrapTowers(edited, classifiers).digest == digest
    edit(edited, conse_share=0.25)
    assert BootstrapTowers(edited, classifiers).digest != digest
    moved = first.embed_images(pictures()[:1]) - BootstrapTowers(edited, classifiers).embed_images(
        pictures()[:1]
    )
    assert np.abs(moved).max() > 1e-3


def test_packaged_encoder_is_found_in_another_environment(
    folder: Path, edited: Path, classifiers: list[Path]
) -> None:
    elsewhere = Path("/another/environment", *packaged_encoder().parts[-2:])
    edit(edited, sentence_encoder=str(elsewhere))
    assert (
        BootstrapTowers(edited, classifiers).digest == BootstrapTowers(folder, classifiers).digest
    )


def test_encoder_that_is_gone(edited: Path, classifiers: list[Path]) -> None:
    edit(edited, sentence_encoder="/another/encoder")
    with pytest.raises(ValueError, match=r"correct sentence_encoder in its teacher\.json"):
        BootstrapTowers(edited, classifiers)


def test_specification_that_is_none(tmp_path: Path) -> None:
    for spec in ("bootstrap", "bootstrap:folder", "bootstrap::a.tflite", "teacher:folder"):
        with pytest.raises(ValueError, match="bootstrap:FOLDER"):
            open_teacher(spec)
    with pytest.raises(ValueError, match="photosearch-trainer teach"):
        open_teacher(f"bootstrap:{tmp_path}:a.tflite")
