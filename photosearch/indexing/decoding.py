"""How the files of a run are decoded: by how many processes, and how long each file may take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from photosearch.capacity import usual_workers
from photosearch.encoders.preprocess import Preprocess
from photosearch.indexing.limits import limits_by
from photosearch.indexing.workers import DecodeWorkers

if TYPE_CHECKING:
    from photosearch.settings import Settings


@dataclass(frozen=True)
class Decoding:
    """So many `workers`, under the limits of `settings`; `nice` ones let others go first."""

    workers: int
    settings: Settings
    nice: bool = False

    @classmethod
    def of(cls, settings: Settings, workers: int | None = None, *, nice: bool = False) -> Self:
        """By `workers` processes, or else as the settings say, or one a core."""
        return cls(workers or settings.workers or usual_workers(), settings, nice)

    def pool(self, preprocess: Preprocess, files: int) -> DecodeWorkers:
        """Processes for so many `files`."""
        count = max(1, min(self.workers, files))
        limits = replace(limits_by(self.settings, count), nice=self.nice)
        return DecodeWorkers(preprocess, count, limits)
