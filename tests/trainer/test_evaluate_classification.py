"""Classification figures against loops over photos, closed forms and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.evaluate.classification import (
    Predictions,
    classify,
    macro_f1,
    mean_per_class_recall,
    top_k,
    worst_group,
)


def unit(rows) -> np.ndarray:
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def predictions() -> Predictions:
    """300 photos of 7 classes, of which the last has none, found with some noise."""
    rng = np.random.default_rng(1)
    classes = unit(rng.normal(size=(7, 12)))
    labels = rng.choice(6, size=300, p=[0.5, 0.2, 0.1, 0.1, 0.06, 0.04])
    return classify(unit(classes[labels] + rng.normal(size=(300, 12)) * 0.5), classes, labels)


class TestClassify:
    def test_by_hand(self):
        classes = np.eye(3, dtype=np.float32)
        images = unit([[9, 2, 1], [9, 2, 1], [9, 2, 1]])
        found = classify(images, classes, [0, 1, 2])
        assert found.ranks.tolist() == [1, 2, 3]
        assert found.guesses.tolist() == [0, 0, 0]
        assert found.classes == 3

    def test_agrees_with_sorting(self, monkeypatch):
        monkeypatch.setattr("trainer.evaluate.classification._PHOTOS_AT_ONCE", 7)
        rng = np.random.default_rng(2)
        images, classes = unit(rng.normal(size=(50, 8))), unit(rng.normal(size=(9, 8)))
        labels = rng.integers(9, size=50)
        found = classify(images, classes, labels)
        order = np.argsort(-(images @ classes.T), axis=1)
        assert found.guesses.tolist() == order[:, 0].tolist()
        places = [list(row).index(label) + 1 for row, label in zip(order, labels, strict=True)]
        assert found.ranks.tolist() == places

    def test_a_collapsed_encoder_is_never_right(self):
        vector = unit(np.random.default_rng(3).normal(size=(1, 77)))
        found = classify(vector.repeat(11, 0), vector.repeat(4, 0), np.arange(11) % 4)
        assert set(found.ranks) == {4}
        assert not (found.guesses == found.labels).any()
        assert top_k(found, 1).value == 0


class TestValues:
    def test_against_loops(self, predictions):
        labels, guesses = predictions.labels, predictions.guesses
        assert top_k(predictions, 1).value == pytest.approx(np.mean(labels == guesses))
        assert top_k(predictions, 3).value == pytest.approx(np.mean(predictions.ranks <= 3))
        recalls, f1s = [], []
        for label in range(6):
            hits = np.sum((labels == label) & (guesses == label))
            recalls.append(hits / np.sum(labels == label))
            f1s.append(2 * hits / (np.sum(labels == label) + np.sum(guesses == label)))
        assert mean_per_class_recall(predictions).value == pytest.approx(np.mean(recalls))
        assert 6 in guesses  # the class without photos counts against the others' photos only
        assert macro_f1(predictions).value == pytest.approx(np.mean(f1s))

    def test_worst_group(self, predictions):
        groups = np.arange(300) % 4 * 10
        shares = [np.mean(predictions.ranks[groups == group] <= 2) for group in (0, 10, 20, 30)]
        figure = worst_group(predictions, groups, 2)
        assert figure.name == "worst-group top-2"
        assert figure.value == pytest.approx(min(shares))


class TestIntervals:
    def test_of_a_share_is_the_binomial_one(self, predictions):
        figure = top_k(predictions, 1)
        half = 1.96 * np.sqrt(figure.value * (1 - figure.value) / 300)
        assert figure.low == pytest.approx(figure.value - half, abs=0.012)
        assert figure.high == pytest.approx(figure.value + half, abs=0.012)

    @pytest.mark.parametrize("measure", [mean_per_class_recall, macro_f1])
    @pytest.mark.slow
    def test_agrees_with_drawing_photos(self, predictions, measure, monkeypatch):
        monkeypatch.setattr("trainer.evaluate.classification._RANDOM_RUNS", 1)
        figure = measure(predictions)
        rng = np.random.default_rng(4)
        values = []
        for _ in range(600):
            rows = rng.integers(300, size=300)
            labels, ranks, guesses = (
                part[rows] for part in (predictions.labels, predictions.ranks, predictions.guesses)
            )
            drawn = Predictions(labels, ranks, guesses, 7)
            values.append(measure(drawn, resamples=1).value)
        low, high = np.percentile(values, (2.5, 97.5))
        assert figure.low == pytest.approx(low, abs=0.015)
        assert figure.high == pytest.approx(high, abs=0.015)

    def test_hold_the_value_and_are_the_seed_s(self, predictions):
        groups = np.arange(300) % 30
        first, again, other = (worst_group(predictions, groups, 1, seed=seed) for seed in (0, 0, 1))
        assert first == again != other
        assert first.low <= first.value <= first.high
        assert first.low < first.high

    def test_all_right_and_all_wrong_leave_doubt(self):
        labels = np.arange(20) % 2
        perfect = Predictions(labels, np.ones(20, int), labels, 2)
        useless = Predictions(labels, np.full(20, 2), 1 - labels, 2)
        for figure in (top_k(perfect, 1), mean_per_class_recall(perfect), macro_f1(perfect)):
            # The exact binomial bound of 20 out of 20.
            assert (figure.value, figure.high) == (1, 1)
            assert figure.low == pytest.approx(0.8316, abs=1e-4)
        assert top_k(useless, 1).high == pytest.approx(0.1684, abs=1e-4)
        # Of the smaller group: 5 out of 5.
        smallest = worst_group(perfect, (np.arange(20) < 5).astype(int), 1)
        assert smallest.low == pytest.approx(0.4782, abs=1e-4)


def test_chance_is_what_random_vectors_reach(predictions, monkeypatch):
    rng = np.random.default_rng(5)
    groups = np.arange(300) % 5
    measures = {
        "top-1": lambda found: top_k(found, 1, resamples=1),
        "top-5": lambda found: top_k(found, 5, resamples=1),
        "recall": lambda found: mean_per_class_recall(found, resamples=1),
        "F1": lambda found: macro_f1(found, resamples=1),
        "group": lambda found: worst_group(found, groups, 1, resamples=1),
    }
    chances = {name: measure(predictions).chance for name, measure in measures.items()}
    monkeypatch.setattr("trainer.evaluate.classification._RANDOM_RUNS", 1)
    reached = {name: [] for name in measures}
    for _ in range(120):
        # Fresh class vectors for each photo: otherwise photos of a class succeed together.
        scores = rng.normal(size=(300, 7))
        order = np.argsort(-scores, axis=1)
        ranks = np.argmax(order == predictions.labels[:, None], axis=1) + 1
        found = Predictions(predictions.labels, ranks, order[:, 0], 7)
        for name, measure in measures.items():
            reached[name].append(measure(found).value)
    for name, chance in chances.items():
        spread = np.std(reached[name]) / np.sqrt(120)
        # The chance of the last two is simulated as well, 200 times.
        assert np.mean(reached[name]) == pytest.approx(chance, abs=5 * spread), name
    assert top_k(predictions, 5).chance == pytest.approx(5 / 7)
    assert top_k(predictions, 9).chance == 1
