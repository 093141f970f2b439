"""How the files of a run are decoded: by how many processes, and how long each file may take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, Self

from photosearch.capacity import usual_workers
from photosearch.encoders import Encoder
from photosearch.encoders.preprocess import Preprocess
from photosearch.indexing.limits import limits_by
from photosearch.indexing.serving import Result, Task
from photosearch.indexing.workers import DecodeWorkers

if TYPE_CHECKING:
    from photosearch.settings import Settings

# Files for each process from which on it has a network of its own: to load it takes longer than to
# hand on the pixels of fewer.
_WORTH = 32


class Pool(Protocol):
    """Decodes files, in any order."""

    def decode(
        self,
        paths: Iterable[str],
        *,
        ready: int = 32,
        task: Task = "picture",
        sidecars: Mapping[str, tuple[str, ...]] | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> Iterator[Result | None]:
        """A result for each of the `paths`, and None after each second without one."""


@dataclass(frozen=True)
class Decoding:
    """So many `workers`, under the limits of `settings`; `nice` ones let others go first.

    With `elsewhere` other machines decode, and encode.
    """

    workers: int
    settings: Settings
    nice: bool = False
    elsewhere: Pool | None = None

    @classmethod
    def of(cls, settings: Settings, workers: int | None = None, *, nice: bool = False) -> Self:
        """By `workers` processes, or else as the settings say, or one a core."""
        return cls(workers or settings.workers or usual_workers(), settings, nice)

    def pool(
        self, preprocess: Preprocess, files: int, encoder: Encoder | None = None
    ) -> AbstractContextManager[Pool]:
        """What decodes so many `files`, and where it can encodes them as `encoder` does."""
        if self.elsewhere is not None:
            return nullcontext(self.elsewhere)
        count = max(1, min(self.workers, files))
        limits = replace(limits_by(self.settings, count), nice=self.nice)
        if encoder is None or files < _WORTH * count:
            return DecodeWorkers(preprocess, count, limits)
        return DecodeWorkers(preprocess, count, limits, partial(encoder.apart, count))
