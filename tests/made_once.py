"""What several files of tests read, made by the first process of a run that asks for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of that name that `make` has filled, which it is given empty.

    All processes of the run share it: copy it before changing anything in it.
    """
    run = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # whose own folder lies in that of the run
        run = run.parent
    place = run / "made once" / name
    place.parent.mkdir(exist_ok=True)
    # A library holds the paths of its photos, so it is not moved when it is complete.
    complete = Path(f"{place}.complete")
    with FileLock(f"{place}.lock"):
        if not complete.exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            make(place)
            complete.touch()
    return place
