"""A first look at a large library: short codes of all vectors, which are compared in their place.

A code has four bits for every two numbers of what a vector has beside the centre of its cluster
(product quantisation), and FAISS compares 32 of them at a time in registers of the processor
(Andre, Kermarrec, Le Scouarnec, "Quicker ADC", 2019; `IndexIVFPQFastScan`). So many clusters can be
looked through that a filter costs nothing, with an eighth of the memory. What seems nearest is
compared once more by its own vector, and only that score is given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.vectors.faiss_library import faiss_library

# Numbers that one part of a code stands for.
_NUMBERS = 2
# The share of the clusters that is looked through: of all photos, and of those of a filter, whose
# nearest ones lie farther away.
_SHARE, _CHOSEN_SHARE = 16, 8
# So many are compared once more, for the best k.
_AGAIN, _AGAIN_EACH = 1000, 4


def empty_look(quantizer: Any, sample: NDArray[np.float32]) -> Any | None:
    """An index of codes in the clusters of `quantizer`, learned from `sample` (n, d).

    None for vectors of a width for which there are no such codes.
    """
    width = sample.shape[1]
    if width % _NUMBERS:
        return None
    faiss = faiss_library()
    index = faiss.IndexIVFPQFastScan(
        quantizer, width, quantizer.ntotal, width // _NUMBERS, 4, faiss.METRIC_INNER_PRODUCT
    )
    index.by_residual = True
    index.train(sample)
    return index


def places_in(look: Any, ids: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """In which list each of `ids` (n,), which rise, is (n,), and how many each list has."""
    faiss = faiss_library()
    places = np.empty(len(ids), np.int32)
    sizes = np.zeros(int(look.nlist), np.int64)
    for number in range(int(look.nlist)):
        sizes[number] = look.invlists.list_size(number)
        if sizes[number]:
            held = faiss.rev_swig_ptr(look.invlists.get_ids(number), int(sizes[number]))
            places[np.searchsorted(ids, held)] = number
    return places, sizes


def again(k: int) -> int:
    """How many to compare by their own vectors for the best `k`."""
    return _AGAIN + _AGAIN_EACH * k


def nearest(
    look: Any, row: NDArray[np.float32], count: int, selector: Any = None
) -> NDArray[np.int64]:
    """Ids of the `count` vectors, or fewer, that seem nearest to `row` (1, d), in no order."""
    faiss = faiss_library()
    share = _SHARE if selector is None else _CHOSEN_SHARE
    parameters = faiss.SearchParametersIVF(nprobe=max(1, int(look.nlist) // share))
    if selector is not None:
        parameters.sel = selector
    _, ids = look.search(row, count, params=parameters)
    found: NDArray[np.int64] = ids[0, ids[0] >= 0]
    return found
