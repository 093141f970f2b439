"""Many people who search in one library over HTTP, and what that costs the server.

The load is open: a user searches at fixed times, whether or not the answer before is there, as
people do. The users are one process with a socket each, and what that works is told apart.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import numpy as np
import psutil

from benchmarks.libraries import make_library
from benchmarks.synthetic import captions
from benchmarks.tables import fill_page, markdown_table, write_text
from benchmarks.timing import machine
from photosearch.encoders import bundled_path, open_encoder

USERS, EVERY, CORES = 200, 3.0, 2
# Searches one after the other, to see what one costs.
_ALONE = 200
# Times as many users as the machine can bear, and for so many seconds.
_TOO_MANY, _CROWDED = 4, 3.0
T = TypeVar("T")


@dataclass
class Answers:
    """Seconds from when a user searches to the answer, the waits that 429 asks for included."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    without_retry_after: int = 0


class User:
    """A connection that is kept, as a browser's or a proxy's."""

    def __init__(self, port: int, answers: Answers) -> None:
        self._port, self._answers = port, answers
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def search(self, text: str) -> None:
        began = time.perf_counter()
        try:
            while True:
                status, headers = await self._ask(f"/v1/search?q={quote(text)}")
                self._answers.statuses[status] += 1
                if status != 429:
                    break
                if "retry-after" not in headers:
                    self._answers.without_retry_after += 1
                await asyncio.sleep(float(headers.get("retry-after", 1)) * (0.5 + random.random()))
        except (OSError, asyncio.IncompleteReadError):
            self._answers.lost += 1
            self._streams = None
            return
        if status != 200:
            self._answers.lost += 1
        self._answers.seconds.append(time.perf_counter() - began)

    async def _ask(self, target: str) -> tuple[int, dict[str, str]]:
        """One that the server has closed meanwhile is opened anew, as every client does."""
        if self._streams is not None:
            try:
                return await self._asked(target)
            except (ConnectionError, asyncio.IncompleteReadError):
                self._streams[1].close()
        self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        return await self._asked(target)

    async def _asked(self, target: str) -> tuple[int, dict[str, str]]:
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])
        }
        await reader.readexactly(int(headers.get("content-length", 0)))
        return int(head[0].split()[1]), headers

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


def on_a_loop(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner() as runner:
        return runner.run(work)


async def crowd(port: int, users: int, seconds: float, every: float, seed: int) -> Answers:
    """So many users, who begin one after the other within the time of one search each."""
    answers, chosen = Answers(), random.Random(seed)
    texts, end = captions(), time.perf_counter() + seconds

    async def one(number: int) -> None:
        user = User(port, answers)
        due = time.perf_counter() + every * number / users
        while due < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            # A connection takes one search at a time; who is late asks at once.
            await user.search(f"a photo of {chosen.choice(texts)}")
            due += every
        user.close()

    await asyncio.gather(*(one(number) for number in range(users)))
    return answers


def worked(process: psutil.Process) -> float:
    """Processor seconds of a process, to the microsecond, as far as its threads live."""
    total = 0.0
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0]) / 1e9
    return total


def queued(costs: list[float], users: int, every: float, cores: int, seed: int) -> float:
    """The 95th percentile of seconds to an answer, when searches of such processor seconds come at
    such times to so many cores and nothing else runs: first come, first served.
    """
    draw = random.Random(seed)
    comes = sorted(
        draw.uniform(0, every) + every * turn for turn in range(100) for _ in range(users)
    )
    free = [0.0] * cores
    taken = []
    for moment in comes:
        begin = max(moment, heappop(free))
        end = begin + draw.choice(costs)
        heappush(free, end)
        taken.append(end - moment)
    return float(np.quantile(taken, 0.95))


def run(work: Path, out: Path, photos: int, seconds: float, workers: int) -> None:
    """Write serving.md to `out`; the library is made in `work` unless it is there."""
    encoder = open_encoder(bundled_path())
    library = work / f"{photos}"
    make_library(library, encoder, photos)
    began_with = machine()
    command = [sys.executable, "-m", "photosearch", "--library", str(library), "serve"]
    command += ["--port", "0", "--open-to-this-machine", "--workers", str(workers), "--read-only"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            port = int(server.stdout.readline().split("/v1")[0].rsplit(":", 1)[1])
            page = _measured(psutil.Process(server.pid), port, photos, seconds, workers)
        finally:
            server.terminate()
    page["machine"] = began_with
    write_text(out / "serving.md", fill_page("serving.md", **page))


def _measured(
    process: psutil.Process, port: int, photos: int, seconds: float, workers: int
) -> dict[str, str]:
    # Opens the library in each worker, and reads what is mapped.
    on_a_loop(crowd(port, 4 * workers, 8.0, 0.5, 0))
    costs, alone = [], []
    answers = Answers()

    async def one_by_one() -> None:
        user = User(port, answers)
        for text in captions()[3 :: len(captions()) // _ALONE][:_ALONE]:
            before, began = worked(process), time.perf_counter()
            await user.search(f"a photo of {text}")
            alone.append(time.perf_counter() - began)
            costs.append(worked(process) - before)
        user.close()

    on_a_loop(one_by_one())
    own = resource.getrusage(resource.RUSAGE_SELF)
    before, began = worked(process), time.perf_counter()
    busy = on_a_loop(crowd(port, USERS, seconds, EVERY, 1))
    took, used = time.perf_counter() - began, worked(process) - before
    now = resource.getrusage(resource.RUSAGE_SELF)
    clients = now.ru_utime + now.ru_stime - own.ru_utime - own.ru_stime
    crowded = on_a_loop(crowd(port, USERS * _TOO_MANY, _CROWDED, EVERY, 2))
    mean = float(np.mean(costs))
    rate = USERS / EVERY
    rows = [
        ["searches of 200 users in so many seconds", f"{len(busy.seconds)} in {took:.0f}"],
        ["milliseconds to the answer, median and p95, as the machine was", _pair(busy.seconds)],
        ["the same, one search at a time", _pair(alone)],
        ["processor ms of the server for a search, median and p95", _pair(costs)],
        ["the same in the crowd, mean", f"{1000 * used / max(1, len(busy.seconds)):.1f}"],
        ["processor ms of the load's own process for a search, mean",
         f"{1000 * clients / max(1, len(busy.seconds)):.2f}"],
        [f"of {CORES} cores that 200 users keep busy, by the mean", f"{rate * mean / CORES:.0%}"],
        [f"p95 on {CORES} cores with nothing else, by arithmetic, ms",
         f"{1000 * queued(costs, USERS, EVERY, CORES, 3):.0f}"],
        ["users that keep all of both busy", f"{EVERY * CORES / mean:.0f}"],
        ["answers, by status", json.dumps(dict(sorted(busy.statuses.items())))],
        ["lost", str(busy.lost)],
        [f"with {USERS * _TOO_MANY} users: answers, by status",
         json.dumps(dict(sorted(crowded.statuses.items())))],
        ["of these 429 without Retry-After, and lost",
         f"{crowded.without_retry_after}, {crowded.lost}"],
        ["memory of the server, MB", f"{process.memory_info().rss / 1e6:.0f}"],
    ]  # fmt: skip
    for row in rows:
        print(*row, sep=": ", flush=True)
    return {
        "photos": f"{photos:,}",
        "workers": str(workers),
        "table": markdown_table(["", ""], rows),
    }


def _pair(seconds: list[float]) -> str:
    middle, most = np.quantile(seconds, [0.5, 0.95]) * 1000
    return f"{middle:.1f}, {most:.1f}"
