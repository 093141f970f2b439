"""Retrieval recall, with what it takes to read it: gallery size, interval and chance.

    result = retrieval(images, texts, owners)      # (n, d), (m, d) unit norm; owners int (m,)
    result.text_to_photo.figure("R@10").value

Ranks are pessimistic: whatever scores as high as the right answer counts as ranked before it, so a
collapsed encoder scores 0 rather than at random. The captions of one photo succeed and fail
together, so intervals come from resampling photos, each with all its captions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import perm

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trainer.evaluate.figure import TIE, Figure, percentiles, share_interval

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

_QUERIES_AT_ONCE = 1024
_RESAMPLES_AT_ONCE = 100


@dataclass(frozen=True)
class Direction:
    """The figures of one direction of search: `queries` of them, each over `gallery` candidates."""

    name: str
    queries: int
    gallery: int
    figures: tuple[Figure, ...]

    def figure(self, name: str) -> Figure:
        """The figure called "R@1", ..., "mean rank" or "median rank"."""
        return next(figure for figure in self.figures if figure.name == name)

    def recalls(self) -> str:
        """Each recall with its interval, for a terminal."""
        return ", ".join(
            f"{figure.name} {figure.value:.1%} ({figure.low:.1%} to {figure.high:.1%})"
            for figure in self.figures
            if figure.name.startswith("R@")
        )


@dataclass(frozen=True)
class Retrieval:
    """Both directions over the same photos and captions."""

    text_to_photo: Direction
    photo_to_text: Direction


def retrieval(
    images: ArrayLike,
    texts: ArrayLike,
    owners: ArrayLike,
    *,
    ks: Sequence[int] = (1, 5, 10),
    resamples: int = 1000,
    seed: int = 0,
) -> Retrieval:
    """Recall at `ks` and ranks, both ways.

    Args:
        images: (n, d) unit norm, the gallery of the text queries. A photo without a caption is a
            distractor there, and no query of the other direction.
        texts: (m, d) unit norm, the captions.
        owners: (m,) the row of `images` that each caption describes.
        ks: cut-offs; a photo query is answered by any one of its captions.
        resamples: bootstrap resamples of photos behind each interval.
        seed: of the resampling.

    Raises:
        ValueError: shapes that do not fit, an owner that is no row, rows that are not unit norm.
    """
    images, texts, owners = checked_pairs(images, texts, owners)
    text_ranks = _text_to_photo_ranks(images, texts, owners)
    asked = np.unique(owners)
    photo_ranks = _photo_to_text_ranks(images, texts, owners, asked)
    captions = np.bincount(owners, minlength=len(images))[asked]
    rng = np.random.default_rng(seed)
    # How often each photo is drawn, one row a resample; both directions use the same draws.
    draws = rng.multinomial(len(asked), np.full(len(asked), 1 / len(asked)), size=resamples)
    return Retrieval(
        _direction(
            "text to photo",
            text_ranks,
            np.searchsorted(asked, owners),
            draws,
            gallery=len(images),
            relevant=np.ones(1, np.int64),
            ks=ks,
        ),
        _direction(
            "photo to text",
            photo_ranks,
            np.arange(len(asked)),
            draws,
            gallery=len(texts),
            relevant=captions,
            ks=ks,
        ),
    )


def chance_recall(k: int, gallery: int, relevant: ArrayLike) -> float:
    """The expected recall at k of a random ranking, averaged over queries.

    A query with r right answers among `gallery` misses when all k places go to the others:
    1 - C(gallery - r, k) / C(gallery, k), which is k / gallery for r = 1.
    """
    sizes, weights = np.unique(np.asarray(relevant), return_counts=True)
    k = min(k, gallery)

    def hit(r: int) -> float:
        # C(g - r, k) / C(g, k) = C(g - k, r) / C(g, r): r factors, and r is small.
        ways, misses = perm(gallery, r), perm(gallery - k, r)
        return (ways - misses) / ways

    return float(np.average([hit(int(r)) for r in sizes], weights=weights))


def chance_mean_rank(gallery: int, relevant: ArrayLike) -> float:
    """The expected rank of the first of r right answers under random ranking: (g + 1) / (r + 1)."""
    return float(np.mean((gallery + 1) / (np.asarray(relevant) + 1)))


def chance_median_rank(gallery: int, relevant: ArrayLike) -> int:
    """The smallest rank that random ranking reaches for at least half of the queries."""
    low, high = 1, gallery
    while low < high:
        middle = (low + high) // 2
        if chance_recall(middle, gallery, relevant) >= 0.5:
            high = middle
        else:
            low = middle + 1
    return low


def checked_pairs(
    images: ArrayLike, texts: ArrayLike, owners: ArrayLike
) -> tuple[Floats, Floats, Ints]:
    """The arguments of `retrieval` as arrays. Raises `ValueError` when they do not fit."""
    images, texts, owners = np.asarray(images), np.asarray(texts), np.asarray(owners)
    if images.ndim != 2 or texts.ndim != 2 or images.shape[1:] != texts.shape[1:]:
        raise ValueError(f"images {images.shape} and texts {texts.shape} must be (n, d) and (m, d)")
    if not len(images) or not len(texts):
        raise ValueError("retrieval needs at least one photo and one caption")
    if owners.shape != texts.shape[:1] or owners.dtype.kind not in "iu":
        raise ValueError(f"owners must be {len(texts)} integers, one a text")
    if owners.min() < 0 or owners.max() >= len(images):
        raise ValueError(f"owners must be rows of the {len(images)} images")
    for name, rows in (("images", images), ("texts", texts)):
        # Written so that NaN fails too.
        if not (np.abs(np.linalg.norm(rows, axis=1) - 1) < 1e-3).all():
            raise ValueError(f"{name} must be unit norm")
    return images, texts, owners


def _text_to_photo_ranks(images: Floats, texts: Floats, owners: Ints) -> Ints:
    """1 + the number of other photos that score at least as high as the caption's own."""
    ranks = np.empty(len(texts), np.int64)
    for start in range(0, len(texts), _QUERIES_AT_ONCE):
        part = slice(start, start + _QUERIES_AT_ONCE)
        scores = texts[part] @ images.T
        own = np.take_along_axis(scores, owners[part, None], axis=1)
        ranks[part] = (scores >= own - TIE).sum(1)  # the own photo counts as the 1
    return ranks


def _photo_to_text_ranks(images: Floats, texts: Floats, owners: Ints, asked: Ints) -> Ints:
    """1 + the number of other photos' captions that score at least as high as its best own one."""
    ranks = np.empty(len(asked), np.int64)
    for start in range(0, len(asked), _QUERIES_AT_ONCE):
        rows = asked[start : start + _QUERIES_AT_ONCE]
        scores = images[rows] @ texts.T
        mine = owners == rows[:, None]
        best = np.where(mine, scores, -np.inf).max(1, keepdims=True)
        ranks[start : start + len(rows)] = 1 + ((scores >= best - TIE) & ~mine).sum(1)
    return ranks


def _direction(
    name: str,
    ranks: Ints,
    photos: Ints,
    draws: Ints,
    *,
    gallery: int,
    relevant: Ints,
    ks: Sequence[int],
) -> Direction:
    """`photos` (q,): which column of `draws` (resamples, photos) each of the q ranks belongs to."""
    figures = []
    for k in ks:
        hits = (ranks <= k).astype(float)
        value = float(hits.mean())
        # Photos are the independent units, not their captions.
        means = _resampled_means(hits, photos, draws)
        low, high = share_interval(value, means, draws.shape[1])
        chance = chance_recall(k, gallery, relevant)
        figures.append(Figure(f"R@{k}", value, low, high, chance))
    means = _resampled_means(ranks, photos, draws)
    low, high = percentiles(means)
    chance = chance_mean_rank(gallery, relevant)
    figures.append(Figure("mean rank", float(ranks.mean()), low, high, chance))
    median = _resampled_medians(ranks, photos, np.ones((1, draws.shape[1]), np.int64))[0]
    low, high = percentiles(_resampled_medians(ranks, photos, draws))
    chance = float(chance_median_rank(gallery, relevant))
    figures.append(Figure("median rank", float(median), low, high, chance))
    return Direction(name, len(ranks), gallery, tuple(figures))


def _resampled_means(values: NDArray[np.generic], photos: Ints, draws: Ints) -> Floats:
    size = draws.shape[1]
    sums = np.bincount(photos, weights=values.astype(float), minlength=size)
    return (draws @ sums) / (draws @ np.bincount(photos, minlength=size))


def _resampled_medians(ranks: Ints, photos: Ints, draws: Ints) -> Ints:
    """The lower median of each resample: the first rank that half of its queries reach."""
    order = np.argsort(ranks, kind="stable")
    medians = []
    for start in range(0, len(draws), _RESAMPLES_AT_ONCE):
        reached = draws[start : start + _RESAMPLES_AT_ONCE][:, photos[order]].cumsum(axis=1)
        medians.append(ranks[order][(2 * reached >= reached[:, -1:]).argmax(axis=1)])
    return np.concatenate(medians)
