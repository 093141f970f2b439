"""Whether a score tells that something is there at all: the AUROC of matched queries.

A search gives photos for any text. Whether it may say "nothing here is like that" depends on how
well its best score tells a query that the gallery can answer from one that it cannot.

    own, half = calibration(images, texts, owners)
    own.figure.value                # 0.5 is chance, 1 is a score that always tells

sklearn has an AUROC, but sklearn is no part of the trainer, and the bootstrap needs a thousand
weighted ones of one order of scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trainer.evaluate.figure import TIE, Figure, percentiles
from trainer.evaluate.retrieval import checked_pairs

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

_QUERIES_AT_ONCE = 1024
_RESAMPLES_AT_ONCE = 50


@dataclass(frozen=True)
class Calibration:
    """An AUROC, of how many queries (matched and mismatched together) over how many photos."""

    task: str
    figure: Figure
    queries: int
    gallery: int


def calibration(
    images: ArrayLike,
    texts: ArrayLike,
    owners: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[Calibration, Calibration]:
    """The AUROC of a query's best score, in two designs.

    Own photo removed: each caption is asked twice, of all photos and of all but its own. Half
    split: a random half of the photos is the gallery; captions of photos in it are matched, those
    of the others mismatched. The second has no query on both sides, and a gallery half as large.

    A mismatched query may still be answered by another photo's content, which captions do not
    say, so that 1 is out of reach. Intervals resample photos, each with all its captions, over
    fixed galleries.

    Args:
        images: (n, d) unit norm.
        texts: (m, d) unit norm, the captions.
        owners: (m,) the row of `images` that each caption describes.
        resamples: bootstrap resamples behind each interval.
        seed: of the resampling and of the split.

    Raises:
        ValueError: shapes that do not fit, or fewer than four photos with captions.
    """
    images, texts, owners = checked_pairs(images, texts, owners)
    asked = np.unique(owners)
    if len(asked) < 4:
        raise ValueError(f"calibration needs at least 4 photos with captions, not {len(asked)}")
    rng = np.random.default_rng(seed)
    photos = np.searchsorted(asked, owners)  # which draw each caption belongs to
    inside = half_of(len(asked), seed)
    return (
        _own_removed(images, texts, owners, photos, resamples, rng),
        _half_split(images[asked[inside]], texts, photos, inside, resamples, rng),
    )


def half_of(count: int, seed: int) -> NDArray[np.bool_]:
    """Which of `count` photos are in the gallery of the half split; half of them, rounded down."""
    inside = np.zeros(count, bool)
    inside[np.random.default_rng([seed, count]).permutation(count)[: count // 2]] = True
    return inside


def auroc(matched: ArrayLike, mismatched: ArrayLike) -> float:
    """P(matched > mismatched) + P(equal) / 2 over all pairs of scores: the Mann-Whitney statistic.

    Both (n,) and (m,), with at least one score each. Scores that differ by rounding are equal.
    """
    matched, mismatched = np.asarray(matched), np.asarray(mismatched)
    ones = np.ones((1, len(matched))), np.ones((1, len(mismatched)))
    return float(weighted_aurocs(matched, mismatched, *ones)[0])


def _own_removed(
    images: Floats,
    texts: Floats,
    owners: Ints,
    photos: Ints,
    resamples: int,
    rng: np.random.Generator,
) -> Calibration:
    own, other = np.empty(len(texts)), np.empty(len(texts))
    for start in range(0, len(texts), _QUERIES_AT_ONCE):
        part = slice(start, start + _QUERIES_AT_ONCE)
        scores = texts[part] @ images.T
        rows = np.arange(len(scores))
        own[part] = scores[rows, owners[part]]
        scores[rows, owners[part]] = -np.inf
        other[part] = scores.max(1)
    matched = np.maximum(own, other)
    size = int(photos.max()) + 1
    values = []
    for chunk in _chunks(resamples):
        draws = rng.multinomial(size, np.full(size, 1 / size), size=chunk)
        weights = draws[:, photos].astype(float)
        values.append(weighted_aurocs(matched, other, weights, weights))
    figure = Figure("AUROC", auroc(matched, other), *percentiles(np.concatenate(values)), 0.5)
    task = "anything like that? own photo removed"
    return Calibration(task, figure, 2 * len(texts), len(images))


def _half_split(
    gallery: Floats,
    texts: Floats,
    photos: Ints,
    inside: NDArray[np.bool_],
    resamples: int,
    rng: np.random.Generator,
) -> Calibration:
    there = inside[photos]
    best = np.empty(len(texts))
    for start in range(0, len(texts), _QUERIES_AT_ONCE):
        part = slice(start, start + _QUERIES_AT_ONCE)
        best[part] = (texts[part] @ gallery.T).max(1)
    matched, mismatched = best[there], best[~there]
    values = []
    for chunk in _chunks(resamples):
        # Each half is drawn from itself, so that both keep their sizes.
        draws = np.empty((chunk, len(inside)))
        for half in (inside, ~inside):
            count = int(half.sum())
            draws[:, half] = rng.multinomial(count, np.full(count, 1 / count), size=chunk)
        weights = draws[:, photos]
        values.append(weighted_aurocs(matched, mismatched, weights[:, there], weights[:, ~there]))
    figure = Figure("AUROC", auroc(matched, mismatched), *percentiles(np.concatenate(values)), 0.5)
    return Calibration("anything like that? half split", figure, len(texts), len(gallery))


def weighted_aurocs(
    matched: Floats, mismatched: Floats, matched_weights: Floats, mismatched_weights: Floats
) -> Floats:
    """(r,) from scores (n,) and (m,) and their weights (r, n) and (r, m)."""
    scores = np.rint(np.concatenate([matched, mismatched]) / TIE)
    order = np.argsort(scores, kind="stable")
    starts = np.unique(scores[order], return_index=True)[1]

    def by_score(weights: Floats) -> Floats:
        return np.add.reduceat(weights[:, order], starts, axis=1)

    none = np.zeros((len(matched_weights), len(mismatched)))
    above = by_score(np.concatenate([matched_weights, none], axis=1))
    none = np.zeros((len(mismatched_weights), len(matched)))
    below = by_score(np.concatenate([none, mismatched_weights], axis=1))
    # Mismatched scores under each score, and half of those equal to it.
    under = below.cumsum(axis=1) - below / 2
    return (above * under).sum(1) / (above.sum(1) * below.sum(1))


def _chunks(total: int) -> list[int]:
    sizes = [_RESAMPLES_AT_ONCE] * (total // _RESAMPLES_AT_ONCE)
    return [*sizes, rest] if (rest := total % _RESAMPLES_AT_ONCE) else sizes
