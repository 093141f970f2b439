"""Photos that look the same and are not of the same bytes, as their files are now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from index import Catalogue, PhotoFile
from index.catalogue.selection import Selection
from photosearch.encoders import Encoder
from photosearch.errors import UsageError
from photosearch.indexing.decoding import Decoding, Pool
from photosearch.indexing.workers import Trouble
from photosearch.looks import NEAR, Look, may_be_same, same_closely, unpacked
from photosearch.search.alike import pairs
from photosearch.search.duplicates import Duplicates, Told, best, rank
from photosearch.search.ondisk import CHANGED, LeftOut, Present, look_up

# Of those alike to a photo by their vectors, so many, the most alike, are looked at to find out
# which photos go together. What goes together is then compared with the best of it.
_LOOKED_AT = 32
# Pairs of photos, and photos, that are looked at between two questions to the catalogue.
_PAIRS = 4096
_AT_ONCE = 64
# Glances and close looks that are kept, of 4 and of 200 kB.
_GLANCES, _LOOKS = 32_768, 512


class NearDuplicates:
    """Finds them in one catalogue, by the vectors of one model.

    All photos are compared with all by their vectors: some ten seconds for 100,000, and four times
    as long for twice as many. Those that are alike are looked at, in `workers` processes. What
    moves is never found, since one frame does not tell of the others.

    Raises `UsageError` for a similarity that is none.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        encoder: Encoder,
        *,
        similarity: float = NEAR,
        decoding: Decoding,
    ) -> None:
        if not 0.5 <= similarity <= 1:
            raise UsageError(f"a similarity of {similarity} is not between 0.5 and 1; try {NEAR}")
        self._catalogue, self._encoder = catalogue, encoder
        self._similarity, self._decoding = similarity, decoding
        self._glances = _Glances(catalogue.selection)

    def told(self) -> Iterator[Told]:
        """Those that take most space first; and what is left out, with why. Of copies there is one.

        Each of a group looks as the first one does, and is there as it was recorded.
        """
        ids, vectors = self._catalogue.embeddings(self._encoder.bundle_id)
        contents = self._catalogue.selection.contents(ids.tolist())
        held = np.array([contents[photo] for photo in ids.tolist()], np.int64)
        # Of each content its first photo.
        rows = np.sort(np.unique(held, return_index=True)[1])
        sets = self._sets(ids[rows], vectors[rows])
        if not sets:
            return
        copies: dict[int, list[int]] = {}
        for photo, content in contents.items():
            copies.setdefault(content, []).append(photo)
        vector_of = dict(zip(held[rows].tolist(), vectors[rows], strict=True))
        every = [photo for each in sets for one in each for photo in copies[contents[one]]]
        file_of = {file.id: file for file in self._catalogue.files(every)}
        paired = self._catalogue.companions()

        def best_of(content: int) -> list[PhotoFile]:
            return best([file_of[it] for it in copies[content] if it in file_of], paired)

        files = [[best_of(contents[one]) for one in each] for each in sets]
        files.sort(key=_spare, reverse=True)
        with self._decoding.pool(self._encoder.preprocess, 2 * len(sets)) as pool:
            looks = _CloseLooks(pool)
            for some in _cut(files):
                present = []
                for several in some:
                    found, left = _present(several)
                    yield from left
                    present.append(found)
                # All together, so that no process waits.
                yield from looks.learn(each for found in present for each in found[:_AT_ONCE])
                for found in present:
                    unit = {
                        each.photo.id: _unit(vector_of[contents[each.photo.id]]) for each in found
                    }
                    yield from self._alike(found, unit, looks)

    def _sets(self, ids: NDArray[np.int64], vectors: NDArray[np.float16]) -> list[list[int]]:
        """Ids of photos among which some may look the same, in sets of two or more."""
        parent = np.arange(len(ids))
        looked_at = np.zeros(len(ids), np.int64)
        found = pairs(vectors, self._similarity)
        while some := list(islice(found, _PAIRS)):
            unsure = []
            for one, other, _ in some:
                if looked_at[one] < _LOOKED_AT and _root(parent, one) != _root(parent, other):
                    looked_at[one] += 1
                    unsure.append((one, other))
            self._glances.learn(int(ids[place]) for pair in unsure for place in pair)
            for one, other in unsure:
                a, b = _root(parent, one), _root(parent, other)
                if a != b and self._glances.may_be_same(int(ids[one]), int(ids[other])):
                    parent[b] = a
        sets: dict[int, list[int]] = {}
        for place in range(len(ids)):
            sets.setdefault(_root(parent, place), []).append(int(ids[place]))
        return [each for each in sets.values() if len(each) > 1]

    def _alike(
        self, found: list[Present], unit: dict[int, NDArray[np.float32]], looks: _CloseLooks
    ) -> Iterator[Told]:
        """Groups among `found`, whose vectors `unit` has."""
        while len(found) > 1:
            kept, *others = found
            self._glances.learn(each.photo.id for each in found)
            cosines = {
                each.photo.id: float(unit[kept.photo.id] @ unit[each.photo.id]) for each in others
            }
            likely = [
                each
                for each in others
                if cosines[each.photo.id] >= self._similarity
                and not each.is_file_of(kept)
                and self._glances.may_be_same(kept.photo.id, each.photo.id)
            ]
            same: list[Present] = []
            for start in range(0, len(likely), _AT_ONCE):
                some = likely[start : start + _AT_ONCE]
                yield from looks.learn([kept, *some])
                same += [each for each in some if looks.same(kept, each)]
            same = [each for each in same if each.is_there()]
            if same and kept.is_there():
                lowest = min(cosines[each.photo.id] for each in same)
                photos = tuple(each.photo for each in (kept, *same))
                yield Duplicates("near", round(min(lowest, 1.0), 4), photos)
            found = [each for each in others if each not in same]


class _Glances:
    """How photos look at a glance, as the catalogue has it; the latest are kept."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._known: OrderedDict[int, Look | None] = OrderedDict()

    def learn(self, ids: Iterable[int]) -> None:
        wanted = dict.fromkeys(ids)
        new = [photo for photo in wanted if photo not in self._known]
        packed = self._selection.looks(new) if new else {}
        for photo in new:
            self._known[photo] = unpacked(packed[photo]) if photo in packed else None
        for photo in wanted:
            self._known.move_to_end(photo)
        while len(self._known) > max(_GLANCES, len(wanted)):
            self._known.popitem(last=False)

    def may_be_same(self, one: int, other: int) -> bool:
        """Also true where nobody has looked yet."""
        first, second = self._known[one], self._known[other]
        return first is None or second is None or may_be_same(first, second)


class _CloseLooks:
    """How photos look closely, decoded now; the latest are kept."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: OrderedDict[str, Look | None] = OrderedDict()

    def learn(self, photos: Iterable[Present]) -> Iterator[LeftOut]:
        """Look at those that are not known; what cannot be read."""
        paths = dict.fromkeys(each.path for each in photos)
        for path in paths.keys() & self._known.keys():
            self._known.move_to_end(path)
        new = [path for path in paths if path not in self._known]
        for result in self._pool.decode(new, task="closely") if new else ():
            if result is None:
                continue
            outcome = result.outcome
            self._known[result.path] = outcome if isinstance(outcome, Look) else None
            if isinstance(outcome, Trouble):
                yield LeftOut(result.path, outcome.reason)
        while len(self._known) > max(_LOOKS, len(paths)):
            self._known.popitem(last=False)

    def same(self, one: Present, other: Present) -> bool:
        first, second = self._known[one.path], self._known[other.path]
        return first is not None and second is not None and same_closely(first, second)


def _root(parent: NDArray[np.int64], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = int(parent[place])
    return place


def _unit(vector: NDArray[np.float16]) -> NDArray[np.float32]:
    wide = vector.astype(np.float32)
    unit: NDArray[np.float32] = wide / np.float32(max(float(np.linalg.norm(wide)), 1e-12))
    return unit


def _spare(several: Sequence[Sequence[PhotoFile]]) -> int:
    sizes = [files[0].stamp.size for files in several]
    return sum(sizes) - max(sizes)


def _cut(
    sets: Sequence[list[list[PhotoFile]]],
) -> Iterator[list[list[list[PhotoFile]]]]:
    """The sets in their order, a few at a time."""
    some: list[list[list[PhotoFile]]] = []
    for each in sets:
        if some and sum(map(len, some)) + len(each) > _AT_ONCE:
            yield some
            some = []
        some.append(each)
    if some:
        yield some


def _present(several: Sequence[Sequence[PhotoFile]]) -> tuple[list[Present], list[LeftOut]]:
    """Of each of several photos, of which there may be copies, a file that is as it was recorded.

    The best comes first.
    """
    found: list[Present] = []
    left: list[LeftOut] = []
    for files in several:
        looked_up = [look_up(file) for file in files]
        here = (each for each in looked_up if isinstance(each, Present) and each.unchanged)
        one = next(here, None)
        if one is not None:
            found.append(one)
        else:
            first = looked_up[0]
            left.append(first if isinstance(first, LeftOut) else LeftOut(first.path, CHANGED))
    found.sort(key=lambda each: rank(each.photo))
    return found, left
