"""Retrieval figures against rankings written out by hand, brute force and simulation."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from trainer.evaluate.retrieval import (
    chance_mean_rank,
    chance_median_rank,
    chance_recall,
    retrieval,
)


def unit(rows) -> np.ndarray:
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def values(direction) -> dict[str, float]:
    return {figure.name: figure.value for figure in direction.figures}


def test_ranks_by_hand():
    # Three photos along the axes. Captions of photo 0 point to it, and to photo 1 first.
    images = np.eye(3, dtype=np.float32)
    texts = unit([[9, 1, 0], [1, 9, 3], [3, 1, 9], [9, 4, 3]])
    result = retrieval(images, texts, [0, 0, 1, 2], ks=(1, 2, 3))
    # Ranks of the right photo: 1, 3, 3 and 3.
    assert values(result.text_to_photo) == {
        "R@1": 0.25,
        "R@2": 0.25,
        "R@3": 1.0,
        "mean rank": 2.5,
        "median rank": 3,
    }
    assert (result.text_to_photo.gallery, result.text_to_photo.queries) == (3, 4)
    # Photo 0 finds its first caption at once; photo 1 has its caption behind three; photo 2 one.
    ours = values(result.photo_to_text)
    assert ours["R@1"] == pytest.approx(1 / 3)
    assert ours["mean rank"] == pytest.approx((1 + 4 + 3) / 3)
    assert ours["median rank"] == 3
    assert (result.photo_to_text.gallery, result.photo_to_text.queries) == (4, 3)


def test_agrees_with_sorting_every_list():
    rng = np.random.default_rng(1)
    images = unit(rng.normal(size=(40, 16)))
    owners = np.repeat(np.arange(40), 3)
    texts = unit(images[owners] + rng.normal(size=(120, 16)) * 0.8)
    result = retrieval(images, texts, owners)
    scores = texts @ images.T
    first = [list(np.argsort(-row)).index(own) + 1 for row, own in zip(scores, owners, strict=True)]
    best = [
        min(
            list(np.argsort(-scores[:, photo])).index(row)
            for row in np.flatnonzero(owners == photo)
        )
        + 1
        for photo in range(40)
    ]
    for direction, ranks in ((result.text_to_photo, first), (result.photo_to_text, best)):
        for k in (1, 5, 10):
            assert direction.figure(f"R@{k}").value == pytest.approx(np.mean(np.array(ranks) <= k))
        assert direction.figure("mean rank").value == pytest.approx(np.mean(ranks))


def test_more_queries_than_one_block_rank_the_same(monkeypatch):
    rng = np.random.default_rng(2)
    images, texts = unit(rng.normal(size=(30, 8))), unit(rng.normal(size=(90, 8)))
    owners = rng.permutation(np.repeat(np.arange(30), 3))
    whole = retrieval(images, texts, owners)
    monkeypatch.setattr("trainer.evaluate.retrieval._QUERIES_AT_ONCE", 7)
    monkeypatch.setattr("trainer.evaluate.retrieval._RESAMPLES_AT_ONCE", 13)
    assert retrieval(images, texts, owners) == whole


@pytest.mark.parametrize(("photos", "captions", "dim"), [(101, 203, 384), (3, 7, 77)])
def test_ties_count_against_the_encoder(photos, captions, dim):
    # An encoder that maps everything to one vector must not look right. In the smaller case the
    # matrix product rounds equal scores differently.
    vector = unit(np.random.default_rng(3).normal(size=(1, dim)))
    owners = np.arange(captions) % photos
    result = retrieval(vector.repeat(photos, 0), vector.repeat(captions, 0), owners)
    assert result.text_to_photo.figure("R@1").value == 0
    assert result.text_to_photo.figure("median rank").value == photos
    assert result.photo_to_text.figure("R@1").value == 0


def test_a_perfect_encoder_and_a_useless_one_still_have_an_interval():
    perfect = retrieval(np.eye(20), np.eye(20), np.arange(20)).text_to_photo.figure("R@1")
    useless = retrieval(np.eye(20), np.eye(20), (np.arange(20) + 1) % 20).text_to_photo.figure(
        "R@1"
    )
    # Exact binomial bounds of 20 out of 20 and 0 out of 20.
    assert (perfect.value, perfect.high) == (1, 1)
    assert perfect.low == pytest.approx(0.8316, abs=1e-4)
    assert (useless.value, useless.low) == (0, 0)
    assert useless.high == pytest.approx(0.1684, abs=1e-4)


def test_photos_without_captions_are_distractors():
    images = np.eye(4, dtype=np.float32)
    result = retrieval(images, images[[1]], [1], ks=(1,))
    assert result.text_to_photo.gallery == 4
    assert result.text_to_photo.figure("R@1").chance == 0.25
    assert (result.photo_to_text.queries, result.photo_to_text.gallery) == (1, 1)


class TestChance:
    @pytest.mark.parametrize("k", [1, 5, 10, 1000])
    def test_one_right_answer(self, k):
        assert chance_recall(k, 1000, [1]) == pytest.approx(k / 1000)

    @pytest.mark.parametrize("k", [1, 5, 10, 48, 50, 60])
    def test_several_right_answers(self, k):
        expected = np.mean([1 - comb(50 - r, min(k, 50)) / comb(50, min(k, 50)) for r in (5, 1, 2)])
        assert chance_recall(k, 50, [5, 1, 2]) == pytest.approx(expected)

    def test_lines_are_what_random_vectors_reach(self):
        rng = np.random.default_rng(4)
        owners = np.repeat(np.arange(60), [1, 2, 5] * 20)
        runs = []
        for _ in range(150):
            images, texts = unit(rng.normal(size=(60, 64))), unit(rng.normal(size=(160, 64)))
            result = retrieval(images, texts, owners, resamples=2)
            runs.append((result.text_to_photo, result.photo_to_text))
        for directions in zip(*runs, strict=True):
            for figure in directions[0].figures:
                reached = [direction.figure(figure.name).value for direction in directions]
                spread = np.std(reached) / np.sqrt(len(reached))
                # The median moves in whole ranks, so its mean may be off by half of one.
                slack = 1.5 if figure.name == "median rank" else 0
                assert np.mean(reached) == pytest.approx(figure.chance, abs=4 * spread + slack)

    def test_ranks(self):
        assert chance_mean_rank(1000, [1]) == pytest.approx(500.5)
        assert chance_mean_rank(9, [4, 1]) == pytest.approx((2 + 5) / 2)
        assert chance_median_rank(1000, [1]) == 500
        assert chance_median_rank(7, [1]) == 4


class TestInterval:
    def test_is_of_photos_rather_than_captions(self):
        """Five captions that succeed or fail together say no more than one."""
        rng = np.random.default_rng(5)
        n = 200
        right = rng.random(n) < 0.5
        images = np.eye(n, dtype=np.float32)
        aim = np.where(right, np.arange(n), (np.arange(n) + 1) % n)
        once = retrieval(images, images[aim], np.arange(n)).text_to_photo.figure("R@1")
        owners = np.repeat(np.arange(n), 5)
        five = retrieval(images, images[aim[owners]], owners).text_to_photo.figure("R@1")
        assert five == once
        # The normal approximation of 200 coin flips.
        half = 1.96 * np.sqrt(once.value * (1 - once.value) / n)
        assert once.low == pytest.approx(once.value - half, abs=0.01)
        assert once.high == pytest.approx(once.value + half, abs=0.01)

    def test_holds_the_value_and_is_the_seed_s(self):
        rng = np.random.default_rng(6)
        images = unit(rng.normal(size=(80, 8)))
        texts = unit(images + rng.normal(size=(80, 8)) * 0.4)
        first, again, other = (
            retrieval(images, texts, np.arange(80), seed=seed) for seed in (0, 0, 1)
        )
        assert first == again != other
        for figure in (*first.text_to_photo.figures, *first.photo_to_text.figures):
            assert figure.low <= figure.value <= figure.high
            assert figure.low < figure.high


@pytest.mark.parametrize(
    ("images", "texts", "owners", "message"),
    [
        (np.eye(3), np.eye(2), [0, 1], r"\(3, 3\) and texts \(2, 2\)"),
        (np.eye(3), np.eye(3), [0, 1], "owners must be 3 integers"),
        (np.eye(3), np.eye(3), [0.0, 1.0, 2.0], "owners must be 3 integers"),
        (np.eye(3), np.eye(3), [0, 1, 3], "rows of the 3 images"),
        (np.eye(3), np.eye(3), [0, 1, -1], "rows of the 3 images"),
        (np.eye(3) * 2, np.eye(3), [0, 1, 2], "images must be unit norm"),
        (np.eye(3), np.full((3, 3), np.nan), [0, 1, 2], "texts must be unit norm"),
        (np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, int), "at least one"),
    ],
)
def test_what_does_not_fit_is_refused(images, texts, owners, message):
    with pytest.raises(ValueError, match=message):
        retrieval(images, texts, owners)
