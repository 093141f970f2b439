"""Calibration against brute force over all pairs of scores, and cases whose answer is known."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from trainer.evaluate.calibration import auroc, calibration, half_of


def unit(rows) -> np.ndarray:
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def brute(matched, mismatched) -> float:
    pairs = list(product(matched, mismatched))
    return sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs)


def noisy(photos: int, captions: int, noise: float, seed: int = 0):
    rng = np.random.default_rng(seed)
    images = unit(rng.normal(size=(photos, 32)))
    owners = np.repeat(np.arange(photos), captions)
    return images, unit(images[owners] + rng.normal(size=(len(owners), 32)) * noise), owners


class TestAuroc:
    def test_agrees_with_all_pairs_ties_and_all(self):
        rng = np.random.default_rng(1)
        matched, mismatched = rng.integers(6, size=40) / 6, rng.integers(5, size=31) / 6
        assert auroc(matched, mismatched) == pytest.approx(brute(matched, mismatched))

    def test_ends(self):
        assert auroc([2, 3], [0, 1]) == 1
        assert auroc([0, 1], [2, 3]) == 0
        assert auroc([1, 1], [1]) == 0.5


class TestOwnPhotoRemoved:
    def test_agrees_with_removing_each_photo(self, monkeypatch):
        monkeypatch.setattr("trainer.evaluate.calibration._QUERIES_AT_ONCE", 7)
        images, texts, owners = noisy(30, 3, 0.4)
        owned, _ = calibration(images, texts, owners)
        scores = texts @ images.T
        matched = scores.max(1)
        mismatched = [np.delete(row, own).max() for row, own in zip(scores, owners, strict=True)]
        assert owned.figure.value == pytest.approx(brute(matched, mismatched), abs=1e-6)
        assert (owned.gallery, owned.queries) == (30, 180)
        assert owned.figure.chance == 0.5
        assert owned.figure.low < owned.figure.value < owned.figure.high

    def test_an_encoder_that_knows_nothing_is_at_chance(self):
        rng = np.random.default_rng(2)
        images, texts = unit(rng.normal(size=(200, 16))), unit(rng.normal(size=(200, 16)))
        for found in calibration(images, texts, np.arange(200)):
            assert found.figure.value == pytest.approx(0.5, abs=0.07)
            assert found.figure.low < 0.52

    def test_duplicates_of_each_photo_leave_nothing_to_tell(self):
        """With its twin in the gallery, a query scores as high without its own photo."""
        images, texts, owners = noisy(20, 1, 0.1)
        (owned, _) = calibration(np.concatenate([images, images]), texts, owners)
        assert owned.figure.value == 0.5
        assert owned.gallery == 40


class TestHalfSplit:
    def test_a_perfect_encoder_tells(self):
        for found in calibration(np.eye(40), np.eye(40), np.arange(40)):
            assert found.figure.value == found.figure.low == found.figure.high == 1
        assert (found.gallery, found.queries) == (20, 40)

    def test_queries_of_photos_outside_are_the_mismatched(self):
        images, texts, owners = noisy(51, 2, 0.3)
        _, half = calibration(images, texts, owners, seed=3)
        inside = half_of(51, 3)
        best = (texts @ images[inside].T).max(1)
        there = inside[owners]
        assert half.figure.value == pytest.approx(brute(best[there], best[~there]), abs=1e-6)
        assert 0.6 < half.figure.value < 1
        assert (half.gallery, half.queries) == (25, 102)

    def test_the_half_is_half_and_the_seed_s(self):
        assert half_of(51, 3).sum() == 25
        assert (half_of(51, 3) == half_of(51, 3)).all()
        assert (half_of(51, 3) != half_of(51, 4)).any()

    def test_distractors_are_not_in_the_gallery(self):
        images, texts, owners = noisy(10, 1, 0.2)
        _, half = calibration(np.concatenate([images, unit(np.ones((5, 32)))]), texts, owners)
        assert half.gallery == 5


class TestIntervals:
    def test_captions_of_one_photo_count_as_one(self):
        """Five equal captions of each photo must not narrow the interval."""
        images, texts, owners = noisy(80, 1, 0.5)
        once = calibration(images, texts, owners)
        five = calibration(images, texts.repeat(5, 0), owners.repeat(5))
        for few, many in zip(once, five, strict=True):
            assert many.figure.value == pytest.approx(few.figure.value)
            assert many.figure.low == pytest.approx(few.figure.low)
            assert many.figure.high == pytest.approx(few.figure.high)

    def test_half_split_s_is_that_of_drawing_queries(self):
        """Against the textbook's standard error for independent scores (Hanley and McNeil 1982)."""
        images, texts, owners = noisy(300, 1, 0.6)
        _, half = calibration(images, texts, owners)
        area = half.figure.value
        first, second = area / (2 - area), 2 * area**2 / (1 + area)
        variance = area * (1 - area) + 149 * (first - area**2) + 149 * (second - area**2)
        error = 1.96 * np.sqrt(variance / 150**2)
        assert half.figure.high - half.figure.low == pytest.approx(2 * error, rel=0.25)

    def test_are_the_seed_s(self):
        data = noisy(20, 2, 0.6)
        assert calibration(*data) == calibration(*data) != calibration(*data, seed=1)


def test_what_cannot_be_asked():
    with pytest.raises(ValueError, match="at least 4 photos with captions, not 3"):
        calibration(np.eye(9), np.eye(9)[:3], [0, 1, 2])
    with pytest.raises(ValueError, match="unit norm"):
        calibration(np.eye(5) * 2, np.eye(5), np.arange(5))
