"""From the verdicts of a library to a layer for the model that answers, switched on if it helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index import Catalogue, FaissIndex, Verdict
from photosearch.encoders import Encoder
from photosearch.search.compose import SAMPLE
from photosearch.search.everyday import EVERYDAY
from photosearch.search.layer import Layer
from photosearch.search.searcher import Searcher
from photosearch.tuning.fit import Floats, Ground, Marked, Vectors, fit, unseen

# Fewer marks cannot tell whether they help.
FEWEST = 6
# Of more the last are taken: each query takes 4 kB of the catalogue.
_MOST = 1000
# Photos of a search that are compared before and after.
_FIRST = 20
# Where fewer of them stay in searches for everyday things, marks say too much of others.
_KEPT = 0.9
# By how many standard errors marks must hold better: with marks at random one time in twenty.
SURE = 1.64
# Without a calibration: how many standard deviations above what is usual a photo must lie, where
# nothing else is known.
_ABOVE = 2.0


@dataclass(frozen=True)
class Tuned:
    """What came of the marks of a library.

    marks: those of photos that `model` has encoded, and of how many `queries`. told_before,
    told_after: shares of the marks that hold, by the model alone and by a layer that was learned
    without them: what is right is found, what is wrong is not, and either counts half. error: the
    standard error of what lies between them. kept: of the first photos of searches for everyday
    things, the share that stays. on: whether it is switched on now; `reason` says why it helps or
    does not.
    """

    model: str
    marks: int
    queries: int
    told_before: float
    told_after: float
    error: float
    kept: float
    helps: bool
    on: bool
    reason: str


def tune(catalogue: Catalogue, searcher: Searcher, encoder: Encoder, *, dry_run: bool) -> Tuned:
    """See `Feedback.tune`."""
    model = encoder.bundle_id
    verdicts, marks, ground = _marked(catalogue, searcher, encoder)
    queries = len({one.query for one in verdicts})
    if len(marks) < FEWEST:
        reason = f"{len(marks)} marks are too few to tell whether they help; it takes {FEWEST}"
        found = _nothing(model, len(marks), queries, reason)
    elif marks.right.all() or not marks.right.any():
        side = "wrong" if marks.right.all() else "right"
        reason = f"nothing is marked as {side} yet, and it takes both"
        found = _nothing(model, len(marks), queries, reason)
    else:
        layer = fit(marks, ground)
        kept = _kept(catalogue, encoder, layer)
        found = _judged(model, marks, queries, ground, kept)
        if not dry_run and found.helps:
            catalogue.verdicts.put_layer(model, layer.to_bytes(), len(marks))
    if not dry_run and not found.helps:
        # What was learned from other marks is out of date.
        catalogue.verdicts.drop_layer(model)
    on = catalogue.verdicts.layer(model) is not None
    return replace(found, on=on)


def _nothing(model: str, marks: int, queries: int, reason: str) -> Tuned:
    return Tuned(model, marks, queries, 0.0, 0.0, 0.0, 1.0, False, False, reason)


def _marked(
    catalogue: Catalogue, searcher: Searcher, encoder: Encoder
) -> tuple[Sequence[Verdict], Marked, Ground]:
    """The verdicts on photos that the model has encoded, as marks."""
    verdicts = catalogue.verdicts.all()[-_MOST:]
    named = [one.photo_id for one in verdicts]
    ids, vectors = catalogue.selection.vectors(encoder.bundle_id, named)
    rows = {int(photo): row for row, photo in enumerate(ids)}
    verdicts = [one for one in verdicts if one.photo_id in rows]
    photos = np.zeros((len(verdicts), encoder.dim), np.float32)
    for at, one in enumerate(verdicts):
        vector = vectors[rows[one.photo_id]].astype(np.float32)
        photos[at] = vector / max(float(np.linalg.norm(vector)), 1e-12)
    each = {one.query.casefold(): one for one in verdicts}
    read = dict(zip(each, searcher.read(list(each.values())), strict=True))
    queries = np.zeros_like(photos)
    for at, one in enumerate(verdicts):
        queries[at] = read[one.query.casefold()]
    sample = _sample(catalogue, encoder)
    usual = encoder.encode_texts(list(EVERYDAY)).mean(0)
    common = sample.mean(0) if len(sample) else np.zeros(encoder.dim, np.float32)
    right = np.array([one.fits for one in verdicts], bool)
    slope, needed = _needed(catalogue, encoder, queries, photos, right, sample)
    return verdicts, Marked(queries, photos, right, needed), Ground(usual, common, slope)


def _sample(catalogue: Catalogue, encoder: Encoder) -> Vectors:
    """Vectors (n, d) of photos that are spread over the library."""
    ids = catalogue.selection.ids(())
    chosen = ids[:: -(-len(ids) // SAMPLE) or 1]
    _, vectors = catalogue.selection.vectors(encoder.bundle_id, chosen.tolist())
    return np.asarray(vectors, np.float32).reshape(-1, encoder.dim)


def _needed(
    catalogue: Catalogue,
    encoder: Encoder,
    queries: Vectors,
    photos: Vectors,
    right: NDArray[np.bool_],
    sample: Vectors,
) -> tuple[float, Floats]:
    """Log odds for a cosine of 1 more, and the cosine that a photo must have, for each mark."""
    known = encoder.calibration
    if known is not None:
        among = max(1, len(FaissIndex.open(catalogue, encoder.bundle_id)))
        least = [known.lowest(known.least(one, among)) for one in queries]
        return known.slope, np.array(least, np.float64)
    if not len(sample) or not len(queries):
        return 1.0, np.zeros(len(queries))
    # The model draws no line, so it lies between what is right and what is wrong, where both are
    # marked, and else above what is usual.
    usual = (queries @ sample.T).astype(np.float64)
    spread = max(float(usual.std(1).mean()), 1e-3)
    needed = usual.mean(1) + _ABOVE * spread
    cosines = np.einsum("md,md->m", queries, photos)
    for query in np.unique(queries, axis=0):
        own = (queries == query).all(1)
        sides = [cosines[own & side] for side in (right, ~right)]
        if all(map(len, sides)):
            needed[own] = np.mean([side.mean() for side in sides])
    return 1 / spread, needed


def _judged(model: str, marks: Marked, queries: int, ground: Ground, kept: float) -> Tuned:
    before, after, gain, error = told(marks, ground)
    helps, reason = True, "marks that it had not seen hold more often with it"
    if gain <= SURE * error:
        helps, reason = False, "marks that it had not seen do not surely hold more often with it"
    elif kept < _KEPT:
        helps, reason = False, f"it changes other searches: {1 - kept:.0%} of their first photos"
    return Tuned(model, len(marks), queries, before, after, error, kept, helps, False, reason)


def told(marks: Marked, ground: Ground) -> tuple[float, float, float, float]:
    """The shares of the marks that hold without a layer, and with one that has not seen them; what
    lies between the two, and its standard error.

    What is right and what is wrong counts half each, or who marks much as wrong would be served by
    finding nothing.
    """
    before, after = marks.odds(ground.slope), np.empty(len(marks))
    for rows, layer in unseen(marks, ground):
        after[rows] = odds_by(layer, marks.take(rows), ground.slope)
    sides = [marks.right, ~marks.right]
    held = [[(odds[side] >= 0) == marks.right[side] for side in sides] for odds in (before, after)]
    shares = [float(np.mean([part.mean() for part in each])) for each in held]
    gains = [new.astype(float) - old for old, new in zip(*held, strict=True)]
    error = float(np.sqrt(sum(part.var() / len(part) for part in gains))) / 2
    return shares[0], shares[1], shares[1] - shares[0], error


def odds_by(layer: Layer, marks: Marked, slope: float) -> Floats:
    """The log odds (m,) that each photo is found by its query, with a layer."""
    cosines = np.einsum("md,md->m", layer.adapt(marks.queries), marks.photos)
    return np.asarray(slope * (cosines - layer.lines(marks.queries, marks.needed)), np.float64)


def _kept(catalogue: Catalogue, encoder: Encoder, layer: Layer) -> float:
    """Of the first photos for everyday things, the share that a layer leaves among them."""
    vectors = FaissIndex.open(catalogue, encoder.bundle_id)
    texts = encoder.encode_texts(list(EVERYDAY))
    before, after = (vectors.search(one, _FIRST)[1] for one in (texts, layer.adapt(texts)))
    shares = [np.isin(old, new).mean() for old, new in zip(before, after, strict=True)]
    return float(np.mean(shares))
