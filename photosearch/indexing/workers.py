"""Processes that decode pictures: they use all cores, and contain a decoder's crash."""

from __future__ import annotations

import logging
import multiprocessing
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from operator import length_hint
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from photosearch.encoders.preprocess import Preprocess
from photosearch.errors import PhotosearchError
from photosearch.indexing.limits import Limits, limits_of_machine
from photosearch.indexing.printed import Printed
from photosearch.indexing.serving import Message, Result, Task, Trouble, serve

__all__ = ["CRASHED", "KILLED", "DecodeWorkers", "Result", "Trouble"]

# Pictures handed to a worker ahead of time, so that it never waits for the next. One that encodes
# them answers several at once.
_AHEAD, _AHEAD_ENCODING = 4, 16
# Workers killed before they took a file; so many in a row are no accident.
_STILLBORN = 8
# Waking so many seconds late is no longer the scheduler's ordinary delay.
_OVERSLEPT = 2.0
# Signals that no decoder gives itself: the system's, out of memory, and that to end.
_FROM_OUTSIDE = (getattr(signal, "SIGKILL", 9), signal.SIGTERM)
_log = logging.getLogger(__name__)
CRASHED = "crashed the decoder"
KILLED = "its decoder was killed; memory may have run out"


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    printed: Printed
    handed: deque[str] = field(default_factory=deque)
    ready: bool = False
    # The one of `handed` that it is at, and when that must be done, by the monotonic clock. Those
    # before it wait to be encoded.
    begun: str | None = None
    deadline: float | None = None
    seconds: float = 0.0

    def lost(self) -> str:
        """Take from `handed` the file that its end is put down to."""
        path = self.handed[0] if self.begun is None else self.begun
        self.handed.remove(path)
        return path


_Item = Result | BaseException | None


class DecodeWorkers:
    """A pool of `count` decoding processes. Use as a context manager, once.

    A worker that dies takes one file with it, which is reported with a reason; another worker
    takes its place. So it goes with one that takes longer than `limits`, by default the machine's,
    give a file.

    Where `network` gives the folder of a bundle, each encodes the pictures that it has decoded. It
    is asked while they start.
    """

    def __init__(
        self,
        preprocess: Preprocess,
        count: int,
        limits: Limits | None = None,
        network: Callable[[], Path | None] = lambda: None,
    ) -> None:
        self._preprocess = preprocess
        self._count = count
        self._limits = limits_of_machine(max(1, count)) if limits is None else limits
        self._find_network = network
        self._network: Path | None = None
        # Fork would copy the parent's threads' locks; spawned workers start clean everywhere.
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._stillborn = 0
        self._task: Task = "picture"
        self._sidecars: Mapping[str, tuple[str, ...]] = {}
        self._sizes: Mapping[str, int] = {}
        self._stopping = threading.Event()
        # Closing one end wakes the thread that waits at the other.
        self._woken, self._wake = self._context.Pipe(duplex=False)
        self._results: queue.Queue[_Item] = queue.Queue()
        self._feeder: threading.Thread | None = None

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        printed = Printed()
        process = self._context.Process(target=serve, args=(theirs, printed.path), daemon=True)
        try:
            with _without_interrupts(), without_main():
                process.start()
        except BaseException:
            printed.close()
            raise
        # With only the worker holding its end, its death shows as end of file here.
        theirs.close()
        return _Worker(process, ours, printed)

    def _equip(self, worker: _Worker) -> _Worker:
        # Where it has died, `_take` finds out and replaces it.
        with suppress(OSError):
            worker.pipe.send((self._preprocess, self._limits, self._network))
        return worker

    def __enter__(self) -> Self:
        try:
            for _ in range(self._count):
                self._workers.append(self._start())
            self._network = self._find_network()
            for worker in self._workers:
                self._equip(worker)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._wake.close()
        if self._feeder is not None:
            self._feeder.join()
        self._woken.close()
        for worker in self._workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._workers:
            _end(worker.process)
            worker.printed.close()

    def decode(
        self,
        paths: Iterable[str],
        *,
        ready: int = 32,
        task: Task = "picture",
        sidecars: Mapping[str, tuple[str, ...]] | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> Iterator[Result | None]:
        """Decode `paths`, in any order; at most `ready` results wait to be taken.

        `sidecars` are the files that describe some of the paths, and `sizes` the bytes of those at
        addresses, which more time is given for. May be called again when all results are taken.

        Yields None after each second without a result, so that the caller can go on with what it
        has.
        """
        self._results = queue.Queue(ready)
        self._task, self._sidecars, self._sizes = task, sidecars or {}, sizes or {}
        # A thread takes the results in while the caller is busy with the network.
        self._feeder = threading.Thread(target=self._feed, args=(iter(paths),), daemon=True)
        self._feeder.start()
        while True:
            try:
                result = self._results.get(timeout=1.0)
            except queue.Empty:
                yield None
                continue
            if result is None:
                return
            if isinstance(result, BaseException):
                raise result
            yield result

    def _feed(self, paths: Iterator[str]) -> None:
        try:
            again: deque[str] = deque()
            while not self._stopping.is_set():
                self._hand_out(again, paths)
                busy = {worker.pipe: worker for worker in self._workers if worker.handed}
                if not busy:
                    break
                for pipe in self._wait(busy):
                    for result in self._take(busy[pipe], again):
                        self._put(result)
                for worker in busy.values():
                    if _is_late(worker):
                        self._put(self._cut_off(worker, again))
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _wait(self, busy: dict[Connection, _Worker]) -> list[Connection]:
        """The pipes with something to take, once there are any or a deadline has come."""
        deadlines = [worker.deadline for worker in busy.values() if worker.deadline is not None]
        before = time.monotonic()
        timeout = max(0.0, min(deadlines) - before) if deadlines else None
        found = wait([*busy, self._woken], timeout)
        overslept = 0.0 if timeout is None else time.monotonic() - before - timeout
        if overslept > _OVERSLEPT:
            # The machine was suspended, or had no time for us, and so had none for the workers.
            for worker in busy.values():
                if worker.deadline is not None:
                    worker.deadline += overslept
        return [pipe for pipe in busy if pipe in found]

    def _hand_out(self, again: deque[str], paths: Iterator[str]) -> None:
        """One file to each worker, and then one more to each, up to as many ahead."""
        most = _AHEAD if self._network is None else _AHEAD_ENCODING
        for ahead in range(most):
            # The last files wait for whichever worker is free first.
            left = len(again) + length_hint(paths, most * self._count)
            if ahead * self._count >= left:
                return
            for worker in self._workers:
                if len(worker.handed) > ahead:
                    continue
                path = again.popleft() if again else next(paths, None)
                if path is None:
                    return
                worker.handed.append(path)
                # Where it has died, `_take` finds out and replaces it.
                with suppress(OSError):
                    sidecars, size = self._sidecars.get(path, ()), self._sizes.get(path)
                    worker.pipe.send((path, self._task, sidecars, size))

    def _take(self, worker: _Worker, again: deque[str]) -> Sequence[Result]:
        """The next results of `worker`, none when it says that it is up or how far it is."""
        try:
            message: Message = worker.pipe.recv()
        except (EOFError, OSError):
            lost = self._replace(worker, again)
            return () if lost is None else (lost,)
        if isinstance(message, PhotosearchError):
            raise message
        if message is None:
            worker.ready = True
        elif isinstance(message, str):
            worker.begun = message
            worker.seconds = self._limits.seconds_for(message)
            worker.deadline = time.monotonic() + worker.seconds
        elif isinstance(message, float):
            worker.seconds += message
            worker.deadline = (worker.deadline or time.monotonic()) + message
        else:
            self._stillborn = 0
            for result in message:
                worker.handed.remove(result.path)
            if worker.begun not in worker.handed:
                worker.begun = worker.deadline = None
            return message
        return ()

    def _cut_off(self, worker: _Worker, again: deque[str]) -> Result:
        """Kill a worker that takes too long over its file, which is lost; the others wait again."""
        self._workers.remove(worker)
        worker.deadline = None
        worker.process.kill()
        worker.pipe.close()
        _end(worker.process)
        path = worker.lost()
        again.extend(worker.handed)
        self._workers.append(self._equip(self._start()))
        reason = f"took longer than {worker.seconds:.3g} s to decode"
        return Result(path, Trouble(reason, printed=_last_words(worker)))

    def _replace(self, worker: _Worker, again: deque[str]) -> Result | None:
        """Start another in place of a worker that died; its file is lost, the others wait again."""
        self._workers.remove(worker)
        worker.deadline = None
        worker.pipe.close()
        code = _end(worker.process)
        lost = None
        if worker.ready:
            killed = -code in _FROM_OUTSIDE
            trouble = Trouble(KILLED if killed else CRASHED, killed, _last_words(worker))
            lost = Result(worker.lost(), trouble)
        else:
            worker.printed.close()
            # No file is to blame. One that ends by itself would do so each time.
            self._stillborn += 1
            if code >= 0 or self._stillborn > _STILLBORN:
                raise PhotosearchError(
                    f"the processes that decode pictures cannot start (exit code {code})"
                )
        again.extend(worker.handed)
        self._workers.append(self._equip(self._start()))
        return lost

    def _put(self, item: _Item) -> None:
        if isinstance(item, Result) and isinstance(item.outcome, Trouble):
            _log.debug("%s %s\n%s", item.path, item.outcome.reason, item.outcome.trace)
        while not self._stopping.is_set():
            try:
                self._results.put(item, timeout=0.1)
            except queue.Full:
                continue
            return


def _last_words(worker: _Worker) -> str:
    """What a process that is no more printed about its last file."""
    try:
        return worker.printed.take()
    finally:
        worker.printed.close()


def _is_late(worker: _Worker) -> bool:
    """Whether its file is overdue; a worker that has something to say has gone on meanwhile."""
    if worker.deadline is None or time.monotonic() < worker.deadline:
        return False
    return not worker.pipe.poll()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """What starts meanwhile is born deaf to Ctrl-C, which reaches the whole group of processes."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # It is started with the first process, and takes the block off.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_starting = threading.Lock()


@contextmanager
def without_main() -> Iterator[None]:
    """What starts meanwhile does not run the program's main file again, as it would to find in it.

    A worker needs nothing of it; it may import much, and without a guard it would index again.
    """
    with _starting:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _end(process: Any) -> int:
    """Wait for a process that should be ending, and give its exit code, negative for a signal."""
    process.join(5.0)
    if process.is_alive():
        process.kill()
        process.join(5.0)
    if process.exitcode is None:
        # A drive that does not answer may keep it from dying, but not us from going on.
        return -_FROM_OUTSIDE[0]
    code = int(process.exitcode)
    process.close()
    return code
