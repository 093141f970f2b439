"""One window for each library: a second start asks the first one to come forward."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from index.safety.private import make_private_folder, private_opener
from photosearch.errors import LibraryError
from photosearch.library import Library

if TYPE_CHECKING:
    from filelock import FileLock

_LOCK = "desktop.lock"
_NOTE = "desktop.json"
# Seconds for the first start to say where it is, after it has taken the lock.
_PATIENCE = 60.0


class Instance:
    """The lock of the window of the library in `folder`, and a note of where its server listens.

    The system frees the lock when its holder ends, however that ends.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: FileLock | None = None
        self.secret = secrets.token_urlsafe(24)

    def take(self) -> bool:
        """Become the one; False when another process is. Raises `LibraryError`."""
        from filelock import FileLock, Timeout

        try:
            make_private_folder(self._folder)
            # Not replaced, where a file system knows no locks, by a file that outlives its holder.
            self._lock = FileLock(self._folder / _LOCK, fallback_to_soft=False)
            self._lock.acquire(timeout=0)
        except Timeout:
            self._lock = None
            return False
        except (OSError, NotImplementedError) as error:
            self._lock = None
            if Library.exists(self._folder):
                # It can be looked at, as on a full or read-only disk; each start has a window then.
                return True
            raise LibraryError(
                f"{self._folder}: cannot be used as a library folder ({error}); use another"
            ) from error
        return True

    def tell(self, port: int) -> None:
        """Note where the server listens, for the next start; only this user can read it.

        On a full or read-only disk the next start has a window of its own.
        """
        note = json.dumps({"port": port, "secret": self.secret})
        path = self._folder / _NOTE
        with suppress(OSError):
            path.unlink()
        with suppress(OSError), open(path, "x", encoding="utf-8", opener=private_opener) as file:
            file.write(note)

    def bring_forward(self) -> bool:
        """Ask the one that runs to show its window; whether it answered."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            note = self._note()
            if note is not None and _asked(*note):
                return True
            time.sleep(0.2)
            if self.take():
                # It has ended meanwhile.
                return False
        return False

    def _note(self) -> tuple[int, str] | None:
        try:
            note = json.loads((self._folder / _NOTE).read_text(encoding="utf-8"))
            return int(note["port"]), str(note["secret"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def leave(self) -> None:
        if self._lock is not None:
            with suppress(OSError):
                (self._folder / _NOTE).unlink()
            self._lock.release()
            self._lock = None


def _asked(port: int, secret: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        body = json.dumps({"secret": secret})
        connection.request("POST", "/api/show", body, {"content-type": "application/json"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
