"""Some of the vectors of an index: those of the photos that a search is limited to."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from index.vectors.vector_lists import VectorLists


Bits = NDArray[np.bool_]


class Chosen:
    """The vectors of `lists` at these positions (n,) in `lists.ids`, which rise: or, of many, a bit
    for each vector that is there.

    What a search needs of them is made when it is first asked for, and kept for the next one.
    """

    def __init__(self, lists: VectorLists, chosen: NDArray[np.int64] | Bits) -> None:
        self.lists, self._chosen = lists, chosen
        self._is_bits = chosen.dtype == np.bool_
        self._count = int(np.count_nonzero(chosen)) if self._is_bits else len(chosen)

    def __len__(self) -> int:
        return self._count

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        return np.flatnonzero(self._chosen) if self._is_bits else self._chosen.astype(np.int64)

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        return self.lists.ids[self.positions]

    @cached_property
    def selector(self) -> Any:
        """What limits FAISS to them."""
        if self._is_bits:
            return self.lists.selector_of_bits(self._chosen.astype(np.bool_, copy=False))
        return self.lists.selector(self.ids)

    @cached_property
    def apart(self) -> VectorLists:
        """These vectors by themselves, in memory: all of them are compared."""
        # Imported here, since lists are searched with this.
        from index.vectors.vector_lists import plain_lists

        rows = self.lists.codes(self.positions)
        return plain_lists([(self.ids, rows)], len(self))
