"""Of the photos in the order of their scores, those that show what was asked for.

A model that is calibrated says for each text how large a cosine must be (see
`photosearch.encoders.calibration`). Scores with penalties are cosines less something, and are
held to the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from photosearch.encoders import Calibration
from photosearch.search.find import Compared, Scored
from photosearch.search.query import Described, Term

# So many are looked at before it is known whether more are needed.
_FIRST = 256


def can_be_judged(terms: Sequence[Term]) -> bool:
    """Whether all that photos should show is said in words; what calibrations are fitted on."""
    wanted = [term for term in terms if term.weight > 0]
    return bool(wanted) and all(isinstance(term.content, Described) for term in wanted)


class Relevant:
    """A ranking cut off after the last photo that shows what is described.

    `beyond` more come after it. `cutoff` is the score that the last one must have; None where there
    are no photos.
    """

    # All of them may be put in another order, however many there are.
    block: int | None = None

    def __init__(self, compared: Compared, calibration: Calibration) -> None:
        size = compared.total()
        self.like = compared.like
        self._found: Scored = []
        self.cutoff: float | None = None
        take = min(size, _FIRST)
        found = compared.first(take)
        if found:
            best = found[0][1]
            assert best is not None
            self.cutoff = cutoff = calibration.cutoff(compared.like, best, size)
            while _score(found) >= cutoff and len(found) == take < size:
                take = min(size, 4 * take)
                found = compared.first(take)
            self._found = [(one, score) for one, score in found if (score or 0.0) >= cutoff]
        self.beyond = size - len(self._found)

    def first(self, count: int) -> Scored:
        return self._found[:count]

    def total(self) -> int:
        return len(self._found)


def _score(found: Scored) -> float:
    score = found[-1][1]
    assert score is not None
    return score
