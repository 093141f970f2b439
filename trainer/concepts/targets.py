"""Which photos show which concept, from their labels and captions.

Where a word of a concept stands in a photo's label or captions without all of it, the photo may
show it or not, and is left out for that concept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.concepts.names import Names

# What captions name in so many photos has been learned from them, and better.
_KNOWN = 40


@dataclass(frozen=True)
class Targets:
    """rows: which photos say something, (n,). shown, sure: (n, K), whether a photo shows a concept,
    and whether that is known."""

    names: list[str]
    rows: NDArray[np.int64]
    shown: NDArray[np.bool_]
    sure: NDArray[np.bool_]


def targets(metas: Sequence[Mapping[str, Any]], names: Names, *, least: int = 8) -> Targets:
    """The concepts that `least` photos are labelled with, but for those that captions teach.

    Raises `ValueError` when there are none.
    """
    said: list[tuple[int, list[str] | None, frozenset[str]]] = []
    for row, meta in enumerate(metas):
        captions = meta.get("captions")
        if captions:
            said.append((row, None, frozenset(w for text in captions for w in words(text))))
        elif (shown := names.of(meta)) is not None:
            own = shown or [str(meta.get("label", ""))]
            said.append((row, shown, frozenset(w for name in own for w in words(name))))
    counts = Counter(name for _, shown, _ in said for name in set(shown or ()))
    captioned = [found for _, shown, found in said if shown is None]
    chosen = [
        name
        for name, count in sorted(counts.items())
        if count >= least and sum(words(name) <= found for found in captioned) < _KNOWN
    ]
    if not chosen:
        raise ValueError(f"no label is that of {least} photos and unknown to the captions")
    parts = [words(name) for name in chosen]
    shown_table = np.zeros((len(said), len(chosen)), bool)
    sure = np.ones_like(shown_table)
    for number, (_, shown, found) in enumerate(said):
        for column, (name, part) in enumerate(zip(chosen, parts, strict=True)):
            shows = part <= found if shown is None else name in shown
            shown_table[number, column] = shows
            sure[number, column] = shows or not part & found
    return Targets(chosen, np.array([row for row, _, _ in said]), shown_table, sure)


def words(text: str) -> frozenset[str]:
    """The words of `text`, in small letters and the singular."""
    return frozenset(map(_singular, re.findall("[a-z]+", text.lower())))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word[:-1]
    return word
