"""What is asked of a drive with people's photos, which may never answer.

A network drive that sleeps and a USB disk that fails hold whoever asks in the system, where nothing
wakes them. So each call is made by a thread that can be given up, and a drive that is silent costs
the one who asked, no other and not the end of the program.
"""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from queue import SimpleQueue
from typing import Any, BinaryIO, TypeVar, cast

from photosearch.elsewhere.addresses import is_address
from photosearch.elsewhere.files import is_there as there_elsewhere

T = TypeVar("T")

# What a disk that has to start turning may take.
SECONDS = 20.0
# Threads in all, and those that wait for files of one folder without an answer in time.
_MOST, _MOST_SILENT = 64, 2
# Read at once from a file; a call costs some 50 µs.
_PIECE = 1 << 18
# Seconds for which a call gathers small answers.
_MOMENT = 0.05


class NoAnswerError(OSError):
    """The drive that a file or folder is on does not answer; `told` is a sentence for the user."""

    told = "The drive does not answer. Try again when it is awake or connected."

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(
            None, "its drive does not answer; try again when it is awake or connected", path
        )


def within(path: str, do: Callable[..., T], *given: object) -> T:
    """What `do` gives, or raises, for the file at `path`, for a caller that may wait.

    Raises `NoAnswerError` after `SECONDS`, or at once where others wait for the same drive.
    """
    call = _calls.begin(path, do, given)
    try:
        return cast(T, call.future.result(SECONDS))
    except LateError:
        # The system has an error of that kind, too.
        if call.future.done():
            raise
        _calls.give_up(call)
        raise NoAnswerError(path) from None


async def answer(path: str, do: Callable[..., T], *given: object) -> T:
    """As `within`, without keeping the event loop."""
    import asyncio  # which commands do without

    call = _calls.begin(path, do, given)
    try:
        done, _ = await asyncio.wait([asyncio.wrap_future(call.future)], timeout=SECONDS)
    except asyncio.CancelledError:
        _calls.give_up(call)
        raise
    if not done:
        _calls.give_up(call)
        raise NoAnswerError(path)
    return cast(T, done.pop().result())


def is_there(path: str) -> bool:
    """Whether anything is at `path`; so it is taken to be where its drive does not answer."""
    if is_address(path):
        return there_elsewhere(path)
    try:
        return within(path, os.path.lexists, path)
    except NoAnswerError:
        return True


def steadily(path: str, items: Iterator[T]) -> Iterator[T]:
    """`items`, each of which is looked for on the drive of `path`.

    Raises `NoAnswerError` when the next does not come in time.
    """
    while chunk := within(path, _some, items):
        yield from chunk


def _some(items: Iterator[T]) -> list[T]:
    """The next of `items`, and those that come within a moment: a call costs more than most."""
    found: list[T] = []
    end = time.monotonic() + _MOMENT
    for item in items:
        found.append(item)
        if time.monotonic() >= end:
            break
    return found


def answering(path: str, file: BinaryIO) -> BinaryIO:
    """`file`, which is at `path`, read by calls that end: each raises `NoAnswerError` in time."""
    return cast(BinaryIO, io.BufferedReader(_AnsweringFile(path, file), _PIECE))


class _AnsweringFile(io.RawIOBase):
    def __init__(self, path: str, file: BinaryIO) -> None:
        self._path, self._file = path, file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # Not into the buffer itself, which a call that was given up would write to later.
        data = within(self._path, self._file.read, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return within(self._path, self._file.seek, offset, whence)

    def tell(self) -> int:
        return within(self._path, self._file.tell)

    def close(self) -> None:
        if not self.closed:
            close_later(self._path, self._file)
        super().close()


def close_later(path: str, file: BinaryIO) -> None:
    """Close the file at `path` without waiting, which may last as long as to read it."""
    try:
        _calls.begin(path, file.close, ())
    except NoAnswerError:
        return  # it is closed with the program


class _Call:
    def __init__(self, path: str, do: Callable[..., Any], given: tuple[object, ...]) -> None:
        self.folder = os.path.dirname(path)
        self.do, self.given = do, given
        self.future: Future[Any] = Future()
        self.begun = time.monotonic()
        self.given_up = False


class _Calls:
    """Threads that make calls; as many as are needed at once, and kept for the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[_Call] = SimpleQueue()
        self._threads = 0
        self._open: set[_Call] = set()

    def begin(self, path: str, do: Callable[..., Any], given: tuple[object, ...]) -> _Call:
        call = _Call(path, do, given)
        with self._lock:
            silent = [one.folder for one in self._open if one.begun < call.begun - SECONDS]
            if silent.count(call.folder) >= _MOST_SILENT or len(silent) >= _MOST:
                raise NoAnswerError(path)
            self._open.add(call)
            if self._threads < min(len(self._open), _MOST):
                self._threads += 1
                # The program's end does not wait for these.
                threading.Thread(target=self._work, name="photosearch-file", daemon=True).start()
            self._waiting.put(call)
        return call

    def give_up(self, call: _Call) -> None:
        """Nobody waits for its result any more."""
        with self._lock:
            call.given_up = True
            if call.future.done():
                _put_away(call)

    def _work(self) -> None:
        while True:
            call = self._waiting.get()
            try:
                if not call.given_up:
                    result = call.do(*call.given)
                    call.future.set_result(result)
                    # Held here it would keep what was read until the next call.
                    del result
            except BaseException as error:
                call.future.set_exception(error)
            with self._lock:
                self._open.discard(call)
                if call.given_up:
                    _put_away(call)
            del call


def _put_away(call: _Call) -> None:
    """Close what a call has opened after all."""
    if call.future.done() and call.future.exception() is None:
        result = call.future.result()
        if isinstance(result, io.IOBase):
            result.close()


_calls = _Calls()
