"""Vectors in FAISS lists: all of them compared, or only those of the lists nearest to the query.

One kind of index does both. Below `CLUSTERED_FROM` vectors the lists are plain pieces, and all are
looked through: the answers are exact. From there on k-means makes them clusters, and as many are
looked through as were found, on these very vectors, to give 99 % of the exact answers.

A search that is limited to some of the vectors compares all of these. From `LARGE_FROM` vectors on
it does so only where they are few: otherwise, as for all, what to compare is chosen by a first look
at short codes, see `first_look`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.vectors.chosen import Bits, Chosen
from index.vectors.faiss_library import faiss_library
from index.vectors.first_look import again, nearest
from index.vectors.opened_file import OpenedFile
from index.vectors.stored import Stored

# Where exact search becomes noticeable, by `python -m benchmarks vectors`.
CLUSTERED_FROM = 150_000
# Where to compare all that a filter lets through becomes noticeable.
LARGE_FROM = 1_000_000
# So many are compared sooner than clusters are looked through for them.
_FEW_CHOSEN = 16_384
PIECE = 8192  # vectors in a list that is no cluster
# All that score so much lie in the lists nearest to the query: half as many lists again are looked
# through, until these add nothing.
_FURTHER = 0.5
# Scores that FAISS, which compares in float32, could take for smaller ones than they are.
_ROUNDED = 1e-6
# Up to this id a bit for each is quicker than a set, and no larger than 16 MB.
_LARGEST_BITMAP = 1 << 27
# From this share of the ids on, all are looked at.
_FEW = 64
# What FAISS gives its threads: a query each, or some of the lists of one query each. Then the order
# of equals depends on which thread is done first, and so only what is put in order later is asked
# for like that.
_BY_QUERY, _BY_LIST = 0, 1
# So many numbers one thread compares with a query sooner than two that wait for each other, where
# other programs want the cores as well: some milliseconds.
_ALONE = 1 << 26
# Reading what a first look is taken at takes longer than it saves a command that searches once.
_WITHOUT_LOOK = 2
# For more answers than so many a first look is not taken.
_MOST_AGAIN = 2000
# So many at most are compared by their own vectors after a first look, and so many times as many as
# score enough: then the others surely do not.
_MOST_LOOKED, _CLEAR = 40_000, 4
# Bytes of a mapped file that count as this process's memory, though the system would take them
# back, before they are let go of. The system keeps them for the next search if it has the room.
_MOST_MAPPED = 1 << 29
_PIECE_BYTES = 1 << 24

Batches = Iterable[tuple[NDArray[np.int64], NDArray[np.float16]]]
Found = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass
class VectorLists:
    """A FAISS index, with the ids in it, rising.

    `probes` says how many lists give the recall that is asked for, by the number of answers; with
    none all are looked through. `recall` is what was measured, and `tried` whether clusters were
    tried, even if in vain. `held` is the file that the index refers to, if any. `look` is
    what a first look is taken at; `read_look` reads it, and gives None where it is damaged.
    """

    index: Any
    ids: NDArray[np.int64]
    probes: dict[int, int] = field(default_factory=dict)
    recall: float = 1.0
    tried: bool = False
    held: OpenedFile | None = None
    look: Any = None
    read_look: Callable[[], Any] | None = None
    _searches: int = field(default=0, init=False)
    _looked_through: int = field(default=0, init=False)
    _passed: bool = field(default=False, init=False)

    @property
    def width(self) -> int:
        return int(self.index.d)

    @cached_property
    def is_dense(self) -> bool:
        """Whether no id is left out between the first and the last."""
        return len(self.ids) > 0 and int(self.ids[-1] - self.ids[0]) + 1 == len(self.ids)

    @cached_property
    def _stored(self) -> Stored:
        return Stored(self.index, self.ids, self.held, is_dense=self.is_dense)

    def chosen(self, ids: NDArray[np.int64], left: Bits | None = None) -> Chosen:
        """Those of `ids` that are here, and `left` (n,), where some are not."""
        if self._are_many(ids):
            held = self._bits(ids)
            return Chosen(self, held if left is None else held & left)
        places = self.positions(ids)
        return Chosen(self, places if left is None else places[left[places]])

    def _are_many(self, ids: NDArray[np.int64]) -> bool:
        """Whether to look at each id that is here costs less than to search for each of `ids`."""
        return len(ids) > len(self.ids) // _FEW and len(self.ids) > 0 and self.ids[0] >= 0

    def _bits(self, ids: NDArray[np.int64]) -> Bits:
        """Which of `self.ids` (n,), none below 0, are among `ids`."""
        first, last = int(self.ids[0]), int(self.ids[-1])
        asked = np.zeros(last + 1, np.bool_)
        if len(ids) and (ids.min() < 0 or ids.max() > last):
            ids = ids[(ids >= 0) & (ids <= last)]
        asked[ids] = True
        return asked[first:] if self.is_dense else asked[self.ids]

    def positions(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where those of `ids` that are here stand in `self.ids`, rising and each once."""
        if self._are_many(ids):
            return np.flatnonzero(self._bits(ids))
        ids = np.unique(ids)
        if self.is_dense:
            first, last = int(self.ids[0]), int(self.ids[-1])
            inside: NDArray[np.int64] = ids[(ids >= first) & (ids <= last)] - first
            return inside
        places = np.searchsorted(self.ids, ids)
        there = places < len(self.ids)
        places, ids = places[there], ids[there]
        here: NDArray[np.int64] = places[self.ids[places] == ids].astype(np.int64)
        return here

    def selector(self, ids: NDArray[np.int64]) -> Any:
        """What limits a search to `ids`, which rise."""
        faiss = faiss_library()
        if not len(ids) or ids[0] < 0 or ids[-1] >= _LARGEST_BITMAP:
            return faiss.IDSelectorBatch(np.ascontiguousarray(ids, np.int64))
        bits = np.zeros(int(ids[-1]) + 1, np.bool_)
        bits[ids] = True
        return faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))

    def selector_of_bits(self, held: Bits) -> Any:
        """As `selector`, of those of `self.ids` for which `held` (n,) says so."""
        first, last = int(self.ids[0]), int(self.ids[-1])
        if first < 0 or last >= _LARGEST_BITMAP:
            return self.selector(self.ids[held])
        bits = np.zeros(last + 1, np.bool_)
        bits[slice(first, None) if self.is_dense else self.ids] = held
        return faiss_library().IDSelectorBitmap(np.packbits(bits, bitorder="little"))

    def search(
        self, queries: NDArray[np.float32], k: int, selector: Any = None, *, exact: bool = False
    ) -> Found:
        """Up to k scores and ids a query, best first; rows that have fewer end in ids of -1."""
        everything = int(self.index.nlist)
        if not exact and k <= _MOST_AGAIN and self.looks:
            found = self.search_looking(queries, k, selector)
            return found if (found[1] >= 0).all() else self.search(queries, k, selector, exact=True)
        fitting = [probes for level, probes in self.probes.items() if level >= k]
        probes = everything if exact or not fitting else min(fitting)
        found = self.search_lists(queries, k, probes, selector)
        if probes < everything and (found[1] < 0).any():
            return self.search_lists(queries, k, everything, selector)
        return found

    @property
    def looks(self) -> bool:
        """Whether to take a first look, which is read by a process that goes on searching."""
        if self.look is None and self.read_look is not None:
            self._searches += 1
            if self._searches > _WITHOUT_LOOK:
                self.look, self.read_look = self.read_look(), None
        return self.look is not None

    def search_chosen(self, queries: NDArray[np.float32], k: int, chosen: Chosen) -> Found:
        """As `search`, among these vectors only."""
        if len(self.ids) < LARGE_FROM:
            return self.search(queries, k, chosen.selector, exact=True)
        if len(chosen) <= _FEW_CHOSEN:
            return chosen.apart.search(queries, k, exact=True)
        return self.search(
            queries, k, chosen.selector, exact=again(k) > len(chosen) or not self.looks
        )

    def within_chosen(
        self, query: NDArray[np.float32], least: float, gap: float, chosen: Chosen
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """As `within`, among these vectors only."""
        if len(self.ids) < LARGE_FROM:
            return self.within(query, least, gap, chosen.selector, exact=True)
        if len(chosen) <= _FEW_CHOSEN:
            return chosen.apart.within(query, least, gap, exact=True)
        return self.within(query, least, gap, chosen.selector, exact=not self.looks)

    def search_looking(self, queries: NDArray[np.float32], k: int, selector: Any = None) -> Found:
        """As `search`, among those that seem nearest at a first look."""
        scores = np.full((len(queries), k), -np.inf, np.float32)
        ids = np.full((len(queries), k), -1, np.int64)
        for number, query in enumerate(queries):
            seen, found = self._compared(query, nearest(self.look, query[None], again(k), selector))
            best = np.argsort(-seen, kind="stable")[:k]
            scores[number, : len(best)], ids[number, : len(best)] = seen[best], found[best]
        return scores, ids

    def _compared(
        self, query: NDArray[np.float32], ids: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores (n,) of the vectors of `ids`, by themselves, and their ids (n,), rising."""
        positions = self.positions(ids)
        rows = self.vectors(positions)
        return np.einsum("nd,d->n", rows, query), self.ids[positions]

    def _within_looking(
        self, query: NDArray[np.float32], least: float, gap: float, selector: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]] | None:
        """As `within`, by first looks; None where too many score so much."""
        count = again(0)
        while count <= _MOST_LOOKED:
            seen = nearest(self.look, query[None], count, selector)
            scores, ids = self._compared(query, seen)
            needed = max(least, float(scores.max(initial=-np.inf)) - gap)
            kept = scores.astype(np.float64) >= needed
            # Those that were left out seem farther away than all that were not.
            if kept.sum() * _CLEAR <= len(seen):
                return scores[kept], ids[kept]
            # That is all that the lists looked through have; or most of it fits, so that many times
            # as much will, and to look at the vectors themselves takes less.
            if len(seen) < count or kept.sum() > len(seen) // 2:
                break
            count *= _CLEAR
        return None

    def within(
        self,
        query: NDArray[np.float32],
        least: float,
        gap: float,
        selector: Any = None,
        *,
        exact: bool = False,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores and ids (n,), in no order, of all that score `least` or more with `query` (d,),
        and no more than `gap` below the best.

        In clusters those that lie far from the others of them may be missing, unless `exact`.
        """
        if not exact and self.looks:
            seen = self._within_looking(query, least, gap, selector)
            if seen is not None:
                return seen
        row = np.ascontiguousarray(query[None], np.float32)
        everything = int(self.index.nlist)
        whole = exact or not self.probes
        once = whole and self._takes_pieces()
        piece = max(1, _PIECE_BYTES // self._list_bytes) if once else everything
        faiss = faiss_library()
        near, lists = self.index.quantizer.search(row, everything)
        done, upto = 0, min(everything, piece if whole else min(self.probes.values()))
        each = self.index.ntotal * self.width // max(1, int(self.index.nlist))
        scores, ids = [np.empty(0, np.float32)], [np.empty(0, np.int64)]
        while done < everything:
            keys, nearness = lists[:, done:upto].copy(), near[:, done:upto].copy()
            self.index.parallel_mode = _BY_QUERY if each * keys.shape[1] <= _ALONE else _BY_LIST
            parameters = faiss.SearchParametersIVF(nprobe=keys.shape[1])
            if selector is not None:
                parameters.sel = selector
            found = faiss.RangeSearchResult(1)
            self.index.range_search_preassigned_c(
                1,
                faiss.swig_ptr(row),
                float(np.float32(least - _ROUNDED)),
                faiss.swig_ptr(keys),
                faiss.swig_ptr(nearness),
                found,
                False,
                parameters,
            )
            if once:
                self._let_go()
            else:
                self._looked(keys.shape[1])
            count = int(faiss.rev_swig_ptr(found.lims, 2)[1])
            scores.append(faiss.rev_swig_ptr(found.distances, count).copy())
            ids.append(faiss.rev_swig_ptr(found.labels, count).copy())
            least = max(least, float(scores[-1].max(initial=-np.inf)) - gap)
            if done and not count and not whole:
                break
            further = piece if whole else max(1, math.ceil(upto * _FURTHER))
            done, upto = upto, min(everything, upto + further)
        together = np.concatenate(scores)
        kept = together.astype(np.float64) >= least
        return together[kept], np.concatenate(ids)[kept]

    def vectors(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors (n, d) of `self.ids[positions]`."""
        return self.codes(positions).astype(np.float32)

    def codes(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """As `vectors`, in the numbers that are kept."""
        return self._stored.codes(positions)

    def search_lists(
        self, queries: NDArray[np.float32], k: int, probes: int, selector: Any = None
    ) -> Found:
        """The best `k` of each query in the `probes` lists nearest to it."""
        parameters = faiss_library().SearchParametersIVF(nprobe=probes)
        if selector is not None:
            parameters.sel = selector
        self.index.parallel_mode = _BY_QUERY
        scores, ids = self.index.search(queries, k, params=parameters)
        self._looked(probes * len(queries))
        return scores, ids

    @property
    def _list_bytes(self) -> int:
        """Bytes of one list, more or less."""
        row = int(self.index.code_size) + np.dtype(np.int64).itemsize
        return len(self.ids) * row // max(1, int(self.index.nlist))

    def _takes_pieces(self) -> bool:
        """Whether to look through all of a mapped file in pieces to be let go of: the first time.

        A command that searches once needs so much less memory, and no page of it is read twice.
        """
        first, self._passed = not self._passed, True
        is_mapped = self.held is not None and self.held.is_mapped
        return first and is_mapped and self._list_bytes * int(self.index.nlist) > _PIECE_BYTES

    def _looked(self, lists: int) -> None:
        """Let go of what was mapped when so much more of it has been looked at."""
        if self.held is None or not self.held.is_let_go:
            return
        self._looked_through += lists * self._list_bytes
        if self._looked_through > _MOST_MAPPED:
            self._let_go()

    def _let_go(self) -> None:
        self._looked_through = 0
        if self.held is not None:
            self.held.let_go()


def plain_lists(batches: Batches, count: int) -> VectorLists:
    """All `count` vectors of `batches`, for exact search."""
    faiss = faiss_library()
    index: Any = None
    pieces = max(1, -(-count // PIECE))
    kept = [np.empty(0, np.int64)]
    done = 0
    for ids, vectors in batches:
        if index is None:
            index = plain_index(vectors.shape[1], pieces)
        rows = np.ascontiguousarray(vectors, np.float32)
        places = np.minimum(np.arange(done, done + len(ids)) // PIECE, pieces - 1)
        places = places.astype(np.int64)
        pointers = (faiss.swig_ptr(array) for array in (rows, ids, places))
        index.add_core(len(ids), *pointers)
        kept.append(ids)
        done += len(ids)
    return VectorLists(plain_index(1, 1) if index is None else index, np.concatenate(kept))


def plain_index(width: int, pieces: int) -> Any:
    """An empty index with so many lists, all of which are looked through."""
    index = empty_index(width, pieces)
    # So it does not matter where they are said to lie.
    index.quantizer.add(np.zeros((pieces, width), np.float32))
    index.is_trained = True
    return index


def empty_index(width: int, lists: int) -> Any:
    faiss = faiss_library()
    quantizer = faiss.IndexFlatIP(width)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, width, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT, False
    )
    # FAISS frees the quantizer with the index, and Python must not.
    quantizer.this.disown()
    index.own_fields = True
    return index
