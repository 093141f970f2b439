"""Of the photos in the order of their scores, those that show what was asked for.

A model that is calibrated says for each text how large a cosine must be (see
`photosearch.encoders.calibration`). Scores with penalties are cosines less something, and are
held to the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders import Calibration
from photosearch.search.find import Compared, Scored, scored
from photosearch.search.query import Described, Term


def can_be_judged(terms: Sequence[Term]) -> bool:
    """Whether all that photos should show is said in words; what calibrations are fitted on."""
    wanted = [term for term in terms if term.weight > 0]
    return bool(wanted) and all(isinstance(term.content, Described) for term in wanted)


class Relevant:
    """A ranking cut off after the last photo that shows what is described.

    `beyond` more come after it. `cutoff` is the score that the last one must have; None where there
    are no photos. `least` is what the best must have, where that is known
    otherwise than by the calibration.
    """

    # All of them may be put in another order, however many there are.
    block: int | None = None

    def __init__(
        self, compared: Compared, calibration: Calibration, least: float | None = None
    ) -> None:
        size = compared.total()
        self.like = compared.like
        self.cutoff: float | None = None
        self._scores, self._ids = np.empty(0, np.float32), np.empty(0, np.int64)
        if size:
            if least is None:
                least = calibration.least(compared.like, size)
            scores, ids = compared.within(calibration.lowest(least), calibration.gap)
            self.cutoff = calibration.held_to(least, float(scores[0])) if len(ids) else least
            count = int((scores.astype(np.float64) >= self.cutoff).sum())
            self._scores, self._ids = scores[:count], ids[:count]
        self.beyond = size - len(self._ids)

    def best(self, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores and ids of the first so many photos, or of all there are."""
        return self._scores[:count], self._ids[:count]

    def first(self, count: int) -> Scored:
        return scored(*self.best(count))

    @property
    def ids(self) -> NDArray[np.int64]:
        """All of them."""
        return self._ids

    def total(self) -> int:
        return len(self._ids)
