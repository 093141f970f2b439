"""What a photo takes to be read and decoded here, as the last run over this library had it.

Runs of the model that comes with photosearch tell: it takes next to no time itself.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

from photosearch.indexing.events import Event, Indexed

_FILE = "speed.json"
# Of fewer photos the start of the processes would be what was measured.
_FEWEST = 40
# Seconds, where nothing was measured yet: a photo of 12 megapixels, on two cores.
_USUAL = 0.03


class Speed:
    """Notes when photos are encoded, and keeps for the library what one took."""

    def __init__(self, library: Path) -> None:
        self._path = library / _FILE
        self._started: float | None = None
        self._last = 0.0
        self._photos = 0

    def note(self, event: Event) -> None:
        """Take an event in, now."""
        if not isinstance(event, Indexed):
            return
        now = time.monotonic()
        if self._started is None:
            self._started = now
        else:
            self._photos += len(event.paths)
            self._last = now

    def keep(self) -> None:
        """Keep it, where enough photos were encoded to tell."""
        if self._started is None or self._photos < _FEWEST:
            return
        reading = (self._last - self._started) / self._photos
        # A full or read-only disk: the usual is told.
        with suppress(OSError):
            self._path.write_text(json.dumps({"reading": round(reading, 4)}), encoding="utf-8")


def reading_seconds(library: Path) -> float:
    """What was kept for the library, or what is usual."""
    try:
        kept = json.loads((library / _FILE).read_text(encoding="utf-8"))
        reading = float(kept["reading"])
    except (OSError, ValueError, KeyError, TypeError):
        return _USUAL
    return min(max(reading, 0.001), 60.0)
