"""What marks of right and wrong photos are worth: simulated by captions that people wrote.

Somebody searches for some things, and marks a few of the first photos by what their captions say.
Measured is what is found then among the photos that were not marked: by the marked queries, by the
same in other words, and by all others; and whether it would have been switched on. The same is
done with the marks dealt out anew among these photos, which must not be switched on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import markdown_table
from photosearch.encoders import Calibration, open_encoder
from photosearch.search.everyday import EVERYDAY
from photosearch.search.layer import Layer
from photosearch.tuning.fit import Ground, Marked, fit
from photosearch.tuning.run import SURE, told
from trainer.relevance.asked import Asked, encode_photos, named_things

# Photos that are looked at before some are marked.
_SEEN = 20
_KINDS = ("the marked queries", "the same in other words", "all other queries")


@dataclass(frozen=True)
class Marks:
    """How many queries are marked, with up to how many right photos each, and wrong ones."""

    queries: int
    each: int


@dataclass(frozen=True)
class Gained:
    """Average precision and F1 of what is found, (kinds, before and after): means over queries."""

    precision: NDArray[np.float64]
    f1: NDArray[np.float64]
    on: bool
    marks: int


def run(bundle: Path, captioned: Sequence[Path], *, trials: int = 20) -> None:
    """Print the table."""
    encoder = open_encoder(bundle)
    if encoder.calibration is None:
        raise SystemExit(f"{bundle}: has no calibration, so it cannot be told what is found")
    photos = encode_photos(encoder, captioned, progress=True)
    asked = named_things(encoder, photos), named_things(encoder, photos, phrase=str)
    usual = encoder.encode_texts(list(EVERYDAY)).mean(0)
    rows = []
    for marks in (Marks(3, 3), Marks(6, 3), Marks(10, 6)):
        for shuffled in (False, True):
            found = [
                trial(encoder.calibration, asked, usual, marks, seed, shuffled=shuffled)
                for seed in range(trials)
            ]
            rows.append(_row(found, shuffled=shuffled))
    head = ("marks", "switched on", *(f"{what}: AP, F1" for what in _KINDS))
    print(f"{encoder.bundle_id}, {len(photos):,} photos\n\n{markdown_table(head, rows)}")


def trial(
    known: Calibration,
    asked: tuple[Asked, Asked],
    usual: NDArray[np.float32],
    wanted: Marks,
    seed: int,
    *,
    shuffled: bool,
) -> Gained:
    """One person's marks, and what they bring. `asked` are things, and the same in other words."""
    random, things = np.random.default_rng(seed), asked[0]
    ground = Ground(usual, things.images.mean(0), known.slope)
    chosen = random.choice(len(things.texts), wanted.queries, replace=False)
    marked: dict[int, list[int]] = {}
    rows: list[tuple[int, int, bool]] = []
    for query in chosen:
        first = np.argsort(-(things.images @ things.texts[query]))[:_SEEN]
        first = first[~things.unsure[query, first]]
        for side in (True, False):
            photos = random.permutation(first[things.shown[query, first] == side])[: wanted.each]
            rows += [(query, photo, side) for photo in photos]
            marked.setdefault(int(query), []).extend(photos)
    queries, photos, right = (np.array(column) for column in zip(*rows, strict=True))
    texts, size = things.texts[queries], len(things.images)
    needed = np.array([known.lowest(known.least(text, size)) for text in texts])
    sides = random.permutation(right) if shuffled else right
    marks = Marked(texts, things.images[photos], sides, needed)
    layer = fit(marks, ground)
    gain, error = told(marks, ground)[2:]
    others = [query for query in range(len(things.texts)) if query not in marked]
    groups = ((things, chosen), (asked[1], chosen), (things, others))
    values = np.array(
        [
            np.mean([_found(known, one, query, marked.get(query, []), layer) for query in which], 0)
            for one, which in groups
        ]
    )
    return Gained(values[:, 0], values[:, 1], gain > SURE * error, len(marks))


def _found(
    known: Calibration, asked: Asked, query: int, marked: Sequence[int], layer: Layer
) -> NDArray[np.float64]:
    """Average precision and F1, before and after: (2, 2)."""
    counts = ~asked.unsure[query]
    counts[list(marked)] = False
    text, shown = asked.texts[query][None], asked.shown[query][counts]
    line = np.array([known.least(text[0], len(asked.images))])
    values = []
    for vector, least in ((text, line), (layer.adapt(text), layer.lines(text, line))):
        cosines = asked.images @ vector[0]
        cutoff = known.held_to(float(least[0]), float(cosines.max()))
        found = cosines[counts] >= cutoff
        right = shown[np.argsort(-cosines[counts], kind="stable")]
        precision = np.cumsum(right)[right] / (np.flatnonzero(right) + 1)
        hits = 2 * (found & shown).sum() / max(1, found.sum() + shown.sum())
        values.append((precision.mean() if len(precision) else 0.0, hits))
    return np.array(values).T


def _row(found: Sequence[Gained], *, shuffled: bool) -> tuple[str, ...]:
    marks = f"{np.mean([one.marks for one in found]):.0f}{' at random' if shuffled else ''}"
    cells = []
    for kind in range(len(_KINDS)):
        each = [np.mean([values[kind] for values in measure], 0) for measure in _measures(found)]
        cells.append(", ".join(f"{old:.3f} {new - old:+.3f}" for old, new in each))
    return marks, f"{np.mean([one.on for one in found]):.0%}", *cells


def _measures(found: Sequence[Gained]) -> tuple[list[NDArray[np.float64]], ...]:
    return [one.precision for one in found], [one.f1 for one in found]
