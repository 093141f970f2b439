"""Reinforce on a Ray cluster: the same function, one actor a worker, one shard a row of Ray Data.

The inputs, `--out` and the teachers' files must be on a file system that every node sees under the
same path.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from trainer.data.photo_tars import PhotoTarError
from trainer.reinforce.run import Progress, ShardJob
from trainer.reinforce.shard import ShardResult, reinforce_shard
from trainer.reinforce.sources import Source


def check_ray() -> None:
    """Raises `ValueError`, naming the extra to install, where Ray is not there."""
    _import_ray()


def run_on_ray(
    job: ShardJob, sources: Sequence[Source], workers: int, bar: Progress
) -> Iterator[ShardResult]:
    """A `Pool` of Ray actors: of the cluster that `RAY_ADDRESS` names, or of a local one.

    An actor takes a GPU where the cluster has as many as there are workers.
    """
    ray = _import_ray()
    ours = not ray.is_initialized()
    if ours:
        _start(ray, workers, job.threads)
    try:
        yield from _run(ray, job, sources, min(workers, len(sources)))
    finally:
        if ours:
            ray.shutdown()


def _import_ray() -> Any:
    # Read when Ray starts; without it Ray reports usage to its makers.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ValueError(
            f"--ray needs Ray ({error}); install it with: pip install 'photosearch[cluster]'"
        ) from None
    return ray


def _start(ray: Any, workers: int, threads: int) -> None:
    quiet = {"logging_level": "warning", "log_to_driver": False}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
        return
    # Logical cores: one for each thread of the actors and one for Ray Data itself. The rows are
    # names of shards, so the object store may be small.
    ray.init(
        num_cpus=workers * threads + 1,
        object_store_memory=128 * 2**20,
        include_dashboard=False,
        **quiet,
    )


class _ShardActor:
    """One worker: loads the networks once, then reinforces the shards that it is handed.

    What the user can mend comes back as text: Ray would wrap the exception in pages of traceback.
    """

    def __init__(self, job: ShardJob, sources: Sequence[Source]) -> None:
        self._job, self._sources = job, sources
        self._networks = None
        self._error = ""
        try:
            self._networks = job.load()
        except ValueError as error:
            self._error = str(error)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        if self._networks is None:
            return {"result": "", "error": self._error}
        source = self._sources[row["shard"]]
        try:
            result = reinforce_shard(
                source, self._job.out, self._job.recipe, self._networks, redo=self._job.redo
            )
        except (ValueError, PhotoTarError) as error:
            return {"result": "", "error": str(error)}
        return {"result": json.dumps(asdict(result)), "error": ""}


def _run(ray: Any, job: ShardJob, sources: Sequence[Source], workers: int) -> Iterator[ShardResult]:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    gpus = 1 if ray.cluster_resources().get("GPU", 0) >= workers else 0
    rows = [{"shard": number} for number in range(len(sources))]
    # A block a row, so that each actor takes a shard at a time.
    results = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        _ShardActor,
        fn_constructor_args=(job, sources),
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=job.threads,
        num_gpus=gpus,
    )
    for row in results.iter_rows():
        if row["error"]:
            raise ValueError(row["error"])
        yield ShardResult(**json.loads(row["result"]))
