"""Vectors that lie in clusters, and what the nearest of a catalogue's are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from catalogue_data import BUNDLE, new_photos, unit_vectors
from numpy.typing import NDArray

from index import Catalogue, FaissIndex

WIDTH, SUBJECTS = 32, 60
# Photos of a library that a test takes for one to be clustered.
COUNT = 6000


def make_library(folder: Path) -> Path:
    """Of `COUNT` photos, a ninth of them missing, with the file of vectors."""
    with Catalogue.open(folder) as catalogue:
        catalogue.record(BUNDLE, new_photos(COUNT), like_photos(COUNT, seed=1))
        catalogue.mark_missing([f"/photos/{number:05d}.jpg" for number in range(0, COUNT, 9)])
        assert FaissIndex.refresh(catalogue, BUNDLE, like_texts)
    return folder


def like_photos(count: int, *, seed: int, subjects: int = 0) -> NDArray[np.float32]:
    """Unit vectors around a few directions, as photos of the same things have."""
    directions = unit_vectors(SUBJECTS, WIDTH, seed=subjects)
    random = np.random.default_rng(seed)
    rows = directions[random.integers(SUBJECTS, size=count)]
    rows = rows + random.standard_normal((count, WIDTH)) * 0.5 / np.sqrt(WIDTH)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def like_texts() -> NDArray[np.float32]:
    """Farther from all photos than these are from one another."""
    rows = like_photos(50, seed=5) + unit_vectors(1, WIDTH, seed=99)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def nearest(
    catalogue: Catalogue, queries: NDArray[np.float32], k: int, among: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    ids, rows = catalogue.embeddings(BUNDLE)
    if among is not None:
        kept = np.isin(ids, among)
        ids, rows = ids[kept], rows[kept]
    order = np.argsort(-(queries @ rows.astype(np.float32).T), axis=1, kind="stable")
    return ids[order[:, :k]]


def recall(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    return float(np.mean([np.isin(b, a).mean() for a, b in zip(found, truth, strict=True)]))
