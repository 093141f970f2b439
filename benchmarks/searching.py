"""What one `photosearch search` costs from a cold start, against starting its libraries alone."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import numpy as np

from benchmarks.timing import Spread, interleave
from index import Catalogue, FileStamp, NewPhoto
from photosearch.bench.processes import spend
from photosearch.encoders import open_encoder

PHOTOS = 100_000
ROUNDS = 7


def run(folder: Path) -> None:
    """Search 100,000 random unit vectors; the baseline imports numpy, faiss and onnxruntime."""
    encoder = open_encoder()
    random = np.random.default_rng(0)
    vectors = random.standard_normal((PHOTOS, encoder.dim), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with Catalogue.open(folder) as catalogue:
        photos = [
            NewPhoto(f"/photos/{number}.jpg", FileStamp(1, 1), 4000, 3000, "JPEG")
            for number in range(PHOTOS)
        ]
        catalogue.record(encoder.bundle_id, photos, vectors)
    ours = [
        sys.executable,
        "-m",
        "photosearch",
        "--library",
        str(folder),
        "search",
        "a dog",
        "--all",
    ]
    telemetry_off = "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'"
    imports = [sys.executable, "-c", f"{telemetry_off}; import numpy, faiss, onnxruntime"]
    spend(ours)  # the first search builds the vector file
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
