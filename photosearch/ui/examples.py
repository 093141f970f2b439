"""What to search for in a library, as an example."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from index.safety.private import private_opener
from photosearch.library import Library
from photosearch.search.everyday import EVERYDAY
from photosearch.serving.library_thread import LibraryThread

# Which of them this library holds is found out.
PHRASES = EVERYDAY
# Photos that the best one is compared with where the model knows no cut-off.
_SAMPLE = 400
_FILE = "examples.json"


class Examples:
    """Searches that this library answers well; found once for each state of it, and kept."""

    def __init__(self, library: Path, searching: LibraryThread, lookups: LibraryThread) -> None:
        self._path = library / _FILE
        self._searching, self._lookups = searching, lookups
        self._found: dict[str, Any] = {}

    async def best(self, count: int) -> list[str]:
        """Up to `count` texts, each of which finds another photo, best first; then places."""
        status = await self._lookups.ask(Library.status)
        if status.photos == 0:
            return []
        state = [status.model, status.encoded, status.missing, *PHRASES]
        if self._found.get("state") != state:
            self._found = _kept(self._path)
        if self._found.get("state") != state:
            self._found = {"state": state, "texts": await self._find()}
            # A full or read-only disk: they are found anew the next time.
            with (
                suppress(OSError),
                open(self._path, "w", encoding="utf-8", opener=private_opener) as file,
            ):
                json.dump(self._found, file)
        return list(self._found["texts"][:count])

    async def _find(self) -> list[str]:
        scored: list[tuple[float, float, int, str]] = []
        for phrase in PHRASES:
            # One by one, so that somebody who types need not wait for all.
            scored.append(await self._searching.ask(partial(_clearness, text=phrase)))
        chosen: list[str] = []
        photos: set[int] = set()
        for clearness, _, photo, phrase in sorted(scored, reverse=True):
            if clearness > 0 and photo not in photos:
                photos.add(photo)
                chosen.append(phrase)
        places = await self._lookups.ask(_places)
        return [*chosen[:4], *places[:2], *chosen[4:]]


def _kept(path: Path) -> dict[str, Any]:
    """What was found before; nothing when that cannot be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) and isinstance(kept.get("texts"), list) else {}


def _clearness(library: Library, text: str) -> tuple[float, float, int, str]:
    """How surely the best photo shows it, and how much it is like it; the photo, and the text."""
    hits = library.search(text, limit=1, literal=True)
    if not hits:
        return (0.0, 0.0, 0, text)
    score, photo = hits[0].score or 0.0, hits[0].photo_id
    if hits.cutoff is not None:
        # The cut-off lies no further below the best than the model allows, so that many are equal.
        return (round(score - hits.cutoff, 3), score, photo, text)
    hits = library.search(text, limit=_SAMPLE, literal=True, everything=True)
    rest: Sequence[float] = [hit.score or 0.0 for hit in hits[1:]]
    if not rest:
        return (0.0, 0.0, 0, text)
    mean = sum(rest) / len(rest)
    spread = (sum((one - mean) ** 2 for one in rest) / len(rest)) ** 0.5
    return ((score - mean) / (spread + 0.01), score, photo, text)


def _places(library: Library) -> list[str]:
    keys = [one.key for one in library.photos.groups("place") if one.key]
    cities = [json.loads(key)["city"] for key in keys]
    return [f"in {city}" for city in cities if city]
