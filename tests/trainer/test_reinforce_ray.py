"""Reinforcing on Ray: the same bytes as without it, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from optional import needs_ray
from reinforce_data import contents, fork_workers, write_photos
from tars import write_tar
from tiny_openclip import write_folder

from trainer.cli import main
from trainer.data.reinforced import read_reinforced

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"openclip:local-dir:{write_folder(tmp_path_factory.mktemp('clip') / 'clip')}"


@pytest.fixture
def ray_home() -> Iterator[Path]:
    """Where Ray keeps its files; short, since the path of a socket has room for 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def reinforce(ray_home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """In a process of its own: Ray starts threads and sets handlers that outlive a test."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from trainer.cli import main; main()",
            "reinforce",
            *map(str, arguments),
        ],
        env=environment | {"RAY_TMPDIR": str(ray_home)},
        capture_output=True,
        text=True,
        timeout=900,
    )


def processes_using(folder: Path) -> set[str]:
    """Running processes with a file open in `folder`, as all of Ray's have their logs.

    Command lines do not tell: Ray's workers rename themselves.
    """
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link).startswith(str(folder)):
                found.add(link.parts[2])
        except OSError:
            continue
    return found


@needs_ray
def test_ray_gives_the_same_bytes_and_leaves_nothing(
    teacher: str, tmp_path: Path, ray_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tars = [write_photos(tmp_path / "in" / f"{n}.tar", 3, first=3 * n) for n in range(3)]
    options = [*tars, "--teacher", teacher, "--views", 2, "--view-size", 48, "--batch-size", 2]
    options += ["--captioner", "labels"]
    plain, rayed = tmp_path / "plain" / "set", tmp_path / "rayed" / "set"
    with monkeypatch.context() as patch:
        fork_workers(patch)
        patch.setenv("RAY_TMPDIR", str(ray_home))
        made = CliRunner().invoke(main, ["reinforce", *map(str, options), "--out", str(plain)])
    assert made.exit_code == 0, made.output
    assert not list(ray_home.iterdir())

    result = reinforce(ray_home, *options, "--out", rayed, "--ray", "--workers", 2)
    assert result.returncode == 0, result.stderr
    assert "9 photos in 3 shards" in result.stdout
    assert "9/9 " in result.stderr
    assert "shards 3/3" in result.stderr
    assert contents(rayed) == contents(plain)
    (first, *_) = read_reinforced(rayed / "0.tar")
    assert len(first.synthetic) == 2
    assert "coffee" in first.synthetic[0]

    sessions = list(ray_home.rglob("session_2*"))
    assert sessions, "Ray did not run"
    deadline = time.monotonic() + 120
    while processes_using(ray_home) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not processes_using(ray_home)


@needs_ray
def test_errors_on_ray_are_one_line(teacher: str, tmp_path: Path, ray_home: Path) -> None:
    bad = write_tar(tmp_path / "in" / "bad.tar", [("a.json", b"{}")])
    result = reinforce(
        ray_home, bad, "--teacher", teacher, "--out", tmp_path / "out", "--ray", "--quiet"
    )
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"Error: {bad}: a.json has no picture")
    assert "Traceback" not in result.stderr


@needs_ray
def test_usage_statistics_stay_off() -> None:
    program = (
        "from trainer.reinforce.ray_pool import check_ray; check_ray()\n"
        "from ray._common.usage.usage_lib import usage_stats_enabled\n"
        "print(usage_stats_enabled())"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "1"},
        capture_output=True,
        text=True,
    )
    assert result.stdout == "False\n", result.stderr


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    tar = write_photos(tmp_path / "in.tar", 1)
    arguments = ["reinforce", str(tar), "--teacher", "x", "--out", str(tmp_path / "o"), "--ray"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "pip install 'photosearch[cluster]'" in result.output
