"""Where each vector of an index stands in its lists, and what its numbers are."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.vectors.faiss_library import faiss_library
from index.vectors.opened_file import OpenedFile

_ID = np.dtype("<i8")


class Stored:
    """The vectors of `index`, those of the rising `ids`, in memory or in the `file` it refers to.

    `is_dense` tells whether no id is left out between the first and the last.
    """

    def __init__(
        self, index: Any, ids: NDArray[np.int64], file: OpenedFile | None, *, is_dense: bool
    ) -> None:
        self._index, self._ids, self._file = index, ids, file
        self._is_dense = is_dense

    def codes(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """The vectors (n, d) of `ids[positions]`, in the numbers that are kept.

        Raises `CatalogueError` where they cannot be read.
        """
        row, width = int(self._index.code_size), int(self._index.d)
        lists, places = (part[positions] for part in self._places)
        if self._file is not None:
            starts = self._starts[lists] + places.astype(np.int64) * row
            taken = self._file.rows(starts, row)
            found: NDArray[np.float16] = taken.view(np.float16).reshape(-1, width)
            return found
        rows = np.empty((len(positions), width), np.float16)
        order = np.argsort(lists, kind="stable")
        ends = np.flatnonzero(np.diff(lists[order])) + 1
        for chosen in np.split(order, ends):
            if len(chosen):
                number = int(lists[chosen[0]])
                size = self._index.invlists.list_size(number) * row
                codes = faiss_library().rev_swig_ptr(self._index.invlists.get_codes(number), size)
                rows[chosen] = codes.view(np.float16).reshape(-1, width)[places[chosen]]
        return rows

    @cached_property
    def _places(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """In which list each of the ids is, and where in it."""
        lists = np.empty(len(self._ids), np.int32)
        places = np.empty(len(self._ids), np.int32)
        for number in range(self._index.nlist):
            held = self._ids_in(number)
            if len(held):
                rows = held - self._ids[0] if self._is_dense else np.searchsorted(self._ids, held)
                lists[rows] = number
                places[rows] = np.arange(len(held))
        return lists, places

    def _ids_in(self, number: int) -> NDArray[np.int64]:
        """The ids in a list, in its order."""
        size = int(self._index.invlists.list_size(number))
        if self._file is None:
            at = self._index.invlists.get_ids(number)
            return faiss_library().rev_swig_ptr(at, size) if size else np.empty(0, np.int64)
        # In the file they stand behind the vectors of the list.
        start = int(self._starts[number]) + size * int(self._index.code_size)
        return np.frombuffer(self._file.read(start, size * _ID.itemsize), _ID)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """Where in the file the vectors of each list begin; 0 of one that has none."""
        assert self._file is not None
        inside, base = self._index.invlists, self._file.content.ctypes.data
        sizes = [inside.list_size(number) for number in range(int(self._index.nlist))]
        starts = [
            int(inside.get_codes(number)) - base if size else 0 for number, size in enumerate(sizes)
        ]
        return np.array(starts, np.int64)
