"""Vectors in FAISS lists: all of them compared, or only those of the lists nearest to the query.

One kind of index does both. Below `CLUSTERED_FROM` vectors the lists are plain pieces, and all are
looked through: the answers are exact. From there on k-means makes them clusters, and as many are
looked through as were found, on these very vectors, to give `RECALL` of the exact answers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Where exact search becomes noticeable, by `python -m benchmarks vectors`.
CLUSTERED_FROM = 150_000
# The share of the exact answers that a clustered index must give.
RECALL = 0.99
# What is asked for at building, since it is measured on few queries.
_AIM = 0.995
# The lists to look through are measured for these numbers of answers; for more, all are.
_LEVELS = (10, 100, 1000)
_PIECE = 8192  # vectors in a list that is no cluster
_SAMPLED = 64  # vectors a cluster is trained on
_TRIED = 128  # vectors that stand for queries
# Looking through a larger share of the lists would save too little.
_LARGEST_SHARE = 0.25
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

    @property
    def width(self) -> int:
        return int(self.index.d)

    @cached_property
    def _places(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
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
        fitting = [probes for level, probes in self.probes.items() if level >= k]
        probes = everything if exact or not fitting else min(fitting)
        found = self._search(queries, k, selector, probes)
        if probes < everything and (found[1] < 0).any():
            return self._search(queries, k, selector, everything)
        return found

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
        faiss = faiss_library()
        row = np.ascontiguousarray(query[None], np.float32)
        everything = int(self.index.nlist)
        near, lists = self.index.quantizer.search(row, everything)
        done = 0
        upto = everything if exact or not self.probes else min(self.probes.values())
        scores, ids = [], []
        while done < everything:
            keys, nearness = lists[:, done:upto].copy(), near[:, done:upto].copy()
            numbers = self.index.ntotal * self.width * keys.shape[1] // everything
            self.index.parallel_mode = _BY_QUERY if numbers <= _ALONE else _BY_LIST
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
        faiss = faiss_library()
        rows = np.empty((len(positions), self.width), np.float32)
        lists, places = (part[positions] for part in self._places)
        order = np.argsort(lists, kind="stable")
        ends = np.flatnonzero(np.diff(lists[order])) + 1
        for chosen in np.split(order, ends):
            if len(chosen):
                number = int(lists[chosen[0]])
                size = self.index.invlists.list_size(number) * self.index.code_size
                codes = faiss.rev_swig_ptr(self.index.invlists.get_codes(number), size)
                rows[chosen] = codes.view(np.float16).reshape(-1, self.width)[places[chosen]]
        return rows

    def _search(self, queries: NDArray[np.float32], k: int, selector: Any, probes: int) -> Found:
        parameters = faiss_library().SearchParametersIVF(nprobe=probes)
        if selector is not None:
            parameters.sel = selector
        self.index.parallel_mode = _BY_QUERY
        scores, ids = self.index.search(queries, k, params=parameters)
        return scores, ids


def plain_lists(batches: Batches, count: int) -> VectorLists:
    """All `count` vectors of `batches`, for exact search."""
    faiss = faiss_library()
    index: Any = None
    pieces = max(1, -(-count // _PIECE))
    kept = [np.empty(0, np.int64)]
    done = 0
    for ids, vectors in batches:
        if index is None:
            index = _empty(vectors.shape[1], pieces)
            # All are looked through, so it does not matter where they are said to lie.
            index.quantizer.add(np.zeros((pieces, vectors.shape[1]), np.float32))
            index.is_trained = True
        rows = np.ascontiguousarray(vectors, np.float32)
        places = np.minimum(np.arange(done, done + len(ids)) // _PIECE, pieces - 1)
        places = places.astype(np.int64)
        pointers = (faiss.swig_ptr(array) for array in (rows, ids, places))
        index.add_core(len(ids), *pointers)
        kept.append(ids)
        done += len(ids)
    if index is None:
        index = _empty(1, 1)
        index.quantizer.add(np.zeros((1, 1), np.float32))
        index.is_trained = True
    return VectorLists(index, np.concatenate(kept))


def clustered_lists(
    read: Callable[[int], Batches], count: int, queries: Sequence[NDArray[np.float32]] = ()
) -> VectorLists | None:
    """The vectors of `read(1)` in clusters; None where they do not fall into any that help.

    `read(n)` gives every n-th of the `count` vectors, and `queries` are sets of such as will be
    asked for. Some of the vectors themselves are another set: in none may the recall be less.
    """
    lists = 1 << max(1, round(math.log2(math.sqrt(count))))
    sample = np.concatenate([rows for _, rows in read(max(1, count // (_SAMPLED * lists)))])
    sample = sample[: 2 * _SAMPLED * lists].astype(np.float32)
    if len(sample) < lists:
        return None
    index = _empty(sample.shape[1], lists)
    index.cp.min_points_per_centroid = 1  # or it warns, on standard error
    index.train(sample)
    asked = sample[:: max(1, len(sample) // _TRIED)][:_TRIED].copy()
    del sample
    kept = []
    for ids, vectors in read(1):
        index.add_with_ids(np.ascontiguousarray(vectors, np.float32), ids)
        kept.append(ids)
    built = VectorLists(index, np.concatenate(kept), tried=True)
    measured = _measure(built, [asked, *(some for some in queries if len(some))])
    for level in _LEVELS:
        for probes, recalls in measured:
            if recalls[level] >= _AIM:
                built.probes[level] = probes
                if level == _LEVELS[0]:
                    built.recall = recalls[level]
                break
    return built if _LEVELS[0] in built.probes else None


def _measure(
    lists: VectorLists, sets: Sequence[NDArray[np.float32]]
) -> list[tuple[int, dict[int, float]]]:
    """Rising numbers of lists, each with its least mean recall of any set, by level."""
    most = min(_LEVELS[-1], len(lists.ids))
    truth = [lists.search(queries, most, exact=True)[1] for queries in sets]
    probes = 2
    results = []
    while probes <= lists.index.nlist * _LARGEST_SHARE:
        found = [lists._search(queries, most, None, probes)[1] for queries in sets]
        results.append(
            (
                probes,
                {
                    level: min(
                        _recall(a[:, :level], b[:, :level])
                        for a, b in zip(found, truth, strict=True)
                    )
                    for level in _LEVELS
                },
            )
        )
        probes += max(1, probes // 2)
    return results


def _recall(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    shares = [np.isin(b, a).mean() for a, b in zip(found, truth, strict=True)]
    return float(np.mean(shares))


def _empty(width: int, lists: int) -> Any:
    faiss = faiss_library()
    quantizer = faiss.IndexFlatIP(width)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, width, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT, False
    )
    # FAISS frees the quantizer with the index, and Python must not.
    quantizer.this.disown()
    index.own_fields = True
    return index
