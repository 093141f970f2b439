"""What a run did, in one place: `run.json` and `curves.json` in its folder.

    record = read_record(Path("runs/s0"))
    record["settings"]["run"]["steps"]        # of the recipe, after --set
    record["sessions"][-1]["versions"]        # what it last ran with

`run.json` holds the settings and the hash of the data, the figures, and for each time that the run
was started or went on: when, by which command, on what, with which versions and which code.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from trainer.train.processes import Processes

_NAME = "run.json"
_CURVES = "curves.json"
_PACKAGES = (
    "photosearch", "torch", "torchvision", "timm", "open_clip_torch", "numpy", "pillow",
    "safetensors", "sentence-transformers", "webdataset",
)  # fmt: skip


class Record:
    """The record in `folder`; written by the first process of a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._said: dict[str, Any] = {}

    def begin(
        self, settings: Mapping[str, Any], processes: Processes, step: int, precision: str
    ) -> None:
        """A run starts, or goes on from `step`."""
        file = self._folder / _NAME
        before = json.loads(file.read_text("utf-8")) if step and file.is_file() else {}
        session = {
            "began": _now(),
            "from_step": step,
            "command": sys.argv,
            "device": _device(processes.device),
            "processes": processes.count,
            "precision": precision,
            "versions": versions(),
            "code": code_state(),
        }
        self._said = {
            "settings": settings,
            "sessions": [*before.get("sessions", []), session],
        }
        self._write(file, self._said)

    def end(self, facts: Mapping[str, Any]) -> None:
        """The run is over, or stopped, as `facts` say: step, seconds, figures and so on."""
        self._said |= facts
        self._said["sessions"][-1]["ended"] = _now()
        self._write(self._folder / _NAME, self._said)

    def curves(self, training: list[dict[str, float]], validation: list[dict[str, float]]) -> None:
        """Write the rows of both CSV files as JSON."""
        self._write(self._folder / _CURVES, {"training": training, "validation": validation})

    def _write(self, file: Path, value: Any) -> None:
        beside = file.with_name(f"{file.name}.part")
        beside.write_text(json.dumps(value, indent=1) + "\n", "utf-8")
        beside.replace(file)


def read_record(folder: Path) -> dict[str, Any]:
    """What `run.json` in `folder` holds; raises `ValueError` when it is not there or is none."""
    file = folder / _NAME
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
        _ = found["settings"], found["sessions"][-1]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{file}: not the record of a run ({error!r})") from None
    return found


@cache
def versions() -> dict[str, str]:
    """Of Python and of the packages that decide what comes out."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if torch.version.cuda is not None:
        found["cuda"] = torch.version.cuda
    return found


@cache
def code_state() -> dict[str, Any] | None:
    """The commit that the trainer's code is of, and how many files differ; None without git."""
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - whichever git there is
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        )
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no").splitlines()
        return {"commit": git("rev-parse", "HEAD"), "changed": len(changed)}
    except (OSError, subprocess.SubprocessError):
        return None


def _device(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()}, {torch.get_num_threads()} threads"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
