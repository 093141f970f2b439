"""The end of a program that was asked to end, even where something in it cannot be woken."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
import time
from contextlib import suppress

_log = logging.getLogger(__name__)
# How long closing may take; the catalogue can bear an end at any moment.
SECONDS = 4.0


def end_in_time(code: int, seconds: float = SECONDS) -> None:
    """Let this process, and those it has started, live for so many `seconds` at most.

    Whoever reads from a drive that does not answer waits in the system, and is not woken by us; nor
    does Python end while threads wait.
    """
    threading.Thread(
        target=_end, args=(code, seconds), name="photosearch-last-resort", daemon=True
    ).start()


def _end(code: int, seconds: float) -> None:
    time.sleep(seconds)
    _log.warning("something did not end within %g s; leaving without it", seconds)
    for process in multiprocessing.active_children():
        with suppress(OSError, ValueError):
            process.kill()
    logging.shutdown()
    os._exit(code)
