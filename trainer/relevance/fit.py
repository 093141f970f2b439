"""Fits a calibration: the log likelihood ratio on some queries, and its cut-offs on others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders.calibration import PHOTOS, Calibration, background_fit
from trainer.relevance.asked import Asked
from trainer.relevance.measure import Firsts, best_scores, found_by, mean_f1

Floats = NDArray[np.float64]

# Photos that do not show it outweigh those that do, as in any library: the cosines that matter are
# the large ones among them.
_OUTWEIGH = 20.0
_STEPS = 50
# Photos among which the floor is measured.
SIZES = (20, 500)
GAPS = np.arange(0.04, 0.305, 0.01)
_SLACKS = np.arange(0.0, 4.1, 0.5)
_GALLERY = 150


def fit_ratio(sets: Sequence[Asked], background: NDArray[np.float32], scale: float) -> Calibration:
    """The likelihood ratio by weighted logistic regression; floor and gap are still open.

    Each query counts as much as any other of its set, and each set as much as another, however
    many photos answer it.

    Raises `ValueError` when the queries do not determine it.
    """
    parts = []
    for asked in sets:
        usual = background_fit(asked.texts, background, scale)
        sure = ~asked.unsure
        per_query = asked.shown.sum(1, keepdims=True), (~asked.shown & sure).sum(1, keepdims=True)
        weights = np.where(
            asked.shown, 1 / np.maximum(per_query[0], 1), _OUTWEIGH / np.maximum(per_query[1], 1)
        )
        parts.append(
            (
                asked.cosines[sure],
                np.broadcast_to(usual[:, None], sure.shape)[sure],
                asked.shown[sure],
                weights[sure] / len(asked.texts),
            )
        )
    cosines, usual, shown, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    columns = np.stack([np.ones(len(cosines)), cosines, usual], axis=1)
    constant, slope, weight = _logistic(columns, shown.astype(float), weights)
    if not slope > 0:
        raise ValueError("photos that show it have no larger cosines than others; nothing to fit")
    # A ratio of 1 is where both kinds are as likely, so what they were weighted with goes.
    offset = constant + math.log(_OUTWEIGH)
    return Calibration(
        background, scale, slope, -weight, offset, floor=0.0, growth=0.0, sizes=SIZES, gap=np.inf
    )


def with_cutoffs(fitted: Calibration, sets: Sequence[Asked], *, lost: float) -> Calibration:
    """With floors that cost `lost` of the right answers, and the best gap.

    A right answer is lost when it is the best photo, and lies below the floor. That is measured
    among few photos and among many, since the best wrong one lies higher among many.

    Gap and slack are those of the largest mean F1, over the sets in which several photos may
    answer, among those that leave right answers where they are: of queries that one photo answers,
    and that is among the first ten of a small library, they hide no more than `lost`.
    """
    floors = []
    for size in SIZES:
        levels = []
        for asked in sets:
            ratios = fitted.log_ratio(asked.texts, asked.cosines)
            there, gone = best_scores(asked, ratios, gallery=size)
            levels.append(there[there > gone])
        floors.append(level_below(levels, lost))
    few, many = SIZES
    growth = max(0.0, (floors[1] - floors[0]) / math.log(many / few))
    floor = float(np.mean(floors)) + growth * math.log(PHOTOS / math.sqrt(few * many))
    fitted = replace(fitted, floor=floor, growth=growth)
    several = [asked for asked in sets if asked.shown.sum(1).max() > 1]

    single = [asked for asked in sets if asked.shown.sum(1).max() == 1]
    firsts = [Firsts.of(asked, fitted, gallery=_GALLERY) for asked in single or sets]

    def quality(tried: Calibration) -> float:
        return float(np.mean([mean_f1(asked, found_by(asked, tried)) for asked in several]))

    tried = [
        replace(fitted, gap=round(float(gap), 2), slack=float(slack))
        for gap in GAPS
        for slack in _SLACKS
    ]
    shares = [min(part.kept(one) for part in firsts) for one in tried]
    enough = min(1 - lost, max(shares))
    allowed = [one for one, share in zip(tried, shares, strict=True) if share >= enough]
    return max(allowed, key=quality)


def _logistic(columns: Floats, outcome: Floats, weights: Floats) -> tuple[float, float, float]:
    """The coefficients of a weighted logistic regression, by Newton's method."""
    weights = weights / weights.sum()
    found = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-columns @ found))
        gradient = columns.T @ (weights * (outcome - chance))
        curvature = (columns * (weights * chance * (1 - chance))[:, None]).T @ columns
        # A trace of ridge keeps a column that says nothing from ending it.
        step = np.linalg.solve(curvature + 1e-9 * np.eye(len(found)), gradient)
        # From a bad start a whole step can overshoot.
        step *= min(1.0, 10.0 / max(float(np.abs(step).max()), 1e-12))
        found = found + step
        if np.abs(step).max() < 1e-8:
            break
    constant, slope, weight = map(float, found)
    return constant, slope, weight


def level_below(levels: Sequence[Floats], share: float) -> float:
    """The level below which that share of all lie, where each of `levels` counts as much.

    Raises `ValueError` when one of them is empty.
    """
    if not all(map(len, levels)):
        raise ValueError("no query is answered rightly, so no cut-off can be set")
    values = np.concatenate(levels)
    weights = np.concatenate([np.full(len(level), 1 / len(level)) for level in levels])
    order = np.argsort(values)
    passed = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(passed, share)])
