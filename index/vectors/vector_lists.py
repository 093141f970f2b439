"""Vectors in FAISS lists: all of them compared, or only those of the lists nearest to the query.

One kind of index does both. Below `CLUSTERED_FROM` vectors the lists are plain pieces, and all are
looked through: the answers are exact. From there on k-means makes them clusters, and as many are
looked through as were found, on these very vectors, to give 99 % of the exact answers.

A search that is limited to some of the vectors compares all of these. From `LARGE_FROM` vectors on
it does so only where they are few: otherwise it looks through the lists that have any of them, and
through as many as the best answers among all would be found in that make up the best among these.
"""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.vectors.chosen import Chosen

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
# Bytes of a mapped file that count as this process's memory, though the system would take them
# back, before they are let go of. The system keeps them for the next search if it has the room.
_MOST_MAPPED = 1 << 29

Batches = Iterable[tuple[NDArray[np.int64], NDArray[np.float16]]]
Found = tuple[NDArray[np.float32], NDArray[np.int64]]


@cache
def faiss_library() -> Any:
    # Threads that wait for the next search would otherwise keep cores busy that others could use.
    # In small letters: where the language is Turkish, libgomp does not take an "I" for its "i".
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Imported when first used, so that what never searches does not wait for it.
    import faiss

    return faiss


@dataclass
class VectorLists:
    """A FAISS index, with the ids in it, rising.

    `probes` says how many lists give the recall that is asked for, by the number of answers; with
    none all are looked through. `recall` is what was measured, and `tried` whether clusters were
    tried, even if in vain. `held` is what the index was read from and still refers to.
    """

    index: Any
    ids: NDArray[np.int64]
    probes: dict[int, int] = field(default_factory=dict)
    recall: float = 1.0
    tried: bool = False
    held: object = None
    _looked_through: int = field(default=0, init=False)

    @property
    def width(self) -> int:
        return int(self.index.d)

    @cached_property
    def places(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """In which list each of `ids` is, and where in it."""
        lists = np.empty(len(self.ids), np.int32)
        places = np.empty(len(self.ids), np.int32)
        dense = len(self.ids) and self.ids[-1] - self.ids[0] + 1 == len(self.ids)
        for number in range(self.index.nlist):
            size = self.index.invlists.list_size(number)
            if size:
                held = faiss_library().rev_swig_ptr(self.index.invlists.get_ids(number), size)
                rows = held - self.ids[0] if dense else np.searchsorted(self.ids, held)
                lists[rows] = number
                places[rows] = np.arange(size)
        return lists, places

    def positions(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where those of `ids` that are here stand in `self.ids`, rising and each once."""
        if len(ids) > len(self.ids) // _FEW and len(self.ids) and self.ids[0] >= 0:
            # Looking at each id that is here costs less than searching for each that is asked for.
            most = int(self.ids[-1])
            asked = np.zeros(most + 1, np.bool_)
            asked[ids[(ids >= 0) & (ids <= most)]] = True
            return np.flatnonzero(asked[self.ids])
        ids = np.unique(ids)
        places = np.searchsorted(self.ids, ids)
        inside = places < len(self.ids)
        places, ids = places[inside], ids[inside]
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

    def search(
        self, queries: NDArray[np.float32], k: int, selector: Any = None, *, exact: bool = False
    ) -> Found:
        """Up to k scores and ids a query, best first; rows that have fewer end in ids of -1."""
        everything = int(self.index.nlist)
        probes = everything if exact else self._enough(k)
        found = self.search_lists(queries, k, probes, selector)
        if probes < everything and (found[1] < 0).any():
            return self.search_lists(queries, k, everything, selector)
        return found

    def search_chosen(self, queries: NDArray[np.float32], k: int, chosen: Chosen) -> Found:
        """As `search`, among these vectors only."""
        if len(self.ids) < LARGE_FROM:
            return self.search(queries, k, chosen.selector, exact=True)
        if len(chosen) <= _FEW_CHOSEN:
            return chosen.apart.search(queries, k, exact=True)
        probes = self._enough(self._as_of_all(k, chosen))
        rows = [self._nearest_holding(row[None], chosen, probes) for row in queries]
        scores, ids = (
            np.concatenate(part)
            for part in zip(
                *(
                    self._search_in(row[None], k, chosen.selector, *lists)
                    for row, lists in zip(queries, rows, strict=True)
                ),
                strict=True,
            )
        )
        if probes < self.index.nlist and (ids < 0).any():
            return self.search(queries, k, chosen.selector, exact=True)
        return scores, ids

    def within_chosen(
        self, query: NDArray[np.float32], least: float, gap: float, chosen: Chosen
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """As `within`, among these vectors only."""
        if len(self.ids) < LARGE_FROM:
            return self.within(query, least, gap, chosen.selector, exact=True)
        if len(chosen) <= _FEW_CHOSEN:
            return chosen.apart.within(query, least, gap, exact=True)
        row = np.ascontiguousarray(query[None], np.float32)
        lists = self._nearest_holding(row, chosen, int(self.index.nlist))
        first = self._enough(self._as_of_all(1, chosen))
        return self._within(row, least, gap, chosen.selector, lists, first)

    def _enough(self, k: int) -> int:
        """How many lists to look through for the best `k`."""
        fitting = [probes for level, probes in self.probes.items() if level >= k]
        return min(fitting, default=int(self.index.nlist))

    def _as_of_all(self, k: int, chosen: Chosen) -> int:
        """How many of the best of all have the best `k` of the chosen, if these are like others."""
        return math.ceil(k * len(self.ids) / max(1, len(chosen)))

    def _nearest(self, row: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """All lists (1, n) in order of how near to `row` (1, d) they are, and how near."""
        near, lists = self.index.quantizer.search(row, int(self.index.nlist))
        return lists, near

    def _nearest_holding(
        self, row: NDArray[np.float32], chosen: Chosen, most: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """As `_nearest`: at most so many lists that have some of the chosen."""
        lists, near = self._nearest(np.ascontiguousarray(row, np.float32))
        kept = np.flatnonzero(chosen.holding[lists[0]])[:most]
        return lists[:, kept], near[:, kept]

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
        row = np.ascontiguousarray(query[None], np.float32)
        everything = int(self.index.nlist)
        first = everything if exact else min(self.probes.values(), default=everything)
        return self._within(row, least, gap, selector, self._nearest(row), first)

    def _within(
        self,
        row: NDArray[np.float32],
        least: float,
        gap: float,
        selector: Any,
        nearest: tuple[NDArray[np.int64], NDArray[np.float32]],
        upto: int,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Looks through the first `upto` of these lists, and then through more while that helps."""
        faiss = faiss_library()
        lists, near = nearest
        everything, done = lists.shape[1], 0
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
            self._looked(keys.shape[1])
            count = int(faiss.rev_swig_ptr(found.lims, 2)[1])
            scores.append(faiss.rev_swig_ptr(found.distances, count).copy())
            ids.append(faiss.rev_swig_ptr(found.labels, count).copy())
            least = max(least, float(scores[-1].max(initial=-np.inf)) - gap)
            if done and not count:
                break
            done, upto = upto, min(everything, upto + max(1, math.ceil(upto * _FURTHER)))
        together = np.concatenate(scores)
        kept = together.astype(np.float64) >= least
        return together[kept], np.concatenate(ids)[kept]

    def vectors(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors (n, d) of `self.ids[positions]`."""
        return self.codes(positions).astype(np.float32)

    def codes(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """As `vectors`, in the numbers that are kept."""
        faiss = faiss_library()
        row = int(self.index.code_size)
        rows = np.empty((len(positions), self.width), np.float16)
        lists, places = (part[positions] for part in self.places)
        content = self.held
        if isinstance(content, np.ndarray) and len(positions):
            # In a file the lists stand one after the other, each at an even distance from the
            # first: a vector at every second byte, of which the wanted ones are taken at once.
            wanted = np.unique(lists)
            starts = np.zeros(int(self.index.nlist), np.int64)
            starts[wanted] = [int(self.index.invlists.get_codes(int(one))) for one in wanted]
            base = int(starts[wanted[0]])
            offset = base - content.ctypes.data
            starts[wanted] -= base
            every = np.ndarray(
                ((content.nbytes - offset - row) // 2 + 1,),
                np.dtype((np.void, row)),
                content.data,
                offset,
                (2,),
            )
            taken = every[(starts[lists] + places.astype(np.int64) * row) // 2]
            return taken.view(np.float16).reshape(len(positions), self.width)
        order = np.argsort(lists, kind="stable")
        ends = np.flatnonzero(np.diff(lists[order])) + 1
        for chosen in np.split(order, ends):
            if len(chosen):
                number = int(lists[chosen[0]])
                size = self.index.invlists.list_size(number) * row
                codes = faiss.rev_swig_ptr(self.index.invlists.get_codes(number), size)
                rows[chosen] = codes.view(np.float16).reshape(-1, self.width)[places[chosen]]
        return rows

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

    def _search_in(
        self,
        row: NDArray[np.float32],
        k: int,
        selector: Any,
        lists: NDArray[np.int64],
        near: NDArray[np.float32],
    ) -> Found:
        """As `_search`, in these lists."""
        parameters = faiss_library().SearchParametersIVF(nprobe=lists.shape[1], sel=selector)
        self.index.parallel_mode = _BY_QUERY
        scores, ids = self.index.search_preassigned(
            np.ascontiguousarray(row, np.float32),
            k,
            np.ascontiguousarray(lists),
            np.ascontiguousarray(near),
            params=parameters,
        )
        self._looked(lists.shape[1])
        return scores, ids

    def _looked(self, lists: int) -> None:
        """Let go of what was mapped when so many more lists have been looked through."""
        if not isinstance(self.held, np.memmap) or self.held.nbytes <= _MOST_MAPPED:
            return
        each = self.held.nbytes // max(1, int(self.index.nlist))
        self._looked_through += lists * each
        if self._looked_through > _MOST_MAPPED and hasattr(mmap, "MADV_DONTNEED"):
            whole = self.held.nbytes // mmap.PAGESIZE * mmap.PAGESIZE
            self.held._mmap.madvise(mmap.MADV_DONTNEED, 0, whole)  # type: ignore[attr-defined]
            self._looked_through = 0


def plain_lists(batches: Batches, count: int) -> VectorLists:
    """All `count` vectors of `batches`, for exact search."""
    faiss = faiss_library()
    index: Any = None
    pieces = max(1, -(-count // PIECE))
    kept = [np.empty(0, np.int64)]
    done = 0
    for ids, vectors in batches:
        if index is None:
            index = empty_index(vectors.shape[1], pieces)
            # All are looked through, so it does not matter where they are said to lie.
            index.quantizer.add(np.zeros((pieces, vectors.shape[1]), np.float32))
            index.is_trained = True
        rows = np.ascontiguousarray(vectors, np.float32)
        places = np.minimum(np.arange(done, done + len(ids)) // PIECE, pieces - 1)
        places = places.astype(np.int64)
        pointers = (faiss.swig_ptr(array) for array in (rows, ids, places))
        index.add_core(len(ids), *pointers)
        kept.append(ids)
        done += len(ids)
    if index is None:
        index = empty_index(1, 1)
        index.quantizer.add(np.zeros((1, 1), np.float32))
        index.is_trained = True
    return VectorLists(index, np.concatenate(kept))


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
