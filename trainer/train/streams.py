"""Shards that are read as they come, from a server, a bucket, a command, or a disk that is slow.

They are drawn at random, again and again, and photos are mixed with those that came shortly before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.forms import Contents, contents_of, form_of, read_form
from trainer.data.reinforced import ReinforcedSample
from trainer.data.remote import remote_samples

# Photos of which a run is told what they are before it begins.
_LOOKED_AT = 4


@dataclass(frozen=True)
class _Found:
    key: str
    members: dict[str, bytes]
    url: str


class Streams:
    """A `Source` of photos in shards at `groups` of URLs.

    Which group the next photo is from is drawn by `weights`, or by their numbers of shards. In each
    worker `buffer` photos wait to be drawn from.

    What comes is a function of the seed and of the step at which a worker began, so a run that goes
    on sees other photos than one that was never stopped.

    Raises `ValueError` naming the first shard when it cannot be read or holds no photos.
    """

    def __init__(
        self,
        groups: Sequence[Sequence[str]],
        weights: Sequence[float],
        *,
        seed: int,
        buffer: int,
        teacher_dims: Sequence[int] = (),
    ) -> None:
        self._groups = [list(group) for group in groups]
        shares = weights or [len(group) for group in groups]
        self._shares = np.cumsum(shares) / np.sum(shares)
        self._seed, self._buffer = seed, buffer
        self._photos: Iterator[_Found | Exception] | None = None
        self.contents = self._look(self._groups[0][0], teacher_dims)
        # Where they lie may change; how many there are, and what they hold, may not.
        facts = [sorted(map(len, self._groups)), self.contents]
        self.digest = hashlib.sha256(repr(facts).encode()).hexdigest()

    def choose(self, step: int, places: NDArray[np.int64], attempt: int) -> Sequence[int]:
        if self._photos is None:
            # No two workers are ever asked for the same place.
            self._photos = self._mixed((self._seed, step, int(places[0])))
        return [0] * len(places)

    def read(self, number: int) -> ReinforcedSample:
        """The next photo."""
        assert self._photos is not None, "choose comes first"
        found = next(self._photos)
        if isinstance(found, Exception):
            raise ValueError(str(found))
        return read_form(self.contents.form, found.key, found.members, f"{found.url}: {found.key}")

    def __getstate__(self) -> dict[str, Any]:
        # Each worker has streams of its own.
        return {**self.__dict__, "_photos": None}

    def _mixed(self, key: tuple[int, ...]) -> Iterator[_Found | Exception]:
        """Photos without end; a shard that cannot be read is an error in between."""
        random = np.random.default_rng(key)
        sources = [self._shards(group, (*key, number)) for number, group in enumerate(self._groups)]
        waiting: list[_Found] = []
        while True:
            found = next(sources[np.searchsorted(self._shares, random.random(), side="right")])
            # Not held back: when all shards fail the run shall hear of it.
            if isinstance(found, Exception):
                yield found
                continue
            waiting.append(found)
            # Soon there is something to begin with, and later more to draw from.
            wanted = self._buffer if random.random() < 0.5 else self._buffer // 10
            if len(waiting) > wanted:
                place = int(random.integers(len(waiting)))
                waiting[place], waiting[-1] = waiting[-1], waiting[place]
                yield waiting.pop()

    def _shards(self, urls: list[str], key: tuple[int, ...]) -> Iterator[_Found | Exception]:
        from webdataset import ResampledShards

        seed = int(np.random.SeedSequence(key).generate_state(1)[0])
        drawn = ResampledShards(urls, seed=seed, deterministic=True, worker_seed=lambda: 0)
        for one in drawn:
            empty = True
            try:
                for name, members in remote_samples(one["url"]):
                    empty = False
                    yield _Found(name, members, one["url"])
            except OSError as error:
                yield error
                continue
            if empty:
                yield ValueError(f"{one['url']}: holds no photos")

    def _look(self, url: str, teacher_dims: Sequence[int]) -> Contents:
        samples = []
        form = None
        try:
            for key, members in remote_samples(url):
                form = form or form_of(members)
                try:
                    samples.append(read_form(form, key, members, f"{url}: {key}"))
                except ValueError:
                    # Said and counted when the run comes to it.
                    continue
                if len(samples) == _LOOKED_AT:
                    break
        except OSError as error:
            raise ValueError(str(error)) from None
        if form is None or not samples:
            raise ValueError(f"{url}: holds no photos to train on")
        return contents_of(form, samples, teacher_dims)
