"""What one `photosearch search` costs from a cold start, against starting its libraries alone."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from benchmarks.libraries import make_library
from benchmarks.timing import Spread, interleave
from photosearch.bench.processes import spend
from photosearch.encoders import open_encoder

PHOTOS = 100_000
ROUNDS = 7


def run(folder: Path) -> None:
    """Search a library made without photos; the baseline imports numpy, faiss and onnxruntime."""
    library = folder / str(PHOTOS)
    folder.mkdir(parents=True, exist_ok=True)
    make_library(library, open_encoder(), PHOTOS)
    ours = [
        sys.executable,
        "-m",
        "photosearch",
        "--library",
        str(library),
        "search",
        "a dog",
    ]
    telemetry_off = "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'"
    imports = [sys.executable, "-c", f"{telemetry_off}; import numpy, faiss, onnxruntime"]
    spend(ours)  # the first search keeps the names of files
    peaks: list[float] = []

    def search() -> float:
        spent = spend(ours)
        peaks.append(spent.peak_bytes)
        return spent.seconds

    seconds = interleave(
        {"imports": lambda: spend(imports).seconds, "search": search}, rounds=ROUNDS
    )
    peak = statistics.median(peaks)
    print(f"  cold search of {PHOTOS:,} photos, {ROUNDS} rounds")
    print(f"  imports alone           {Spread.of(seconds['imports']):.2f} s")
    print(f"  photosearch search      {Spread.of(seconds['search']):.2f} s")
    print(f"  ratio                   {Spread.of(seconds['search'] / seconds['imports']):.2f}")
    print(f"  peak memory             {peak / 1e6:.0f} MB")
