"""How fast photos are indexed, against two ways to embed them that take ten lines each."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.pictures import write_photos
from benchmarks.timing import Spread, cores, interleave
from photosearch import Library
from photosearch.encoders import Encoder, open_encoder

COUNT = 60
ROUNDS = 3
BATCH = 16


def run(folder: Path) -> None:
    """Embed 60 JPEGs of 12 megapixels: each by itself, decoded in threads, and by photosearch."""
    photos = folder / "photos"
    write_photos(photos, COUNT)
    files = sorted(photos.iterdir())
    encoder = open_encoder()
    encoder.encode_pixels(encoder_pixels(encoder, files[0])[None])  # loads the network
    shares: list[float] = []
    libraries = (folder / f"library-{number}" for number in range(ROUNDS))

    def photosearch() -> float:
        seconds, share = _index(photos, next(libraries))
        shares.append(share)
        return seconds

    runs: dict[str, Callable[[], float]] = {
        "one by one": lambda: _one_by_one(encoder, files),
        "thread pool": lambda: _thread_pool(encoder, files),
        "photosearch": photosearch,
    }
    seconds = interleave(runs, rounds=ROUNDS)
    print(f"  {COUNT} JPEGs of 12 megapixels, {cores()} cores, {ROUNDS} rounds")
    for name, spent in seconds.items():
        note = ", start-up included" if name == "photosearch" else ""
        print(f"  {name:<24}{Spread.of(COUNT / spent):.1f} photos/s{note}")
    for name in ("one by one", "thread pool"):
        ratio = Spread.of(seconds[name] / seconds["photosearch"])
        print(f"  {'faster than ' + name:<24}{ratio:.2f}")
    print(f"  {'cores busy':<24}{np.median(shares):.0%}")


def encoder_pixels(encoder: Encoder, file: Path) -> NDArray[np.uint8]:
    """Network input of one photo, decoded in full."""
    with Image.open(file) as image:
        return encoder.preprocess.pixels(image)


def _one_by_one(encoder: Encoder, files: list[Path]) -> float:
    started = time.perf_counter()
    for file in files:
        encoder.encode_pixels(encoder_pixels(encoder, file)[None])
    return time.perf_counter() - started


def _thread_pool(encoder: Encoder, files: list[Path]) -> float:
    """Pillow decodes and resizes without Python's lock, so threads do use all cores."""
    started = time.perf_counter()
    batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
    with ThreadPoolExecutor(cores()) as pool:
        decoded = pool.map(lambda file: encoder_pixels(encoder, file), files)
        for batch in batches:
            encoder.encode_pixels(np.stack([next(decoded) for _ in batch]))
    return time.perf_counter() - started


def _index(photos: Path, library_folder: Path) -> tuple[float, float]:
    """Seconds from opening an empty library to closing it, and the share of all cores in use."""
    started, cpu = time.perf_counter(), _cpu_seconds()
    with Library.open(library_folder) as library:
        for _ in library.index([photos]):
            pass
    seconds = time.perf_counter() - started
    return seconds, (_cpu_seconds() - cpu) / seconds / cores()


def _cpu_seconds() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
