"""What was switched on in the page, kept in the library folder."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from index.safety.whole import write_whole

_FILE = "ui.json"
_log = logging.getLogger(__name__)


class Switches:
    """Switches, each by its name; off until it is switched on. Safe to ask from any thread."""

    def __init__(self, library: Path) -> None:
        self._path = library / _FILE
        self._lock = threading.Lock()
        # What could not be written holds for as long as the page is served.
        self._unwritten: dict[str, object] = {}

    def __getitem__(self, name: str) -> bool:
        with self._lock:
            try:
                kept = self._kept()
            except OSError:
                kept = {}
            return (kept | self._unwritten).get(name) is True

    def __setitem__(self, name: str, on: bool) -> None:
        with self._lock:
            try:
                # Where the others cannot be read, they are not to be written over.
                kept = self._kept() | self._unwritten | {name: on}
                write_whole(self._path, json.dumps(kept).encode())
                self._unwritten.clear()
            except OSError as error:
                self._unwritten[name] = on
                _log.warning("the switch %s cannot be kept: %s", name, error)

    def _kept(self) -> dict[str, object]:
        """Raises `OSError` where there is a file that cannot be read."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}
