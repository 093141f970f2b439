"""Some of the vectors of an index: those of the photos that a search is limited to."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from index.vectors.vector_lists import VectorLists


class Chosen:
    """The vectors at `positions` (n,), which rise, of `lists.ids`.

    What a search needs of them is made when it is first asked for, and kept for the next one.
    """

    def __init__(self, lists: VectorLists, positions: NDArray[np.int64]) -> None:
        self.lists, self.positions = lists, positions

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        return self.lists.ids[self.positions]

    @cached_property
    def selector(self) -> Any:
        """What limits FAISS to them."""
        return self.lists.selector(self.ids)

    @cached_property
    def apart(self) -> VectorLists:
        """These vectors by themselves, in memory: all of them are compared."""
        # Imported here, since lists are searched with this.
        from index.vectors.vector_lists import plain_lists

        rows = self.lists.codes(self.positions)
        return plain_lists([(self.ids, rows)], len(self))
