"""Reinforcing on Ray: the same bytes as without it, and nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from optional import needs_ray
from reinforce_data import contents, fork_workers, write_photos
from shell import REPOSITORY
from tars import write_tar

from trainer.cli import main
from trainer.data.reinforced import read_reinforced

pytestmark = pytest.mark.slow


@pytest.fixture
def ray_home() -> Iterator[Path]:
    """Where Ray keeps its files; short, since the path of a socket has room for 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def reinforce_twice(
    ray_home: Path, *commands: Sequence[object]
) -> subprocess.CompletedProcess[str]:
    """In a process of its own: Ray starts threads and sets handlers that outlive a test."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    return subprocess.run(
        [
            sys.executable,
            REPOSITORY / "tests" / "ray_twice.py",
            *(json.dumps([*map(str, arguments)]) for arguments in commands),
        ],
        env=environment
        | {
            "RAY_TMPDIR": str(ray_home),
            "RAY_USAGE_STATS_ENABLED": "1",
            "PYTHONPATH": str(REPOSITORY),
        },
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
    tiny_bundle: Path, tmp_path: Path, ray_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tars = [write_photos(tmp_path / "in" / f"{n}.tar", 3, first=3 * n) for n in range(3)]
    options = [*tars, "--teacher", f"bundle:{tiny_bundle}", "--views", 2, "--view-size", 48]
    options += ["--batch-size", 2, "--captioner", "labels"]
    plain, rayed = tmp_path / "plain" / "set", tmp_path / "rayed" / "set"
    with monkeypatch.context() as patch:
        fork_workers(patch)
        patch.setenv("RAY_TMPDIR", str(ray_home))
        made = CliRunner().invoke(main, ["reinforce", *map(str, options), "--out", str(plain)])
    assert made.exit_code == 0, made.output
    assert not list(ray_home.iterdir())

    bad = write_tar(tmp_path / "in" / "bad.tar", [("a.json", b"{}")])
    wrong = [bad, "--teacher", f"bundle:{tiny_bundle}", "--out", tmp_path / "out", "--quiet"]
    result = reinforce_twice(ray_home, [*options, "--out", rayed, "--workers", 2], wrong)
    assert result.returncode == 0, result.stderr
    # The one that started the cluster ends it.
    told, after = result.stdout.split("--- 0 1\n")
    shown, errors = result.stderr.split("--- 0 1\n")
    assert "9 photos in 3 shards" in told
    assert "9/9 " in shown
    assert "shards 3/3" in shown
    assert contents(rayed) == contents(plain)
    (first, *_) = read_reinforced(rayed / "0.tar")
    assert len(first.synthetic) == 2
    assert "coffee" in first.synthetic[0]

    # An error is one line, and usage statistics stay off.
    said, _ = errors.split("--- 1 1\n")
    assert said.splitlines()[-1].startswith(f"Error: {bad}: a.json has no picture")
    assert "Traceback" not in result.stderr
    assert after == "--- 1 1\nFalse\n"

    sessions = list(ray_home.rglob("session_2*"))
    assert sessions, "Ray did not run"
    deadline = time.monotonic() + 120
    while processes_using(ray_home) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not processes_using(ray_home)


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    tar = write_photos(tmp_path / "in.tar", 1)
    arguments = ["reinforce", str(tar), "--teacher", "x", "--out", str(tmp_path / "o"), "--ray"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "pip install 'photosearch[cluster]'" in result.output
