"""Processes that make small pictures of files, and contain a decoder's crash."""

from __future__ import annotations

import io
import multiprocessing
import os
import queue
import signal
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from photosearch.indexing.formats import DecodeError, open_picture
from photosearch.indexing.formats.pillow import prepare as prepare_decoders
from photosearch.indexing.limits import Limits, limit_memory, limits_of_machine, seconds_to_read
from photosearch.indexing.printed import Listening, Printed

_QUALITY = 80
# What a spawned process may take to come up on a busy machine.
_START_SECONDS = 60.0


@dataclass(frozen=True)
class Small:
    """A picture as WebP, and the size and time of change of the file that it was made from."""

    data: bytes
    size: int
    mtime_ns: int


class ShrinkError(Exception):
    """No small picture can be made of a file; the message is the reason."""


@dataclass(frozen=True)
class _Task:
    path: str
    side: int
    future: Future[Small]


class Shrinkers:
    """A pool of `count` processes, started when the first picture is asked for.

    The latest asked for is made first: it is what is on the screen.
    """

    def __init__(self, count: int = 2, limits: Limits | None = None) -> None:
        self._count = count
        self._limits = limits or limits_of_machine(max(2, count))
        self._waiting: queue.LifoQueue[_Task | None] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def shrink(self, path: str, side: int) -> Future[Small]:
        """The picture at `path`, upright, at most `side` pixels wide and high.

        The future raises `ShrinkError`; it may be cancelled until it is begun.
        """
        future: Future[Small] = Future()
        with self._lock:
            if self._closed:
                raise ShrinkError("the server is stopping")
            if len(self._threads) < self._count:
                thread = threading.Thread(target=self._work, name="photosearch-shrink", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._waiting.put(_Task(path, side, future))
        return future

    def close(self) -> None:
        with self._lock:
            self._closed = True
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        while not self._waiting.empty():
            task = self._waiting.get_nowait()
            if task is not None:
                task.future.cancel()

    def _work(self) -> None:
        process = _Process(self._limits)
        try:
            while (task := self._waiting.get()) is not None:
                if not task.future.set_running_or_notify_cancel():
                    continue
                try:
                    task.future.set_result(process.shrink(task.path, task.side))
                except BaseException as error:
                    task.future.set_exception(error)
        finally:
            process.stop()


class _Process:
    """One process, used by one thread, and started anew when it has died or been killed."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # Fork would copy the parent's threads' locks; a spawned process starts clean everywhere.
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._pipe: Connection | None = None
        self._printed: Printed | None = None

    def shrink(self, path: str, side: int) -> Small:
        pipe = self._running()
        seconds = self._limits.seconds_for(path) + seconds_to_read(path)
        try:
            pipe.send((path, side))
            if not pipe.poll(seconds):
                self.stop()
                raise ShrinkError(f"took longer than {seconds:.3g} s to decode")
            outcome: Small | str = pipe.recv()
        except (EOFError, OSError):
            self.stop()
            raise ShrinkError("crashed the decoder") from None
        if isinstance(outcome, str):
            raise ShrinkError(outcome)
        return outcome

    def _running(self) -> Connection:
        if self._pipe is None:
            self._pipe, theirs = self._context.Pipe()
            self._printed = Printed()
            self._process = self._context.Process(
                target=_serve, args=(theirs, self._limits, self._printed.path), daemon=True
            )
            self._process.start()
            # With only the process holding its end, its death shows as end of file here.
            theirs.close()
            if not self._pipe.poll(_START_SECONDS):
                self.stop()
                raise ShrinkError("the process that makes small pictures does not start")
            try:
                self._pipe.recv()
            except (EOFError, OSError):
                self.stop()
                raise ShrinkError("the process that makes small pictures cannot start") from None
        return self._pipe

    def stop(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._printed is not None:
            self._printed.close()
        self._pipe = self._process = self._printed = None


def _serve(pipe: Connection, limits: Limits, printed: str) -> None:
    """The life of a process: shrink what comes until the other end is closed."""
    # Ctrl-C reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare_decoders()
    listening = Listening(printed)
    limit_memory(limits.memory)
    try:
        pipe.send(None)
        while True:
            path, side = pipe.recv()
            pipe.send(_outcome(path, side, limits.max_pixels))
            listening.take()  # the index run has told of it
    except (EOFError, OSError):
        return


def _outcome(path: str, side: int, max_pixels: int) -> Small | str:
    try:
        return make_small(path, side, max_pixels)
    except FileNotFoundError:
        return "is not there any more"
    except PermissionError:
        return "may not be read; check its permissions"
    except DecodeError as error:
        return str(error)
    # On damaged files the decoders raise whatever their parsing tripped over.
    except Exception as error:
        return f"cannot be decoded ({' '.join(str(error).split()) or type(error).__name__})"


def make_small(path: str, side: int, max_pixels: int) -> Small:
    """The picture at `path`, upright, first frame, at most `side` pixels wide and high."""
    from PIL.Image import Resampling

    from photosearch.encoders.preprocess import to_rgb

    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        suffix = os.path.splitext(path)[1].lower()
        image = open_picture(file, suffix, side, max_pixels).image
    scale = min(1.0, side / max(image.size))
    width, height = (max(1, round(length * scale)) for length in image.size)
    image = to_rgb(image).resize((width, height), Resampling.LANCZOS, reducing_gap=3.0)
    out = io.BytesIO()
    # Nothing of the file's metadata goes along.
    image.save(out, "WEBP", quality=_QUALITY, method=2)
    return Small(out.getvalue(), status.st_size, status.st_mtime_ns)
