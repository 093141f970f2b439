"""Which photos a batch shows: each of an epoch once, drawn again and again, or as they come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.data.forms import Contents
from trainer.data.reinforced import ReinforcedSample
from trainer.train.order import EpochOrder
from trainer.train.recipe import Recipe
from trainer.train.shards import Shards
from trainer.train.streams import Streams


class Source(Protocol):
    """Where the photos of batches come from."""

    contents: Contents
    digest: str
    """Of what the photos are: a run goes on only with the same."""

    def choose(self, step: int, places: NDArray[np.int64], attempt: int) -> Sequence[int]:
        """The numbers of the photos at `places` of the batch of `step`.

        attempt: 0, or how many that were chosen before could not be read.
        """

    def read(self, number: int) -> ReinforcedSample:
        """Photo `number`; raises `ValueError` or `PhotoTarError` when it cannot be read."""


class Epochs:
    """Every photo once, in another order in each epoch; what is left over at its end sits it out.

    Raises `ValueError` when the shards hold fewer photos than a batch.
    """

    def __init__(self, shards: Shards, batch: int, seed: int, mixed: int = 0) -> None:
        if len(shards) < batch:
            raise ValueError(
                f"run.batch = {batch}: is more than the {len(shards)} photos to train on"
            )
        self.contents, self.digest = shards.contents, shards.digest
        self._shards, self._batch = shards, batch
        self._order = EpochOrder(shards.firsts, seed, mixed)

    def choose(self, step: int, places: NDArray[np.int64], attempt: int) -> Sequence[int]:
        count = len(self._shards)
        epoch, number = divmod(step, count // self._batch)
        # In the place of one that cannot be read comes one from far away, perhaps a second time.
        moved = number * self._batch + places + attempt * (count // 7 + 1)
        found: list[int] = self._order.at(moved % count, epoch).tolist()
        return found

    def read(self, number: int) -> ReinforcedSample:
        return self._shards.read(number)


class Drawn:
    """Photos drawn at random, again and again, from parts of the shards by their weights.

    parts: numbers of the first photo and behind the last of each part.
    """

    def __init__(
        self, shards: Shards, parts: Sequence[tuple[int, int]], weights: Sequence[float], seed: int
    ) -> None:
        self.contents, self.digest = shards.contents, shards.digest
        self._shards, self._seed = shards, seed
        self._parts = np.asarray(parts, np.int64)
        self._shares = np.cumsum(weights) / np.sum(weights)

    def choose(self, step: int, places: NDArray[np.int64], attempt: int) -> Sequence[int]:
        found = []
        for place in places.tolist():
            random = np.random.default_rng((self._seed, step, place, attempt, len(self._parts)))
            start, end = self._parts[np.searchsorted(self._shares, random.random(), side="right")]
            found.append(int(random.integers(start, end)))
        return found

    def read(self, number: int) -> ReinforcedSample:
        return self._shards.read(number)


def open_source(recipe: Recipe) -> tuple[Source, str]:
    """The photos that a recipe trains on, and what they are, for people.

    Raises `ValueError` or `PhotoTarError` naming what is not there or cannot be read.
    """
    data, run = recipe.data, recipe.run
    groups = recipe.train_groups()
    if data.streams:
        streams = Streams(
            [group for group in groups if group],
            data.weights,
            seed=run.seed,
            buffer=data.shuffle_buffer,
            teacher_dims=data.teacher_dims,
        )
        return streams, f"{sum(map(len, groups)):,} shards, streamed"
    shards = Shards([Path(tar) for group in groups for tar in group], data.teacher_dims)
    told = f"{len(shards):,} photos"
    if data.weights:
        ends = np.cumsum([len(group) for group in groups])
        edges = [0, *shards.firsts[ends].tolist()]
        return Drawn(shards, list(pairwise(edges)), data.weights, run.seed), f"{told}, drawn"
    return Epochs(shards, run.batch, run.seed, data.shuffle_shards), told
