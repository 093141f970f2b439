"""Processes that make pictures for the page of files, and contain a decoder's crash."""

from __future__ import annotations

import io
import logging
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, TypeVar

from photosearch.elsewhere.addresses import is_address
from photosearch.indexing.formats import DecodeError, open_picture
from photosearch.indexing.formats.colour import srgb_profile
from photosearch.indexing.formats.pillow import prepare as prepare_decoders
from photosearch.indexing.limits import Limits, limit_memory, limits_of_machine, seconds_to_read
from photosearch.indexing.printed import Listening, Printed
from photosearch.indexing.small_picture import QUALITY, shrunk, webp
from photosearch.indexing.workers import without_main
from photosearch.regular_file import NotRegularError, open_regular
from photosearch.serving.full_size import FullSize, Wanted, make_full_size

if TYPE_CHECKING:
    from PIL.Image import Image

T = TypeVar("T")

_log = logging.getLogger(__name__)
# How long a spawned process may take to start on a busy machine.
_START_SECONDS = 60.0
_END_SECONDS = 2.0


@dataclass(frozen=True)
class Small:
    """A picture, and the size and time of change of the file that it was made from.

    `frames` are others of a video, with the seconds from its beginning, where they were asked for.
    """

    data: bytes
    size: int
    mtime_ns: int
    frames: tuple[tuple[float, bytes], ...] = ()


class ShrinkError(Exception):
    """No small picture can be made of a file; the message is the reason."""


class LateError(ShrinkError):
    """It took too long: the file is no ordinary one, or its drive does not answer."""


@dataclass(frozen=True)
class Still:
    """A picture, upright, first frame, in sRGB, at most `side` pixels wide and high.

    Nothing of the file's metadata goes along; a JPEG has `exif`, and is some percent smaller, in
    three times the time, where that is to `optimize`. A decoder may shrink the picture
    until its short side is `least` pixels, by default `side`. Of a video other frames are made,
    too, up to so many `frames`.
    """

    side: int
    least: int | None = None
    form: str = "WEBP"
    quality: int = QUALITY
    exif: bytes = b""
    optimize: bool = True
    frames: int = 0

    def make(self, path: str, max_pixels: int) -> Small:
        suffix = os.path.splitext(path)[1].lower()
        least = self.least or self.side
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            picture = open_picture(file, suffix, least, max_pixels)
            others = picture.frames
            if self.frames and others:
                # Sampled apart: of many frames another one would stand for the video.
                file.seek(0)
                others = open_picture(file, suffix, least, max_pixels, self.frames).frames
        shown = {seconds for seconds, image in picture.frames if image is picture.image}
        frames = tuple(
            (seconds, self._written(image))
            for seconds, image in others
            if self.frames and seconds not in shown
        )
        return Small(self._written(picture.image), status.st_size, status.st_mtime_ns, frames)

    def _written(self, image: Image) -> bytes:
        image = shrunk(image, self.side)
        if self.form == "WEBP":
            return webp(image, self.quality)
        out = io.BytesIO()
        options = {"optimize": self.optimize, "exif": self.exif, "icc_profile": srgb_profile()}
        image.save(out, self.form, quality=self.quality, **options)
        return out.getvalue()


@dataclass(frozen=True)
class _Task:
    path: str
    make: Callable[[str, int], Any]
    future: Future[Any]


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
        self._processes: list[_Process] = []
        self._closed = False

    def shrink(self, path: str, side: int) -> Future[Small]:
        """The picture at `path` as WebP, upright, at most `side` pixels wide and high.

        The future raises `ShrinkError`; it may be cancelled until it is begun.
        """
        return self.make(path, Still(side).make)

    def full_size(self, path: str, wanted: Wanted) -> Future[FullSize]:
        """The picture at `path` as large as it is; otherwise as `shrink`."""
        return self.make(path, partial(make_full_size, wanted=wanted))

    def make(self, path: str, make: Callable[[str, int], T]) -> Future[T]:
        """What `make` gives for `path` and the most pixels there may be; otherwise as `shrink`.

        It is sent to a process, so its module has to be importable there.
        """
        future: Future[T] = Future()
        if is_address(path):
            future.set_exception(ShrinkError("is not in a folder; only a small picture is here"))
            return future
        with self._lock:
            if self._closed:
                raise ShrinkError("the server is stopping")
            if len(self._threads) < self._count:
                thread = threading.Thread(target=self._work, name="photosearch-shrink", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._waiting.put(_Task(path, make, future))
        return future

    def close(self) -> None:
        """Give up what is being made, and cancel what waits."""
        with self._lock:
            self._closed = True
            processes = list(self._processes)
        for process in processes:
            process.kill()
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
        with self._lock:
            self._processes.append(process)
        try:
            while (task := self._waiting.get()) is not None:
                if not task.future.set_running_or_notify_cancel():
                    continue
                try:
                    task.future.set_result(process.make(task.path, task.make))
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

    def make(self, path: str, make: Callable[[str, int], Any]) -> Any:
        pipe = self._running()
        seconds = self._limits.seconds_for(path)
        try:
            pipe.send((path, make))
            # Only the process asks the drive how large the file is, which may not answer.
            seconds += self._received(pipe, seconds)
            outcome = self._received(pipe, seconds)
        except (EOFError, OSError):
            self.stop()
            raise ShrinkError("crashed the decoder") from None
        if isinstance(outcome, str):
            _log.debug("%s %s", path, outcome)
            raise ShrinkError(outcome)
        return outcome

    def _received(self, pipe: Connection, seconds: float) -> Any:
        if not pipe.poll(seconds):
            self.stop()
            raise LateError(f"took longer than {seconds:.3g} s to decode")
        return pipe.recv()

    def kill(self) -> None:
        """From another thread, so that whoever waits for the process waits no longer."""
        # It may just be closing.
        with suppress(AttributeError, ValueError):
            self._process.kill()

    def _running(self) -> Connection:
        if self._pipe is None:
            try:
                self._start()
            except OSError as error:
                raise ShrinkError(
                    f"the process that makes small pictures cannot start ({error.strerror})"
                ) from error
            assert self._pipe is not None
            if not self._pipe.poll(_START_SECONDS):
                self.stop()
                raise ShrinkError("the process that makes small pictures does not start")
            try:
                self._pipe.recv()
            except (EOFError, OSError):
                self.stop()
                raise ShrinkError("the process that makes small pictures cannot start") from None
        return self._pipe

    def _start(self) -> None:
        """Nothing of it stays where it cannot, as with too many open files."""
        with ExitStack() as undone:
            ours, theirs = self._context.Pipe()
            # With only the process holding its end, its death shows as end of file here.
            with theirs:
                undone.enter_context(ours)
                printed = Printed()
                undone.callback(printed.close)
                process = self._context.Process(
                    target=_serve, args=(theirs, self._limits, printed.path), daemon=True
                )
                with without_main():
                    process.start()
            undone.pop_all()
        self._pipe, self._process, self._printed = ours, process, printed

    def stop(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join(_END_SECONDS)
            # A drive that does not answer may keep it from dying.
            if self._process.exitcode is not None:
                self._process.close()
        if self._printed is not None:
            self._printed.close()
        self._pipe = self._process = self._printed = None


def _serve(pipe: Connection, limits: Limits, printed: str) -> None:
    """The life of a process: make pictures of what comes until the other end is closed."""
    # Ctrl-C reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare_decoders()
    listening = Listening(printed)
    limit_memory(limits.memory)
    try:
        pipe.send(None)
        while True:
            path, make = pipe.recv()
            pipe.send(seconds_to_read(path))
            pipe.send(_outcome(path, make, limits.max_pixels))
            listening.take()  # the index run has told of it
    except (EOFError, OSError):
        return


def _outcome(path: str, make: Callable[[str, int], Any], max_pixels: int) -> Any:
    """What `make` gives, or the reason why there is nothing."""
    try:
        return make(path, max_pixels)
    except FileNotFoundError:
        return "is not there any more"
    except PermissionError:
        return "may not be read; check its permissions"
    except NotRegularError:
        return "is not a regular file"
    except DecodeError as error:
        return str(error)
    except MemoryError:
        return "needs more memory than there is for one file"
    # On damaged files the decoders raise whatever their parsing tripped over.
    except Exception as error:
        return f"cannot be decoded ({' '.join(str(error).split()) or type(error).__name__})"
