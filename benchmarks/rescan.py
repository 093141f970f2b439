"""How long it takes to look through photos that have not changed, one command from a cold start."""

from __future__ import annotations

import os
import sys
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.tables import fill_page, markdown_table, write_text
from benchmarks.timing import Spread, interleave, machine
from index import Catalogue, FaissIndex, Metadata, NewPhoto
from photosearch.bench.processes import spend
from photosearch.encoders import open_encoder
from photosearch.indexing.rereading import state_of
from photosearch.indexing.scan import Found, scan

IN_A_FOLDER = 500
OURS, WALK = "photosearch index", "os.walk and os.stat"
_WALK = "import os, sys\nfor folder, _, names in os.walk(sys.argv[1]):\n"
_WALK += " for name in names: os.stat(os.path.join(folder, name))"


def run(folder: Path, out: Path, *, files: int, rounds: int) -> None:
    """Measure, print the table, and write it to `out`. The files go to `folder`."""
    setting = machine()
    print(f"  making {files:,} files", flush=True)
    make_tree(folder / "photos", files)
    make_library(folder / "library", folder / "photos")
    table = measure(folder, rounds=rounds)
    print(table)
    about = f"{setting} when it started; {files:,} files in {-(-files // IN_A_FOLDER)} folders"
    write_text(out / "rescan.md", fill_page("rescan.md", setting=about, table=table))


def make_tree(folder: Path, files: int) -> None:
    """Files that are named as photos are; they are not opened, so nothing is in them."""
    for number in range(files):
        place = folder / f"{number // IN_A_FOLDER:04}" / f"IMG_{number:06}.jpg"
        if number % IN_A_FOLDER == 0:
            place.parent.mkdir(parents=True)
        place.write_bytes(b"%d" % number)


def make_library(library: Path, photos: Path) -> None:
    """A library in which all of these files are recorded as they are."""
    encoder = open_encoder()
    random = np.random.default_rng(0)
    with Catalogue.open(library) as catalogue:
        catalogue.add_folder(str(photos))
        catalogue.use_bundle(encoder.bundle_id)
        files = (found for found in scan(str(photos)) if isinstance(found, Found))
        while some := list(islice(files, 10_000)):
            vectors = random.standard_normal((len(some), encoder.dim), np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            recorded = [
                NewPhoto(
                    found.path,
                    found.stamp,
                    4000,
                    3000,
                    "JPEG",
                    os.path.basename(found.path).encode().rjust(32),
                    Metadata(),
                    state_of(found),
                    look=b"",
                )
                for found in some
            ]
            catalogue.record(encoder.bundle_id, recorded, vectors)
        FaissIndex.refresh(catalogue, encoder.bundle_id)


def measure(folder: Path, *, rounds: int) -> str:
    """The table: what our command takes, and what listing and asking for each file takes alone."""
    library = folder / "library"
    runs: dict[str, list[str]] = {
        OURS: [sys.executable, "-m", "photosearch", "--library", str(library), "index"],
        WALK: [sys.executable, "-c", _WALK, str(folder / "photos")],
    }
    spend(runs[OURS])  # afterwards the system remembers the folders for both
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    peak = dict.fromkeys(runs, 0.0)

    def once(name: str) -> float:
        spent = spend(runs[name])
        cpu[name].append(spent.cpu_seconds)
        peak[name] = max(peak[name], spent.peak_bytes)
        return spent.seconds

    seconds = interleave({name: partial(once, name) for name in runs}, rounds=rounds)
    return markdown_table(
        ("command", "seconds", "of processor time", "peak memory, MB"),
        [
            (
                name,
                f"{Spread.of(seconds[name]):.2f}",
                f"{Spread.of(np.array(cpu[name])):.2f}",
                f"{peak[name] / 1e6:.0f}",
            )
            for name in runs
        ],
    )
