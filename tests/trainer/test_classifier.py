"""Frozen classifiers, read from real quantised files: features, probabilities and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_tflite import Network, Scheme, random_network, write_classifier

from trainer.teachers.classifier import TfliteClassifier

SIZE, CLASSES = 32, 5


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Coarse random patterns, uint8 (6, 32, 32, 3)."""
    patches = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    return patches.repeat(4, axis=1).repeat(4, axis=2)


def network(**changes: Any) -> Network:
    return random_network(np.random.default_rng(1), CLASSES, **changes)


FORMS = [
    pytest.param("uint8", {}, id="uint8"),
    pytest.param("int8", {}, id="int8"),
    pytest.param("uint8", {"softmax": False}, id="ends in logits"),
    pytest.param("uint8", {"head": "dense"}, id="dense uint8"),
    pytest.param("int8", {"head": "dense"}, id="dense int8"),
]


@pytest.mark.parametrize(("scheme", "form"), FORMS)
def test_agrees_with_the_network_in_floating_point(
    tmp_path: Path, pictures: np.ndarray, scheme: Scheme, form: dict[str, Any]
) -> None:
    real = network(**form)
    classifier = TfliteClassifier(
        write_classifier(tmp_path / "model.tflite", real, pictures, scheme=scheme)
    )
    assert (classifier.size, classifier.feature_dim, classifier.classes) == (SIZE, 12, CLASSES)
    features, probabilities = classifier(pictures)
    assert features.dtype == probabilities.dtype == np.float32
    *_, pooled, logits = real.activations(pictures)
    # Four layers of eight bits; the features spread by 0.36 and the logits by 6.
    np.testing.assert_allclose(features, pooled, atol=0.02)
    named = logits[:, 1:]  # class 0 is the background
    expected = named - np.log(np.exp(named).sum(axis=1, keepdims=True))
    # The softmax in the file knows nothing below 1/256; most of these classes lie far below.
    assert (expected < np.log(1 / 1000)).mean() > 0.4
    np.testing.assert_allclose(np.log(probabilities), expected, atol=0.25)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_pictures_do_not_touch_one_another(tmp_path: Path, pictures: np.ndarray) -> None:
    path = write_classifier(tmp_path / "model.tflite", network(), pictures)
    together = TfliteClassifier(path)(pictures)
    classifier = TfliteClassifier(path)
    for number in reversed(range(len(pictures))):
        alone = classifier(pictures[number : number + 1])
        for all_rows, row in zip(together, alone, strict=True):
            assert np.array_equal(all_rows[number], row[0])


def test_a_file_that_is_missing_or_no_network(tmp_path: Path, pictures: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"gone\.tflite: no such classifier"):
        TfliteClassifier(tmp_path / "gone.tflite")
    whole = write_classifier(tmp_path / "model.tflite", network(), pictures).read_bytes()
    broken = tmp_path / "broken.tflite"
    for content in (b"", b"<html>404 Not Found</html>" * 20, whole[: len(whole) // 2]):
        broken.write_bytes(content)
        with pytest.raises(ValueError, match=r"broken\.tflite: not a usable \.tflite file"):
            TfliteClassifier(broken)


def test_a_network_of_another_kind(tmp_path: Path, pictures: np.ndarray) -> None:
    path = tmp_path / "other.tflite"
    write_classifier(path, network(), pictures, scheme="float32")
    with pytest.raises(ValueError, match=r"other\.tflite: expected one uint8 \(1, S, S, 3\) input"):
        TfliteClassifier(path)
    write_classifier(path, network(head="flat", features=16 * 16 * 12), pictures)
    with pytest.raises(ValueError, match=r"other\.tflite: no pooled feature tensor"):
        TfliteClassifier(path)
