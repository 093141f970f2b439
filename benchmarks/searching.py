"""What one `photosearch search` costs from a cold start, against starting its libraries alone."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.timing import Spread, interleave
from index import Catalogue, FileStamp, NewPhoto
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
    ours = [sys.executable, "-m", "photosearch", "--library", str(folder), "search", "a dog"]
    telemetry_off = "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'"
    imports = [sys.executable, "-c", f"{telemetry_off}; import numpy, faiss, onnxruntime"]
    _spend(ours)  # the first search builds the vector file
    peaks: list[float] = []

    def search() -> float:
        seconds, peak = _spend(ours)
        peaks.append(peak)
        return seconds

    seconds = interleave({"imports": lambda: _spend(imports)[0], "search": search}, rounds=ROUNDS)
    peak = statistics.median(peaks)
    print(f"  cold search of {PHOTOS:,} photos, {ROUNDS} rounds")
    print(f"  imports alone           {Spread.of(seconds['imports']):.2f} s")
    print(f"  photosearch search      {Spread.of(seconds['search']):.2f} s")
    print(f"  ratio                   {Spread.of(seconds['search'] / seconds['imports']):.2f}")
    print(f"  peak memory             {peak / 1e6:.0f} MB")


def _spend(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in bytes of one process."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {process.returncode}")
    # Linux counts in kilobytes, macOS in bytes.
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
