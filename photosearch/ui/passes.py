"""Passes over all photos in the background: each while it is switched on, and nothing else changes
the library.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from photosearch.errors import PhotosearchError
from photosearch.library import Library
from photosearch.ui.background import BackgroundProcess, Work

# Seconds of work, and then of leaving the library to whoever waits to change it.
_SLICE = 20.0
_GAP = 1.0
# Seconds between two looks for photos that have come, and the longest pause after errors.
_AGAIN, _LONGEST = 30.0, 3600.0


@dataclass(frozen=True)
class Pass:
    """How far a pass is: `done` of `left` photos since it began, `failed` of them in vain.

    `on`: it is to be done. `held`: but not until somebody says so. `running`: it is being done now.
    `error`: why it cannot be.
    """

    on: bool = False
    held: bool = False
    running: bool = False
    done: int = 0
    left: int = 0
    failed: int = 0
    error: str | None = None


@dataclass(frozen=True)
class Step:
    """What a pass tells: so many photos are `begun`, or came to their end."""

    begun: int = 0
    done: int = 0
    failed: int = 0


@dataclass(frozen=True)
class End:
    """The pass has come to its end, or was switched off: these were `left`, since they cannot be
    read. The next is not begun for them alone.
    """

    left: frozenset[int] = frozenset()


class Kept(Protocol):
    """A switch that is remembered; setting it raises `PhotosearchError` where it cannot be."""

    def get(self) -> bool: ...

    def set(self, on: bool) -> None: ...


class BackgroundPass:
    """Does `work` in a process as long as it is switched on. Safe to ask from any thread.

    `work` is called with a function to tell each `Step`, and at last the `End`, and with the
    library folder; `left` gives what in a library it has not looked at, by number. Others may turn
    the switch, too: it is asked each time.
    """

    def __init__(
        self, library: Path, switch: Kept, work: Work, left: Callable[[Library], frozenset[int]]
    ) -> None:
        self._library, self._switch = library, switch
        self._work, self._left = work, left
        self._lock = threading.Lock()
        self._now = Pass(on=switch.get())
        self._process = BackgroundProcess(self._note)
        # Taken to begin and to end, so that nothing begins while somebody wants it ended.
        self._turn = threading.Lock()
        self._paused = 0
        self._closed = threading.Event()
        self._poke = threading.Event()
        # What was left when the pass last came to its end: what cannot be read.
        self._hopeless: frozenset[int] = frozenset()
        self._end: End | None = None
        # How often in turn it ended with an error, and before when it is not begun again.
        self._errors, self._rest = 0, 0.0
        self._thread: threading.Thread | None = None
        if self._now.on:
            self._begin()

    @property
    def now(self) -> Pass:
        if self._is_on():
            self._begin()
        with self._lock:
            return self._now

    def switch(self, on: bool) -> None:
        """Do it, also for what comes later, or no longer; it is remembered.

        Raises `PhotosearchError` where it cannot be remembered.
        """
        self._switch.set(on)
        with self._lock:
            self._now = Pass(on=on, held=self._now.held)
            self._hopeless = frozenset()
            self._errors, self._rest = 0, 0.0
        if on:
            self._begin()
            self._poke.set()
        else:
            self._halt()

    def hold(self, held: bool) -> None:
        """Do nothing until this is taken back, or the server starts anew."""
        with self._lock:
            self._now = replace(self._now, held=held)
        if held:
            self._halt()
        else:
            self._poke.set()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is done meanwhile, so that the library can be changed at once."""
        with self._turn:
            self._paused += 1
        self._halt()
        try:
            yield
        finally:
            with self._turn:
                self._paused -= 1
            self._poke.set()

    def close(self) -> None:
        with self._lock:
            self._closed.set()
        self._poke.set()
        if self._thread is not None:
            self._thread.join()
        self._halt()

    def _halt(self) -> None:
        with self._turn:
            self._process.end()
        with self._lock:
            self._now = replace(self._now, running=False)

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._look, name="photosearch-pass")
                self._thread.start()

    def _look(self) -> None:
        """Start whenever it is wanted and there is something to do."""
        while not self._closed.is_set():
            self._poke.clear()
            if self._wanted():
                self._start()
            self._poke.wait(_AGAIN)

    def _wanted(self) -> bool:
        on = self._is_on()
        with self._lock:
            if not on or self._now.held or self._now.running or time.monotonic() < self._rest:
                return False
        try:
            left = self._unseen()
        except PhotosearchError:
            return False
        with self._lock:
            return bool(left - self._hopeless)

    def _is_on(self) -> bool:
        """Whether it is switched on now, here or by others. Not where that cannot be told."""
        try:
            on, error = self._switch.get(), None
        except PhotosearchError as problem:
            on, error = False, str(problem)
        with self._lock:
            if on != self._now.on or not on:
                self._now = replace(self._now, on=on, error=error)
                self._hopeless = frozenset()
        return on

    def _unseen(self) -> frozenset[int]:
        with Library.open(self._library, readonly=True) as opened:
            return self._left(opened)

    def _start(self) -> None:
        with self._turn:
            on = self._is_on()
            with self._lock:
                if self._paused or not on or self._now.held:
                    return
                # What went wrong is told of until it goes well.
                self._now = Pass(on=True, running=True, error=self._now.error)
                self._end = None
            self._process.start(self._work, self._library)

    def _note(self, told: Step | End | PhotosearchError | None) -> None:
        with self._lock:
            now = self._now
            match told:
                case End():
                    self._end, self._errors = told, 0
                    self._now = replace(now, error=None)
                case Step():
                    self._now = replace(
                        now,
                        left=now.done + now.failed + told.begun if told.begun else now.left,
                        done=now.done + told.done,
                        failed=now.failed + told.failed,
                        error=None if told.done else now.error,
                    )
                case PhotosearchError():
                    self._now = replace(now, running=False, error=str(told))
                    self._errors += 1
                    pause = min(_AGAIN * 2 ** min(self._errors, 10), _LONGEST)
                    self._rest = time.monotonic() + pause
                case None:
                    self._now = replace(now, running=False)
            end = self._end
        if told is None:
            # Without an end it broke off: not to be tried with the same again and again.
            try:
                hopeless = self._unseen() if end is None else end.left
            except PhotosearchError:
                return  # there is no library now
            with self._lock:
                self._hopeless = hopeless


def in_slices(
    library: Library,
    begin: Callable[[], Generator[Step, None, None]],
    wanted: Callable[[], bool],
    between: Callable[[], None] = lambda: None,
) -> bool:
    """Go through what `begin` gives, which the caller tells of, until nothing is left, or it is no
    longer `wanted`; whether that is still so.

    Every so often it is ended, what is to be done `between` is done, and it is begun anew: each
    slice holds the library for itself.
    """
    if hasattr(os, "nice"):
        os.nice(10)  # whoever searches meanwhile must not wait
    while True:
        until = time.monotonic() + _SLICE
        with library.writing(wait=True):
            # Asked once nobody else can change the library: whoever drops all of it says so first.
            if not wanted():
                return False
            with closing(begin()) as steps:
                for step in steps:
                    # Not before it has got on, however long the beginning takes.
                    if step.done + step.failed and time.monotonic() > until:
                        break
                else:
                    return True
        between()
        time.sleep(_GAP)
