"""Where a job writes, and what a job is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Box:
    """The folder in which all lies that a job may touch, and the models, which lie elsewhere."""

    folder: Path
    models: Path

    @property
    def library(self) -> Path:
        return self.folder / "library"

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def model(self) -> Path:
        return self.models / "tiny"

    @property
    def other_model(self) -> Path:
        return self.models / "colours"


@dataclass(frozen=True)
class Job:
    """`prepare` makes what is there before; `run` is what photosearch is asked for.

    An `atomic` one does all or nothing; of others each photo, or file, is as before or as after,
    or, with `steps`, something between that another run ends: a photo that was moved is not found
    first, and found elsewhere then.
    Where it `leaves_out` photos that cannot be read, and says so, that is its end.
    With `older` the library is one that an earlier version left, and with `unsound` one that the
    doctor finds something in.
    """

    name: str
    prepare: Callable[[Box], None]
    run: Callable[[Box], list[str]]
    atomic: bool = True
    steps: bool = False
    leaves_out: bool = False
    older: bool = False
    unsound: bool = False


def arguments(model: Path, *others: str | Path) -> list[str]:
    """Of `photosearch`, with a model."""
    return ["--model", str(model), *map(str, others)]


def call(function: Callable[..., None], *others: str | Path) -> list[str]:
    """What asks for a function that a run is to call, where there is no command."""
    return [f"{function.__module__}:{function.__name__}", *map(str, others)]
