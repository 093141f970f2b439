"""The machines of a Ray cluster, and what each is doing.

Each has one actor, which takes two batches of files at most: a slow one takes fewer. What a machine
that is lost has not given back is given to another. What comes back is taken once, by its path, and
only this process records it, so that no photo is lost and none is there twice.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Self

from photosearch.cluster.node import Batch, Equipment, Node
from photosearch.errors import PhotosearchError, UsageError
from photosearch.indexing.serving import Result, Task, Trouble

# Files that go to a machine at once, and batches that one has.
SIZE, AHEAD = 32, 2
# Machines that a file may lose before it is taken to be at fault.
_TRIES = 3
# Seconds between two looks at which machines there are, and how long there may be none.
_LOOK, _NONE = 5.0, 120.0
# Seconds for which one that was lost is left alone: a cluster takes some to notice that it is gone.
_REST = 30.0
# A batch is given to a second machine when nothing else is left and it took so many times as long
# as usual, and this long at least.
_SLOW, _LEAST = 4.0, 20.0
LOST = "the machine that read it was lost; others may go the same way"
_log = logging.getLogger(__name__)


@dataclass
class _Machine:
    actor: Any
    works: dict[Any, tuple[Batch, float]] = field(default_factory=dict)


class Nodes:
    """Use as a context manager. `address` is "ray" for the cluster that RAY_ADDRESS names, or that
    runs on this machine, or one is started here; or ray://HOST:PORT.
    """

    def __init__(self, address: str, equipment: Equipment) -> None:
        self._address, self._equipment = address, equipment
        self._machines: dict[str, _Machine] = {}
        self._lost: dict[str, float] = {}
        self._looked = 0.0

    def __enter__(self) -> Self:
        self._ray = _import_ray()
        self._ours = not self._ray.is_initialized()
        try:
            if self._ours:
                _connect(self._ray, self._address)
            with _plainly():
                self._given = self._ray.put(self._equipment)
                self._kind = self._ray.remote(Node)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self._machines.values():
            with suppress(Exception):
                self._ray.kill(machine.actor)
        self._machines = {}
        if self._ours:
            self._ray.shutdown()

    def decode(
        self,
        paths: Iterable[str],
        *,
        ready: int = 32,
        task: Task = "picture",
        sidecars: Mapping[str, tuple[str, ...]] | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> Iterator[Result | None]:
        """As `DecodeWorkers.decode`, and pictures come encoded. `ready` is of no account.

        Raises `PhotosearchError` when there is no machine left, or none can begin.
        """
        return _Work(self, paths, task, sidecars or {}, sizes or {}).results()

    # What one pass over files does with the machines

    def look(self) -> None:
        """Begin on machines that are new."""
        now = time.monotonic()
        if now < self._looked + _LOOK and self._machines:
            return
        self._looked = now
        with _plainly():
            self._begin(now)

    def _begin(self, now: float) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        for each in self._ray.nodes():
            name = each["NodeID"]
            if not each["Alive"] or name in self._machines or not each["Resources"].get("CPU"):
                continue
            if now < self._lost.get(name, -_REST) + _REST:
                continue
            where = NodeAffinitySchedulingStrategy(name, soft=False)
            gpus = 1 if each["Resources"].get("GPU", 0) >= 1 else 0
            actor = self._kind.options(
                num_cpus=0, num_gpus=gpus, scheduling_strategy=where, max_restarts=0
            ).remote(self._given)
            self._machines[name] = _Machine(actor)
            _log.info("a machine of the cluster begins; there are %d", len(self._machines))

    @property
    def machines(self) -> dict[str, _Machine]:
        return self._machines

    def hand(self, machine: _Machine, batch: Batch) -> None:
        with _plainly():
            machine.works[machine.actor.work.remote(batch)] = batch, time.monotonic()

    def wait(self, seconds: float) -> list[tuple[str, Any]]:
        """The machines and works that are done, or failed, within so many seconds."""
        of = {work: name for name, machine in self._machines.items() for work in machine.works}
        if not of:
            time.sleep(min(seconds, 0.2))
            return []
        with _plainly():
            done, _ = self._ray.wait(list(of), num_returns=1, timeout=seconds)
        return [(of[work], work) for work in done]

    def result(self, work: Any) -> list[Result] | None:
        """What a work gave, None where its machine is lost.

        Raises `PhotosearchError` for what would go wrong on every machine.
        """
        from ray.exceptions import RayActorError, RayError, RayTaskError

        try:
            with _plainly(but=RayError):
                found: list[Result] = self._ray.get(work)
        except RayActorError as error:
            # One that cannot begin is no machine that was lost: it says why.
            if error.actor_init_failed:
                reason = str(error).strip().splitlines()[-1]
                raise PhotosearchError(
                    f"a machine of the cluster cannot begin ({reason}); photosearch has to be "
                    "installed on each, in the same version"
                ) from None
            return None
        except RayTaskError as error:
            reason = str(error.cause or error).strip().splitlines()[-1]
            raise PhotosearchError(f"a machine of the cluster failed ({reason})") from None
        except RayError:
            return None
        return found

    def drop(self, name: str) -> list[Batch]:
        """A machine is lost; what it had."""
        machine = self._machines.pop(name)
        self._lost[name] = time.monotonic()
        with suppress(Exception):
            self._ray.kill(machine.actor)
        _log.warning("a machine of the cluster is lost; there are %d", len(self._machines))
        return [batch for batch, _ in machine.works.values()]


class _Work:
    """One pass over files."""

    def __init__(
        self,
        nodes: Nodes,
        paths: Iterable[str],
        task: Task,
        sidecars: Mapping[str, tuple[str, ...]],
        sizes: Mapping[str, int],
    ) -> None:
        self._nodes, self._paths = nodes, iter(paths)
        self._task, self._sidecars, self._sizes = task, sidecars, sizes
        self._again: deque[Batch] = deque()
        self._all_given = False
        self._told: set[str] = set()
        self._tries: dict[str, int] = {}
        self._usual: deque[float] = deque(maxlen=50)

    def results(self) -> Iterator[Result | None]:
        try:
            yield from self._results()
        finally:
            # What is still under way, such as what two machines do, is not for the next pass.
            for machine in self._nodes.machines.values():
                machine.works.clear()

    def _results(self) -> Iterator[Result | None]:
        alone_since = None
        while True:
            self._nodes.look()
            self._hand_out()
            if self._all_given and not self._again and not self._is_waited_for():
                return
            if self._nodes.machines:
                alone_since = None
            else:
                alone_since = alone_since or time.monotonic()
                if time.monotonic() > alone_since + _NONE:
                    raise PhotosearchError(
                        "no machine of the cluster is left; what was recorded is safe, and the "
                        "next run goes on from there"
                    )
            done = self._nodes.wait(1.0)
            if not done:
                yield None
            for name, work in done:
                yield from self._taken(name, work)

    def _is_waited_for(self) -> bool:
        """Whether a machine has files of which nothing is known yet."""
        works = (each.works.values() for each in self._nodes.machines.values())
        return any(self._left(batch).paths for of_one in works for batch, _ in of_one)

    def _hand_out(self) -> None:
        # The next to each machine, and then one more.
        for ahead in range(AHEAD):
            for machine in self._nodes.machines.values():
                if len(machine.works) <= ahead:
                    batch = self._next() or (self._slow() if not machine.works else None)
                    if batch is None:
                        return
                    self._nodes.hand(machine, batch)

    def _next(self) -> Batch | None:
        while self._again:
            batch = self._left(self._again.popleft())
            if batch.paths:
                return batch
        paths = tuple(islice(self._paths, SIZE))
        if not paths:
            self._all_given = True
            return None
        sidecars = {path: self._sidecars[path] for path in paths if path in self._sidecars}
        sizes = {path: self._sizes[path] for path in paths if path in self._sizes}
        return Batch(paths, self._task, sidecars, sizes)

    def _left(self, batch: Batch) -> Batch:
        return replace(batch, paths=tuple(each for each in batch.paths if each not in self._told))

    def _slow(self) -> Batch | None:
        """What another machine takes long over, when nothing else is to be done."""
        usual = sorted(self._usual)[len(self._usual) // 2] if self._usual else _LEAST
        late = time.monotonic() - max(_LEAST, _SLOW * usual)
        works = [work for each in self._nodes.machines.values() for work in each.works.values()]
        given = [batch for batch, _ in works]
        for batch, begun in works:
            if begun < late and given.count(batch) < 2:
                return batch
        return None

    def _taken(self, name: str, work: Any) -> Iterator[Result]:
        machine = self._nodes.machines.get(name)
        if machine is None or work not in machine.works:
            return  # it was lost meanwhile, and its work given to others
        found = self._nodes.result(work)
        if found is None:
            for batch in self._nodes.drop(name):
                yield from self._lost(self._left(batch))
            return
        batch, begun = machine.works.pop(work)
        self._usual.append(time.monotonic() - begun)
        for result in found:
            if result.path not in self._told:
                self._told.add(result.path)
                yield result
        left = self._left(batch)
        if left.paths:
            yield from self._lost(left)

    def _lost(self, batch: Batch) -> Iterator[Result]:
        """Give the files to others; those with which machine after machine was lost are at fault.

        From the second time on each goes by itself, so that it takes no other with it.
        """
        rest = []
        for path in batch.paths:
            self._tries[path] = self._tries.get(path, 0) + 1
            if self._tries[path] >= _TRIES:
                self._told.add(path)
                yield Result(path, Trouble(LOST, passing=True))
            else:
                rest.append(path)
        if not rest:
            return
        if self._tries[rest[0]] == 1:
            self._again.append(replace(batch, paths=tuple(rest)))
        else:
            self._again.extend(replace(batch, paths=(path,)) for path in rest)


@contextmanager
def _plainly(but: type[Exception] = PhotosearchError) -> Iterator[None]:
    """Whatever Ray raises about the cluster, but those errors, as `PhotosearchError`."""
    try:
        yield
    except (but, PhotosearchError):
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise PhotosearchError(
            f"the cluster cannot be used any more ({reason}); what was recorded is safe, and the "
            "next run goes on from there"
        ) from error


def check_address(address: str) -> None:
    """Raises `UsageError` for what is no cluster, or without Ray."""
    if address != "ray" and not address.startswith("ray://"):
        raise UsageError(f"--on {address}: is no cluster; give ray, or ray://HOST:PORT")
    _import_ray()


def _import_ray() -> Any:
    # Read when Ray starts; without it Ray reports usage to its makers.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            f"--on needs Ray ({error}); install it: pip install 'photosearch[cluster]'"
        ) from None
    return ray


def _connect(ray: Any, address: str) -> None:
    quiet = {"logging_level": "error", "log_to_driver": False}
    if address.startswith("ray://"):
        where: str | None = address
    else:
        where = os.environ.get("RAY_ADDRESS") or None
    from ray.exceptions import RayError

    try:
        if where is None:
            try:
                ray.init(address="auto", **quiet)
            except ConnectionError:
                ray.init(include_dashboard=False, object_store_memory=256 << 20, **quiet)
        else:
            ray.init(address=where, **quiet)
    except (OSError, RayError, ValueError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise PhotosearchError(f"--on {address}: cannot be reached ({reason})") from None
