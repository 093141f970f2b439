"""Photos that are copied, and what happens to copies; and what is told of them."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from photosearch import Library
from photosearch.search.duplicates import Duplicates, LeftOut

_seed = itertools.count()


def picture(path: Path) -> Path:
    """A new file of bytes that no other has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(next(_seed))
    Image.fromarray(rng.integers(0, 256, (40, 60, 3), np.uint8)).save(path, quality=90)
    return path


def copied(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy2(source, target))


def told(library: Library, **options: bool) -> tuple[list[list[str]], dict[str, str]]:
    """Names of the files of each group, and why others were left out."""
    found = list(library.photos.duplicates(**options))
    groups = [
        [Path(photo.path).name for photo in each.photos]
        for each in found
        if isinstance(each, Duplicates)
    ]
    return groups, {
        Path(each.path).name: each.reason for each in found if isinstance(each, LeftOut)
    }


def gone(path: Path) -> None:
    path.unlink()


def edited(path: Path) -> None:
    picture(path)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])
