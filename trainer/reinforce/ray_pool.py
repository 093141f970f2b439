"""Reinforce on a Ray cluster: the same function, one actor a worker, one shard a row of Ray Data.

The inputs, `--out` and the teachers' files must be on a file system that every node sees under the
same path.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from trainer.data.photo_tars import PhotoTarError
from trainer.reinforce.networks import Networks
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
        for result in _run(ray, job, sources, min(workers, len(sources))):
            if result.made:
                bar.begun(result.count)
                bar.photos(result.count)
            yield result
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
    quiet = {"logging_level": "error", "log_to_driver": False}
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
        return
    # Logical cores: one for each thread of the actors and one for Ray Data itself. The rows are
    # names of files, so the object store may be small.
    ray.init(
        num_cpus=workers * threads + 1,
        object_store_memory=128 * 2**20,
        include_dashboard=False,
        **quiet,
    )


class _ShardActor:
    """One worker: loads the networks with its first shard, and keeps them.

    What the user can mend comes back as text: Ray would wrap the exception in pages of traceback.
    """

    def __init__(self) -> None:
        self._networks: Networks | None = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        job, source = pickle.loads(row["task"])  # noqa: S301 - written by this run
        try:
            if self._networks is None:
                self._networks = job.load()
            result = reinforce_shard(source, job.out, job.recipe, self._networks, redo=job.redo)
        except (ValueError, PhotoTarError) as error:
            return {"result": "", "error": str(error)}
        return {"result": json.dumps(asdict(result)), "error": ""}


def _run(ray: Any, job: ShardJob, sources: Sequence[Source], workers: int) -> Iterator[ShardResult]:
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    gpus = 1 if ray.cluster_resources().get("GPU", 0) >= workers else 0
    # The job goes with each row, so that an actor that Ray starts anew needs nothing else, and none
    # gets the list of all files. From us to our own actors, pickle is safe.
    rows = [{"task": pickle.dumps((job, source))} for source in sources]
    # A block a row, so that each actor takes a shard at a time.
    results = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        _ShardActor,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=job.threads,
        num_gpus=gpus,
    )
    for row in results.iter_rows():
        if row["error"]:
            raise ValueError(row["error"])
        yield ShardResult(**json.loads(row["result"]))
