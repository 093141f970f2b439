"""How much work is gathered before it is recorded: so much that a kill costs little."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

# Photos encoded at once by a network that is quick enough.
BATCH = 16
# What is decoded waits no longer for its batch, and the batch is encoded in no more. The decoders
# are asked once a second, so a kill costs less than two seconds of work.
COMMIT_SECONDS = 0.8


class Pace:
    """Tells when the photos gathered are to be encoded and recorded.

    The first is taken alone, since nothing is known yet of how long this network takes. Then they
    are `most`, or as many as take no more than `seconds`.
    """

    def __init__(self, most: int = BATCH, seconds: float | None = None) -> None:
        self._most = most
        self._seconds = COMMIT_SECONDS if seconds is None else seconds
        self._size = 1
        self.start()

    def start(self) -> None:
        """Nothing is gathered yet."""
        self._since = time.monotonic()

    def is_due(self, gathered: int) -> bool:
        """Whether it is time to record, with so many gathered; never with none."""
        late = time.monotonic() - self._since >= self._seconds
        return gathered >= self._size or (gathered > 0 and late)

    @contextmanager
    def recording(self, count: int) -> Iterator[None]:
        """Around encoding and recording `count` photos, which tells how many may come next."""
        begun = time.monotonic()
        yield
        self._since = time.monotonic()
        each = (self._since - begun) / count
        fits = each * self._most <= self._seconds
        self._size = self._most if fits else max(1, int(self._seconds / each))


def for_a_while(paths: deque[str]) -> Iterator[str]:
    """Take paths from the left, at least one, until it is time to record what becomes of them."""
    end = time.monotonic() + COMMIT_SECONDS
    while paths:
        yield paths.popleft()
        if time.monotonic() >= end:
            return
