"""Texts that were searched for, kept beside the library for whoever types the next one."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from pathlib import Path

from index.catalogue.functions import same_name
from index.safety.private import private_opener
from photosearch.errors import LibraryError

_FILE = "recent.json"
_MOST = 50


class RecentSearches:
    """The latest texts, newest first, each once; in a file of the library folder.

    With `kept` only: where others can open the page, nobody is shown what somebody else looked for.
    """

    def __init__(self, library: Path, *, kept: bool) -> None:
        self._path, self._kept = library / _FILE, kept
        self._lock = threading.Lock()

    def all(self) -> list[str]:
        """Nothing where the file cannot be read."""
        if not self._kept:
            return []
        try:
            texts = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []

    def add(self, text: str) -> None:
        """Put one first."""
        text = " ".join(text.split())
        if text and self._kept:
            with self._lock:
                others = [other for other in self.all() if not same_name(other, text)]
                self._write([text, *others][:_MOST])

    def clear(self) -> None:
        """Raises `LibraryError` when they cannot be deleted."""
        with self._lock:
            try:
                self._path.unlink(missing_ok=True)
            except OSError as error:
                raise LibraryError(
                    f"{self._path}: cannot be deleted ({error.strerror}); delete it yourself"
                ) from error

    def _write(self, texts: list[str]) -> None:
        beside = self._path.with_suffix(".part")
        # A full or read-only disk: they are not kept, and nothing else depends on them.
        with suppress(OSError):
            with open(beside, "w", encoding="utf-8", opener=private_opener) as file:
                json.dump(texts, file)
            os.replace(beside, self._path)
