"""How fast photos are indexed, against decoding each in full in one process."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from PIL import Image

from benchmarks.pictures import write_photos
from photosearch import Library
from photosearch.encoders import open_encoder

COUNT = 60


def run(folder: Path) -> None:
    """Index 60 JPEGs of 12 megapixels; the baseline is a plain loop over open, encode."""
    photos = folder / "photos"
    write_photos(photos, COUNT)
    files = sorted(photos.iterdir())

    encoder = open_encoder()
    with Image.open(files[0]) as image:
        encoder.encode_images([image])  # loads the network before the clock starts
    started = time.perf_counter()
    for file in files:
        with Image.open(file) as image:
            encoder.encode_images([image])
    baseline = COUNT / (time.perf_counter() - started)

    started, cpu = time.perf_counter(), _cpu_seconds()
    with Library.open(folder / "library") as library:
        for _ in library.index([photos]):
            pass
    wall = time.perf_counter() - started
    share = (_cpu_seconds() - cpu) / wall / (os.cpu_count() or 1)
    print(f"  {COUNT} JPEGs of 12 megapixels, {os.cpu_count()} cores")
    print(f"  plain loop            {baseline:6.1f} photos/s")
    print(f"  photosearch           {COUNT / wall:6.1f} photos/s, start-up included")
    print(f"  ratio                 {COUNT / wall / baseline:6.1f}")
    print(f"  cores busy            {share:6.0%}")


def _cpu_seconds() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
