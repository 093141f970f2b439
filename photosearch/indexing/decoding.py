"""How the files of a run are decoded: by how many processes, and how long each file may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from photosearch.capacity import usual_workers
from photosearch.encoders.preprocess import Preprocess
from photosearch.indexing.limits import limits_by
from photosearch.indexing.workers import DecodeWorkers

if TYPE_CHECKING:
    from photosearch.settings import Settings


@dataclass(frozen=True)
class Decoding:
    """So many `workers`, under the limits of `settings`."""

    workers: int
    settings: Settings

    @classmethod
    def of(cls, settings: Settings, workers: int | None = None) -> Self:
        """By `workers` processes, or else as the settings say, or one a core."""
        return cls(workers or settings.workers or usual_workers(), settings)

    def pool(self, preprocess: Preprocess, files: int) -> DecodeWorkers:
        """Processes for so many `files`."""
        count = max(1, min(self.workers, files))
        return DecodeWorkers(preprocess, count, limits_by(self.settings, count))
