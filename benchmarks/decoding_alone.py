"""What libjpeg takes for a folder of JPEGs, shrunk as the indexer asks for, and nothing else.

    python benchmarks/decoding_alone.py FOLDER SIDE

As many processes as there are cores each decode their part, and do nothing with it. Nothing but
Pillow is imported, so that starting it takes hardly any time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PIL import Image


def decode(files: list[str], side: int) -> None:
    for file in files:
        with Image.open(file) as image:
            image.draft("RGB", (side, side))
            image.load()


def command(folder: Path, side: int) -> list[str]:
    """What decodes the JPEGs in `folder`, their short side no less than `side` where it can be."""
    return [sys.executable, __file__, str(folder), str(side)]


def _in_parts(folder: str, side: int) -> int:
    """Decode, and give the number of processes that did not do their part."""
    files = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    processes = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        processes = len(os.sched_getaffinity(0))
    begun = []
    for number in range(min(processes, len(files))):
        child = os.fork()
        if child == 0:
            decode(files[number::processes], side)
            os._exit(0)
        begun.append(child)
    return sum(os.waitpid(child, 0)[1] != 0 for child in begun)


if __name__ == "__main__":
    sys.exit(_in_parts(sys.argv[1], int(sys.argv[2])))
