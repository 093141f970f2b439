"""Reinforce a whole data set: many shards, by worker processes, resumable shard by shard."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from tqdm import tqdm

from trainer.data.reinforced import ShardManifest, read_manifest
from trainer.lock import locked
from trainer.orphans import end_with_parent
from trainer.reinforce.card import write_card
from trainer.reinforce.networks import Networks
from trainer.reinforce.shard import Reinforcement, ShardResult, reinforce_shard
from trainer.reinforce.sources import Source


@dataclass(frozen=True)
class ShardJob:
    """What each worker needs to know; sent to it once.

    open_networks: loads them; it must be importable where the worker runs. threads: that PyTorch
    may use in one worker. It is fixed, and not the cores divided by the workers, since the order in
    which threads add up changes the last bits of an embedding. devices: handed to `open_networks`
    as `device`, to each worker the next one of them. readers: threads of each worker that prepare
    views while those before are embedded.
    """

    out: Path
    recipe: Reinforcement
    open_networks: Callable[..., Networks]
    threads: int = 1
    redo: bool = False
    devices: tuple[str, ...] = ()
    readers: int = 0

    def load(self, number: int = 0) -> Networks:
        """The networks of worker `number`."""
        import torch

        torch.set_num_threads(self.threads)
        if not self.devices:
            return self.open_networks()
        return self.open_networks(device=self.devices[number % len(self.devices)])


Pool = Callable[[ShardJob, Sequence[Source], int, "Progress"], Iterator[ShardResult]]
"""Runs a job on each source with so many workers; yields results in the order of completion."""


def reinforce(
    job: ShardJob,
    sources: Sequence[Source],
    *,
    workers: int = 1,
    pool: Pool | None = None,
    licence_lines: Sequence[str] = (),
    source_lines: Sequence[str] = (),
    progress: bool = False,
) -> dict[str, ShardManifest]:
    """Make a shard of each source and the card beside them; the manifests by file name.

    Shards that are finished are left alone, so a run that was cut off goes on. The bytes depend
    neither on the number of workers nor on the pool. The lines go into the card as they are.

    Raises `ValueError` and `PhotoTarError` as `reinforce_shard` does, and `ValueError` when the
    folder holds shards of another run, when another run is at work there or when a worker is
    killed. The other workers then stop after the batch at hand.
    """
    names = [f"{source.name}.tar" for source in sources]
    # Held here for all workers, wherever they run: they end with this process.
    with locked(job.out):
        _refuse_others(job.out, names)
        with Progress(len(sources), shown=progress) as bar:
            for result in (pool or run_local)(job, sources, workers, bar):
                bar.finished(result)
        manifests = {name: read_manifest(job.out / name) for name in names}
        write_card(job.out, manifests, licence_lines=licence_lines, source_lines=source_lines)
        return manifests


def _refuse_others(out: Path, names: Sequence[str]) -> None:
    """The folder is one data set: a stray shard would be trained on, and is not in the card."""
    strangers = {path.name for path in out.glob("*.tar")} - set(names)
    if strangers:
        raise ValueError(
            f"{out}: holds {min(strangers)}, which this command does not make; give all inputs of "
            "the data set in one command, or another --out"
        )


class Progress:
    """A bar in photos: done, rate, time left; behind it the shards.

    How many photos there are is known of the shards that were begun, and taken to be the same in
    the others.
    """

    def __init__(self, shards: int, *, shown: bool) -> None:
        self._bar = tqdm(unit="photo", desc="reinforcing", disable=not shown, smoothing=0.05)
        self._shards, self._done, self._found = shards, 0, 0
        self._begun: list[int] = []
        self._postfix()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()

    def begun(self, photos: int) -> None:
        self._begun.append(photos)
        self._estimate()

    def photos(self, count: int) -> None:
        self._bar.update(count)

    def finished(self, result: ShardResult) -> None:
        self._done += 1
        self._found += not result.made
        for key in result.skipped:
            self._bar.write(f"{result.name}: {key} is not a readable picture; left out")
        self._estimate()
        self._postfix()

    def _estimate(self) -> None:
        if self._begun:
            mean = sum(self._begun) / len(self._begun)
            self._bar.total = round(mean * (self._shards - self._found))
            self._bar.refresh()

    def _postfix(self) -> None:
        found = f" ({self._found} found)" if self._found else ""
        self._bar.set_postfix_str(f"shards {self._done}/{self._shards}{found}")


def run_local(
    job: ShardJob, sources: Sequence[Source], workers: int, bar: Progress
) -> Iterator[ShardResult]:
    """A `Pool` of spawned processes on this machine."""
    context = multiprocessing.get_context("spawn")
    messages = context.SimpleQueue()
    stop = context.Event()
    count = min(workers, len(sources))
    numbers = context.SimpleQueue()
    for number in range(count):
        numbers.put(number)
    executor = ProcessPoolExecutor(count, context, _start_worker, (job, messages, stop, numbers))
    listener = threading.Thread(target=_listen, args=(messages, bar), daemon=True)
    listener.start()
    try:
        futures = [executor.submit(_run_shard, source) for source in sources]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool:
        raise ValueError(
            "a worker process died, perhaps for want of memory; the same command goes on with the "
            "shards that are left (fewer --workers or a smaller --batch-size take less memory)"
        ) from None
    finally:
        stop.set()
        executor.shutdown(cancel_futures=True)
        messages.put(None)
        listener.join()
        messages.close()


def _listen(messages: Any, bar: Progress) -> None:
    while (message := messages.get()) is not None:
        kind, count = message
        (bar.begun if kind == "begun" else bar.photos)(count)


@dataclass
class _Worker:
    """The state of a worker process. The networks are loaded by its first shard."""

    job: ShardJob
    messages: Any
    stop: Event
    number: int
    networks: Networks | None = None


_worker: _Worker | None = None


class _StoppedError(Exception):
    """Another shard failed, so this one is given up."""


def _start_worker(job: ShardJob, messages: Any, stop: Event, numbers: Any) -> None:
    global _worker
    # Ctrl-C reaches every process of the terminal; the parent tells its workers by `stop`.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    _worker = _Worker(job, messages, stop, numbers.get())


def _run_shard(source: Source) -> ShardResult:
    assert _worker is not None
    worker, job = _worker, _worker.job
    if worker.stop.is_set():
        raise _StoppedError
    # Not in `_start_worker`: an executor whose initialiser fails does not say why.
    if worker.networks is None:
        worker.networks = job.load(worker.number)
    begun = False

    def report(photos: int) -> None:
        nonlocal begun
        if worker.stop.is_set():
            raise _StoppedError
        if not begun:
            begun = True
            worker.messages.put(("begun", source.count()))
        worker.messages.put(("photos", photos))

    return reinforce_shard(
        source,
        job.out,
        job.recipe,
        worker.networks,
        redo=job.redo,
        report=report,
        readers=job.readers,
    )
