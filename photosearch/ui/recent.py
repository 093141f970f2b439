"""Texts that were searched for, kept beside the library for whoever types the next one."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from pathlib import Path

from index.catalogue.functions import same_name
from index.safety.whole import write_whole
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
        try:
            return self._read() if self._kept else []
        except OSError:
            return []

    def _read(self) -> list[str]:
        """Raises `OSError` where there is a file that cannot be read."""
        try:
            texts = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return []
        return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []

    def add(self, text: str) -> None:
        """Put one first."""
        text = " ".join(text.split())
        if text and self._kept:
            # A full or read-only disk: it is not kept, and nothing else depends on it. Where the
            # others cannot be read, they are not written over.
            with self._lock, suppress(OSError):
                others = [other for other in self._read() if not same_name(other, text)]
                write_whole(self._path, json.dumps([text, *others][:_MOST]).encode())

    def clear(self) -> None:
        """Raises `LibraryError` when they cannot be deleted."""
        with self._lock:
            try:
                self._path.unlink(missing_ok=True)
            except OSError as error:
                raise LibraryError(
                    f"{self._path}: cannot be deleted ({error.strerror}); delete it yourself"
                ) from error
