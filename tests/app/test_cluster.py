"""Index runs on a cluster: what is lost with a machine, or with the program that records."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from optional import needs_ray
from PIL import Image
from shell import REPOSITORY, Shell, message

# Twice as many as three machines have at a time, so that there is more for the one that is lost.
COUNT = 400


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(COUNT):
        colour = (number % 256, 40 * (number // 256), 90)
        Image.new("RGB", (64, 48), colour).save(folder / f"{number:03}.png", compress_level=1)
    return folder


@pytest.fixture
def ray_home() -> Iterator[Path]:
    """Where Ray keeps its files; short, since the path of a socket has room for 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@needs_ray
@pytest.mark.slow
def test_no_photo_is_lost_and_none_is_there_twice(
    many: Path, tmp_path: Path, tiny_bundle: Path, ray_home: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    done = subprocess.run(
        [sys.executable, REPOSITORY / "tests" / "ray_cluster.py", many, tiny_bundle, tmp_path],
        env=environment
        | {
            "RAY_TMPDIR": str(ray_home),
            # Its workers would wait for whatever else runs, and other tests do.
            "RAY_worker_niceness": "0",
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONWARNINGS": "ignore",
        },
        capture_output=True,
        text=True,
        timeout=590,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    # The machine was at work, and there were three.
    assert found["node"].pop("lost") >= 1
    assert found["node"].pop("began") >= 3
    assert found["node"] == {
        "told": COUNT, "twice": 0, "failed": 0, "photos": COUNT, "unchanged": COUNT,
    }  # fmt: skip
    assert 0 < found["driver"]["held"] <= COUNT
    assert found["driver"]["photos"] == COUNT
    assert f"The library holds {COUNT} photos." in found["driver"]["said"]


# What goes wrong with Ray itself; in a process of its own, since Ray leaves threads behind.
FAILING = """
import json, sys, threading
from pathlib import Path
import ray
from photosearch.cluster.node import Equipment
from photosearch.cluster.nodes import Nodes
from photosearch.errors import PhotosearchError
from photosearch.settings import read

told = {}
try:
    # What cannot be sent to others.
    with Nodes("ray", threading.Lock()):
        pass
except PhotosearchError as error:
    told["unsent"] = str(error), ray.is_initialized()
with Nodes("ray", Equipment({"bundle.json": b"{}"}, read(Path(sys.argv[1])), 1)) as nodes:
    try:
        list(nodes.decode(["/a.jpg"]))
    except PhotosearchError as error:
        told["no model"] = str(error)
    # As where the cluster has gone away.
    ray.shutdown()
    nodes._looked = 0.0
    try:
        nodes.look()
    except PhotosearchError as error:
        told["look"] = str(error)
print(json.dumps(told))
"""


@needs_ray
@pytest.mark.slow
def test_what_goes_wrong_with_ray_is_told_plainly(tmp_path: Path, ray_home: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    done = subprocess.run(
        [sys.executable, "-c", FAILING, tmp_path],
        env=environment | {"RAY_TMPDIR": str(ray_home), "RAY_worker_niceness": "0"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=590,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    reason, is_left_running = told["unsent"]
    assert "cannot be used any more" in reason
    assert not is_left_running
    assert "cannot begin" in told["no model"]
    assert "bundle.json" in told["no model"]
    assert "what was recorded is safe" in told["look"]


@pytest.mark.slow
def test_what_is_no_cluster(shell: Shell, photos: Path) -> None:
    result = shell("index", photos, "--on", "slurm")
    assert "--on slurm: is no cluster; give ray, or ray://HOST:PORT" in message(result, 2)
