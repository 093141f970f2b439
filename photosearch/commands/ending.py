"""Ending a command at Ctrl-C, or when the system asks to: recorded, and without leftovers."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

# Some programs that start others pass on a Ctrl-C that the terminal has sent to all of them.
_ONE_WISH_SECONDS = 0.5
# The last is Ctrl-Break, or a program that ends another on Windows, where nobody sends TERM.
_ASKING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)


class Ending:
    """Sets `asked` at the first signal, within its context.

    with Ending() as ending:
        for event in library.index(stop=ending.asked):
            ending.waiting = isinstance(event, Held)

    `at_once` is called at the first signal, in its handler.

    An exception at any moment could leave a process behind that decodes, and that is waited for
    without end. So `KeyboardInterrupt` is raised only while nothing would notice the wish, which
    `waiting` tells, and when asked again.
    """

    def __init__(self, at_once: Callable[[], None] = lambda: None) -> None:
        self._at_once = at_once
        self.asked = threading.Event()
        self.waiting = False
        self._first = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        # Only the main thread may, and what the parent has switched off stays so.
        if threading.current_thread() is threading.main_thread():
            for number in _ASKING:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self.asked.is_set():
            self._first = now
            self.asked.set()
            self._at_once()
            if not self.waiting:
                return
        elif now < self._first + _ONE_WISH_SECONDS and not self.waiting:
            return
        raise KeyboardInterrupt
