"""What a run keeps in its folder: its last checkpoints, and the weights that were best so far.

    kept = Kept(folder, count=3)
    kept.write(tensors, {"step": 2000})       # checkpoint.safetensors
    kept.last()                               # that file

`checkpoint.safetensors` is the last; with a count above 1 those before it become
`checkpoint-STEP.safetensors`. `best.safetensors` has averaged weights alone.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainer import lock
from trainer.train.checkpoint import read_about, write_tensors

_LAST = "checkpoint.safetensors"
_BEST = "best.safetensors"
_EARLIER = re.compile(r"checkpoint-(\d+)\.safetensors")
# What a kill in the middle of a write leaves behind.
_TEMPORARY = (
    "*.safetensors.part",
    "training.csv.part",
    "validation.csv.part",
    "skipped*.csv.part",
    "*.json.part",
    ".curves.png",
)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for one run, and clear away what a killed one was writing.

    Raises `ValueError` when another run is at work there.
    """
    with lock.locked(folder):
        for pattern in _TEMPORARY:
            for file in folder.glob(pattern):
                file.unlink()
        yield


class Kept:
    """The checkpoints and best weights in `folder`; `count` checkpoints are kept, the last ones."""

    def __init__(self, folder: Path, count: int = 1) -> None:
        self._folder, self._count = folder, count

    def last(self) -> Path | None:
        """The newest checkpoint, if there is one."""
        file = self._folder / _LAST
        if file.is_file():
            return file
        # A kill between two renames leaves only earlier ones.
        earlier = self._earlier()
        return earlier[max(earlier)] if earlier else None

    def write(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
        """Write the checkpoint of step `about["step"]`, and let go of the oldest.

        Raises `ValueError` naming a tensor that holds something else than numbers; nothing is
        written then, and those before it stand.
        """
        for name, value in tensors.items():
            if value.is_floating_point() and not torch.isfinite(value).all():
                raise ValueError(
                    f"{name} holds something else than numbers at step {about['step']}: "
                    f"{advice(self._folder)}"
                )
        last = self._folder / _LAST
        keep = None
        if self._count > 1 and last.is_file():
            keep = self._folder / f"checkpoint-{read_about(last)['step']}.safetensors"
        write_tensors(last, tensors, about, keep=keep)
        earlier = self._earlier()
        # Later ones are of a course that was given up.
        for step in sorted(step for step in earlier if step >= about["step"]):
            earlier.pop(step).unlink()
        for step in sorted(earlier, reverse=True)[self._count - 1 :]:
            earlier[step].unlink()

    def best(self, until: int) -> float:
        """The figure of the best weights; minus infinity without any of a step up to `until`."""
        about = self.best_of(until)
        return -math.inf if about is None else float(about["value"])

    def best_of(self, until: int) -> dict[str, Any] | None:
        """Step, figure and value of the best weights; None without any of a step up to `until`."""
        file = self._folder / _BEST
        about = read_about(file) if file.is_file() else {"step": until + 1}
        if about["step"] > until:
            return None
        return {name: about[name] for name in ("step", "figure", "value")}

    def write_best(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
        """Put averaged weights in the place of those that were best before."""
        write_tensors(self._folder / _BEST, tensors, about)

    def _earlier(self) -> dict[int, Path]:
        found = {}
        if self._folder.is_dir():
            for file in self._folder.iterdir():
                if match := _EARLIER.fullmatch(file.name):
                    found[int(match[1])] = file
        return found


def advice(folder: Path) -> str:
    """What to do about a run whose numbers have run away."""
    return (
        "lower optimizer.learning_rate or lengthen schedule.warmup. The last checkpoint stands; a "
        "new run in another folder starts from its weights with model.init = "
        f'"{folder / _LAST}"'
    )
