"""The order in which an epoch shows photos: as if shuffled, and never all in memory.

A shuffled list of 1.28 billion numbers is 10 GB in each worker. Here the photo at a place is
computed from the place alone, by a cipher whose blocks are the numbers below n: a Feistel network
(alternately of the upper bits with a hash of the lower ones, and the other way round) permutes the
numbers of as many bits as n has, and one that comes out above n goes through it again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 8
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MORE = np.uint64(0xD6E8FEB86659FD93)


def scattered(places: NDArray[np.int64], count: int, key: tuple[int, ...]) -> NDArray[np.int64]:
    """A permutation of the numbers below `count`, at `places`: a function of `key` alone."""
    bits = max(2, (count - 1).bit_length())
    low = np.uint64(bits // 2)
    low_mask = np.uint64((1 << bits // 2) - 1)
    high_mask = np.uint64((1 << (bits - bits // 2)) - 1)
    rounds = np.random.SeedSequence(key).generate_state(_ROUNDS, np.uint64)
    found = places.astype(np.uint64)
    open_ = np.ones(len(found), bool)
    while open_.any():
        upper, lower = found[open_] >> low, found[open_] & low_mask
        for number, salt in enumerate(rounds):
            if number % 2:
                lower ^= _hash(upper, salt) & low_mask
            else:
                upper ^= _hash(lower, salt) & high_mask
        found[open_] = (upper << low) | lower
        open_ = found >= count
    return found.astype(np.int64)


def _hash(values: NDArray[np.uint64], salt: np.uint64) -> NDArray[np.uint64]:
    mixed = (values ^ salt) * _ODD
    mixed ^= mixed >> np.uint64(32)
    mixed *= _MORE
    mixed ^= mixed >> np.uint64(32)
    return mixed


class EpochOrder:
    """The order of the photos of several shards, another one in each epoch.

    firsts: the number of the first photo of each shard, and at the end how many there are. Shards
    come in random order, and the photos of `mixed` shards at a time in random order among
    themselves; all are mixed when it is 0. What is kept is two numbers for each shard.
    """

    def __init__(self, firsts: NDArray[np.int64], seed: int, mixed: int = 0) -> None:
        self._firsts, self._seed = firsts, seed
        self._mixed = mixed or len(firsts) - 1
        self._epoch = -1

    def at(self, places: NDArray[np.int64], epoch: int) -> NDArray[np.int64]:
        """The photos at `places` of an epoch, a function of the arguments alone."""
        if epoch != self._epoch:
            count = len(self._firsts) - 1
            self._shards = scattered(np.arange(count), count, (self._seed, epoch))
            sizes = np.diff(self._firsts)[self._shards]
            self._begins = np.concatenate([[0], np.cumsum(sizes)])
            self._edges = np.append(self._begins[: -1 : self._mixed], self._begins[-1])
            self._epoch = epoch
        windows = np.searchsorted(self._edges, places, side="right") - 1
        found = np.empty(len(places), np.int64)
        for window in np.unique(windows):
            here = windows == window
            start, end = self._edges[window : window + 2]
            key = (self._seed, epoch, int(window))
            inside = start + scattered(places[here] - start, int(end - start), key)
            turn = np.searchsorted(self._begins, inside, side="right") - 1
            found[here] = self._firsts[self._shards[turn]] + inside - self._begins[turn]
        return found
