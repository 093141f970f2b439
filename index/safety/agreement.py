"""Whether a file of vectors says what the catalogue says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from index.vectors.faiss_library import faiss_library
from index.vectors.vector_file import read_vectors
from index.vectors.vector_lists import VectorLists
from index.vectors.vectors import FOLDER, vector_file

if TYPE_CHECKING:
    from index.catalogue.catalogue import Catalogue

# `behind`: of a state that the catalogue does not know, so that it is not used. `wrong`: used, and
# not what the catalogue holds.
FileState = Literal["missing", "damaged", "behind", "wrong", "sound"]


def file_state(catalogue: Catalogue, bundle_id: str) -> FileState:
    """What is to be said of the file that holds `bundle_id`'s vectors; every byte of it is read."""
    path = vector_file(catalogue, bundle_id)
    with catalogue.snapshot():
        if not path.exists():
            return "missing"
        loaded = read_vectors(path, whole=True)
        if loaded is None:
            return "damaged"
        lists, stamp = loaded
        changed = catalogue.changed_since(stamp.generation, stamp.revision)
        if changed is None:
            return "behind"
        return "sound" if _agrees(catalogue, bundle_id, lists, changed) else "wrong"


def stray_files(catalogue: Catalogue) -> list[Path]:
    """Files of vectors of bundles that embedded nothing here, and what killed processes left."""
    expected = {vector_file(catalogue, bundle_id) for bundle_id in catalogue.bundle_ids()}
    folder = catalogue.folder / FOLDER
    return sorted({*folder.glob("*.faiss"), *folder.glob(".*.part")} - expected)


def _agrees(
    catalogue: Catalogue, bundle_id: str, lists: VectorLists, changed: NDArray[np.int64]
) -> bool:
    """Whether the photos that have not changed have the vectors in `lists` that they should."""
    codes = _Codes(lists)
    left = len(lists.ids) - len(lists.positions(changed))
    for ids, vectors in catalogue.embedding_batches(bundle_id):
        same = ~np.isin(ids, changed)
        held = codes.of(ids[same])
        if held is None or held.shape[1] != vectors.shape[1] or (held != vectors[same]).any():
            return False
        left -= len(held)
    return left == 0


class _Codes:
    """The vectors in FAISS's lists, by id."""

    def __init__(self, lists: VectorLists) -> None:
        faiss = faiss_library()
        inside = lists.index.invlists
        self._width = lists.width
        self._lists: list[NDArray[np.float16]] = []
        ids, places, offsets = [], [], []
        for number in range(lists.index.nlist):
            size = int(inside.list_size(number))
            self._lists.append(np.empty((0, self._width), np.float16))
            if not size:
                continue
            codes = faiss.rev_swig_ptr(inside.get_codes(number), size * lists.index.code_size)
            self._lists[number] = codes.view(np.float16).reshape(size, -1)
            ids.append(faiss.rev_swig_ptr(inside.get_ids(number), size).copy())
            places.append(np.full(size, number))
            offsets.append(np.arange(size))
        joined = np.concatenate(ids) if ids else np.empty(0, np.int64)
        order = np.argsort(joined)
        self._ids = joined[order]
        self._places = np.concatenate(places)[order] if ids else joined
        self._offsets = np.concatenate(offsets)[order] if ids else joined

    def of(self, ids: NDArray[np.int64]) -> NDArray[np.float16] | None:
        """The vectors of `ids`; None when one is not there."""
        at = np.searchsorted(self._ids, ids)
        if (at >= len(self._ids)).any() or (self._ids[at] != ids).any():
            return None
        found = np.empty((len(ids), self._width), np.float16)
        for number in np.unique(self._places[at]):
            here = self._places[at] == number
            found[here] = self._lists[number][self._offsets[at[here]]]
        return found
