"""Index runs on a Ray cluster of three raylets, of which one is killed: its arguments are a folder
of photos, a model, and a folder for libraries. What became of it is the last line, as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ray.cluster_utils import Cluster

from photosearch import Library
from photosearch.indexing.events import Finished, Indexed


def killed_node(cluster: Cluster, node: Any, photos: Path, model: Path, place: Path) -> Any:
    """A run during which a machine goes: how often each photo was told of, and the log."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("photosearch.cluster")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    told: Counter[str] = Counter()
    finished = None
    with Library.open(place / "node", model=model) as library:
        for event in library.index([photos], on="ray", workers=1):
            if isinstance(event, Indexed):
                if not told:
                    cluster.remove_node(node, allow_graceful=False)
                told.update(event.paths)
            elif isinstance(event, Finished):
                finished = event
        assert finished is not None
        again = [each for each in library.index([photos]) if isinstance(each, Finished)]
        return {
            "told": len(told),
            "twice": sum(count > 1 for count in told.values()),
            "failed": finished.failed,
            "photos": library.status().photos,
            "unchanged": again[0].unchanged,
            "lost": sum("is lost" in line for line in lines),
            "began": sum("begins" in line for line in lines),
        }


def killed_driver(photos: Path, model: Path, place: Path) -> Any:
    """A run whose own process is killed, and one that goes on."""
    command = [sys.executable, "-m", "photosearch", "--library", str(place / "driver")]
    command += ["--model", str(model), "index", "--on", "ray", "--workers", "1", str(photos)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    held = 0
    while not held and process.poll() is None:
        if Library.exists(place / "driver"):
            with Library.open(place / "driver", model=model, new=False) as library:
                held = library.status().photos
        time.sleep(0.02)
    process.kill()
    process.communicate()
    done = subprocess.run(command, capture_output=True, text=True)
    with Library.open(place / "driver", model=model) as library:
        return {"held": held, "photos": library.status().photos, "said": done.stdout}


def main() -> None:
    photos, model, place = map(Path, sys.argv[1:])
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80 << 20},
    )
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=80 << 20) for _ in range(2)]
    os.environ["RAY_ADDRESS"] = cluster.address
    try:
        found = {
            "node": killed_node(cluster, nodes[0], photos, model, place),
            "driver": killed_driver(photos, model, place),
        }
    finally:
        cluster.shutdown()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
