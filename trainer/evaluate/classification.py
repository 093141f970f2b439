"""Accuracy of a classifier, with intervals and chance lines.

    predictions = classify(images, classes, labels)     # (n, d), (C, d) unit norm; labels int (n,)
    top_k(predictions, 1).value

Ranks are pessimistic, as in retrieval: a class that scores as high as the right one is ranked
before it. Intervals come from resampling photos. That is done on counts: photos that a figure
cannot tell apart are one cell of a table, and a resample draws the table's counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trainer.evaluate.figure import TIE, Figure, share_interval

Ints = NDArray[np.integer]
Floats = NDArray[np.floating]
# From weights of the cells (resamples, u), and the cells (u, columns), to values (resamples,).
Statistic = Callable[[Floats, Ints], Floats]

_PHOTOS_AT_ONCE = 1024
_RESAMPLES_AT_ONCE = 100
_RANDOM_RUNS = 200


@dataclass(frozen=True)
class Predictions:
    """What a classifier makes of n photos.

    labels: (n,) the right classes; ranks: (n,) place of the right class, from 1; guesses: (n,) the
    class ranked first; classes: how many are ranked.
    """

    labels: Ints
    ranks: Ints
    guesses: Ints
    classes: int


def classify(images: ArrayLike, classes: ArrayLike, labels: ArrayLike) -> Predictions:
    """Rank `classes` (C, d) for each of `images` (n, d), both unit norm; labels int (n,)."""
    images, classes, labels = np.asarray(images), np.asarray(classes), np.asarray(labels)
    ranks, guesses = np.empty(len(images), np.int64), np.empty(len(images), np.int64)
    for start in range(0, len(images), _PHOTOS_AT_ONCE):
        part = slice(start, start + _PHOTOS_AT_ONCE)
        scores = images[part] @ classes.T
        rows = np.arange(len(scores))
        own = scores[rows, labels[part]]
        ranks[part] = (scores >= own[:, None] - TIE).sum(1)  # the right class counts as the 1
        scores[rows, labels[part]] = np.where(ranks[part] == 1, np.inf, -np.inf)
        guesses[part] = scores.argmax(1)
    return Predictions(labels, ranks, guesses, len(classes))


def top_k(predictions: Predictions, k: int, *, resamples: int = 1000, seed: int = 0) -> Figure:
    """The share of photos whose class is among the first k; with fewer classes, always all."""
    hits = predictions.ranks <= k
    chance = min(k, predictions.classes) / predictions.classes
    return _figure(f"top-{k}", [hits], _share, chance, len(hits), resamples, seed)


def mean_per_class_recall(
    predictions: Predictions, *, resamples: int = 1000, seed: int = 0
) -> Figure:
    """Top-1 of each class that has photos, averaged, so that rare classes count as much."""
    columns = [predictions.labels, predictions.ranks == 1]
    chance = 1 / predictions.classes
    count = len(predictions.labels)
    name = "mean per-class recall"
    return _figure(name, columns, _mean_of_groups, chance, count, resamples, seed)


def macro_f1(predictions: Predictions, *, resamples: int = 1000, seed: int = 0) -> Figure:
    """F1 of each class that has photos, averaged, as WILDS reports it for iWildCam.

    Chance is the mean over random guesses: F1 has no simple closed form.
    """
    columns = [predictions.labels, predictions.guesses]
    rng = np.random.default_rng(seed)
    chance = np.mean(
        [
            _value(
                [predictions.labels, rng.integers(predictions.classes, size=len(columns[0]))],
                _mean_f1,
            )
            for _ in range(_RANDOM_RUNS)
        ]
    )
    count = len(predictions.labels)
    return _figure("macro F1", columns, _mean_f1, float(chance), count, resamples, seed)


def worst_group(
    predictions: Predictions, groups: Ints, k: int, *, resamples: int = 1000, seed: int = 0
) -> Figure:
    """Top-k in the group of photos where it is lowest; groups int (n,).

    Chance is the mean over random rankings: the lowest of several shares lies below their mean.
    """
    hits = predictions.ranks <= k
    rng = np.random.default_rng(seed)
    share = min(k, predictions.classes) / predictions.classes
    chance = np.mean(
        [
            _value([groups, rng.random(len(groups)) < share], _least_of_groups)
            for _ in range(_RANDOM_RUNS)
        ]
    )
    # The exact bound of a group that fails altogether, or never, depends on its own size.
    smallest = int(np.unique(groups, return_counts=True)[1].min())
    name = f"worst-group top-{k}"
    columns = [groups, hits]
    return _figure(name, columns, _least_of_groups, float(chance), smallest, resamples, seed)


def _figure(
    name: str,
    columns: Sequence[NDArray[Any]],
    statistic: Statistic,
    chance: float,
    units: int,
    resamples: int,
    seed: int,
) -> Figure:
    cells, counts = _table(columns)
    value = float(statistic(counts[None].astype(float), cells)[0])
    rng = np.random.default_rng(seed)
    total = counts.sum()
    values = [
        statistic(rng.multinomial(total, counts / total, size=size).astype(float), cells)
        for size in _chunks(resamples)
    ]
    return Figure(name, value, *share_interval(value, np.concatenate(values), units), chance)


def _value(columns: Sequence[NDArray[Any]], statistic: Statistic) -> float:
    cells, counts = _table(columns)
    return float(statistic(counts[None].astype(float), cells)[0])


def _table(columns: Sequence[NDArray[Any]]) -> tuple[Ints, Ints]:
    """The distinct rows (u, columns), sorted by the first column, and how often each occurs."""
    rows = np.stack([np.asarray(column, np.int64) for column in columns], axis=1)
    cells, counts = np.unique(rows, axis=0, return_counts=True)
    return cells, counts


def _chunks(total: int) -> list[int]:
    sizes = [_RESAMPLES_AT_ONCE] * (total // _RESAMPLES_AT_ONCE)
    return [*sizes, rest] if (rest := total % _RESAMPLES_AT_ONCE) else sizes


def _share(weights: Floats, cells: Ints) -> Floats:
    return (weights @ cells[:, 0]) / weights.sum(1)


def _group_shares(weights: Floats, cells: Ints) -> Floats:
    """(resamples, groups): the share of hits; NaN where a resample holds nothing of a group."""
    starts = np.unique(cells[:, 0], return_index=True)[1]
    totals = np.add.reduceat(weights, starts, axis=1)
    hits = np.add.reduceat(weights * cells[:, 1], starts, axis=1)
    return np.divide(hits, totals, out=np.full(totals.shape, np.nan), where=totals > 0)


def _mean_of_groups(weights: Floats, cells: Ints) -> Floats:
    return np.nanmean(_group_shares(weights, cells), axis=1)


def _least_of_groups(weights: Floats, cells: Ints) -> Floats:
    return np.nanmin(_group_shares(weights, cells), axis=1)


def _mean_f1(weights: Floats, cells: Ints) -> Floats:
    """F1 = 2 hits / (photos of the class + guesses of it), over the classes that have photos."""
    labels, starts = np.unique(cells[:, 0], return_index=True)
    photos = np.add.reduceat(weights, starts, axis=1)
    hits = np.add.reduceat(weights * (cells[:, 0] == cells[:, 1]), starts, axis=1)
    order = np.argsort(cells[:, 1], kind="stable")
    guessed, starts = np.unique(cells[order, 1], return_index=True)
    guesses = np.zeros_like(photos)
    known = np.isin(guessed, labels)
    places = np.searchsorted(labels, guessed[known])
    guesses[:, places] = np.add.reduceat(weights[:, order], starts, axis=1)[:, known]
    f1 = np.divide(2 * hits, photos + guesses, out=np.full(photos.shape, np.nan), where=photos > 0)
    return np.nanmean(f1, axis=1)
