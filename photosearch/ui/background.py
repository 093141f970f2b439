"""Work in a process beside the server, which tells how far it is."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from traceback import format_exc
from typing import Any

from photosearch.errors import PhotosearchError
from photosearch.pulling.offline import allow_this_process

# What a process does: it is given a function that tells the server something, and `arguments`.
Work = Callable[..., None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Broken:
    """What ended a process that nobody expected."""

    kind: str
    trace: str


class BackgroundProcess:
    """One process at a time. It may be killed at any moment, and ends with the server.

    `note` is called with what the process tells, on a thread of its own: at last with a
    `PhotosearchError` when it raised one, or with None however else it ended by itself.
    """

    def __init__(self, note: Callable[[Any], None]) -> None:
        self._note = note
        self._lock = threading.Lock()
        self._process: Any = None
        self._thread: threading.Thread | None = None

    def start(self, work: Work, *arguments: object) -> None:
        """Begin; what was begun before is ended."""
        self.end()
        # Fork would copy the server's threads' locks; a spawned process starts clean.
        spawned = multiprocessing.get_context("spawn")
        ours, theirs = spawned.Pipe(duplex=False)
        with self._lock:
            # No daemon: it may have processes of its own. Without the server it ends when it tells.
            process = spawned.Process(target=_live, args=(theirs, work, arguments))
            process.start()
            # With only the process holding its end, its death shows as end of file here.
            theirs.close()
            self._process = process
            self._thread = threading.Thread(
                target=self._follow, args=(ours, process), name="photosearch-background"
            )
            self._thread.start()

    def end(self) -> None:
        """Kill the process, if there is one; afterwards nothing of it goes on."""
        with self._lock:
            process, thread = self._process, self._thread
            self._process = None
            if process is not None:
                process.kill()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _follow(self, pipe: Connection, process: Any) -> None:
        last = None
        with pipe, suppress(EOFError, OSError):
            while self._process is process:
                told = pipe.recv()
                if isinstance(told, PhotosearchError):
                    last = told
                elif isinstance(told, _Broken):
                    _log.error("a background process ended unexpectedly (%s)", told.kind)
                    _log.debug("%s", told.trace)
                elif self._process is process:
                    self._note(told)
        process.join()
        with self._lock:
            by_itself = self._process is process
            if by_itself:
                self._process = None
        if by_itself:
            self._note(last)


def _live(pipe: Connection, work: Work, arguments: tuple[Any, ...]) -> None:
    # Ctrl-C reaches the whole group; the server decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    allow_this_process()
    # When the server is gone, there is nobody to tell.
    with suppress(BrokenPipeError):
        try:
            work(pipe.send, *arguments)
        except PhotosearchError as error:
            pipe.send(PhotosearchError(str(error)))
        except Exception as error:
            pipe.send(_Broken(type(error).__name__, format_exc()))
