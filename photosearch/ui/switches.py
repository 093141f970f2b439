"""What was switched on in the page, kept in the library folder."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

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
            return (self._kept() | self._unwritten).get(name) is True

    def __setitem__(self, name: str, on: bool) -> None:
        with self._lock:
            kept = self._kept() | self._unwritten | {name: on}
            try:
                self._path.write_text(json.dumps(kept), encoding="utf-8")
                self._unwritten.clear()
            except OSError:
                self._unwritten[name] = on
                _log.warning("the switch %s cannot be kept", name, exc_info=True)

    def _kept(self) -> dict[str, object]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}
