"""Search in large libraries: as a command, against rclip, and in a program; exact or clustered."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.libraries import make_library
from benchmarks.rclip import WIDTH, Rclip, prepare_rclip
from benchmarks.synthetic import captions, photo_vectors
from benchmarks.tables import figure, fill_page, markdown_table, save_figure, write_text
from benchmarks.timing import Spread, interleave, machine
from index import Catalogue, FaissIndex
from index.vectors.building import NoClustersError, write_clusters
from index.vectors.vector_file import Stamp, read_vectors
from index.vectors.vector_lists import CLUSTERED_FROM, VectorLists, plain_lists
from index.vectors.vectors import vector_file
from photosearch import Library
from photosearch.bench.processes import Spent, spend
from photosearch.encoders import Encoder, open_encoder
from photosearch.encoders.typical import TYPICAL

SIZES = (100_000, 1_000_000)
# Around where clusters begin to pay.
CROSSOVER = (50_000, 100_000, 150_000, 200_000, 400_000)
BEST = 10
_BATCH = 20_000
_ASKED = 200
_PYTHON = sys.executable


@dataclass(frozen=True)
class Lookup:
    """Milliseconds (n,) of finding the ten best of `photos` vectors, all compared or in clusters.

    `recall` is the share of the exact ten best that clusters give; None where there are none that
    help.
    """

    photos: int
    exact: NDArray[np.float64]
    clustered: NDArray[np.float64] | None
    recall: float | None


@dataclass(frozen=True)
class Large:
    """A library of `photos`. cold: rounds of one search as a command. open_seconds (n,): opening
    catalogue and vectors. warm: milliseconds (n,) of whole searches in one program. reaching:
    the share that is found of all photos that look like a text, by the model's cut-off.
    """

    photos: int
    lists: str
    cold: list[Spent]
    rclip: list[Spent]
    open_seconds: NDArray[np.float64]
    warm: NDArray[np.float64]
    recall: float
    reaching: float
    file_bytes: int


def run(
    work: Path,
    out: Path,
    program: Path | None,
    *,
    sizes: Sequence[int],
    crossover: Sequence[int],
    rounds: int,
) -> None:
    """Measure, print the tables, and write them with a plot to `out`; libraries go to `work`."""
    setting = f"{machine()} when it started, {rounds} rounds"
    encoder = open_encoder()
    work.mkdir(parents=True, exist_ok=True)
    asked = questions(encoder)
    lookups = []
    for photos in crossover:
        print(f"  comparing {photos:,} vectors", flush=True)
        lookups.append(look_up(encoder, photos, asked))
    peer = None if program is None else prepare_rclip(program, work / "rclip")
    larges = []
    for photos in sizes:
        print(f"  a library of {photos:,} photos", flush=True)
        make_library(work / str(photos), encoder, photos)
        # What it takes rclip is known to grow with the photos; a million would take minutes.
        beside = peer if photos == min(sizes) else None
        larges.append(measure(work / str(photos), encoder, asked, beside, photos, rounds=rounds))
    print(library_table(larges), lookup_table(lookups), sep="\n\n")
    version = "" if peer is None else f"; rclip {peer.version}"
    write_text(out / "vectors.md", page(larges, lookups, setting + version))
    plot(lookups, larges, out / "vectors.svg")


def questions(encoder: Encoder) -> NDArray[np.float32]:
    """Texts that the number of clusters to look through was not measured on."""
    texts = captions()
    return encoder.encode_texts(texts[:: len(texts) // _ASKED][:_ASKED])


def look_up(encoder: Encoder, photos: int, asked: NDArray[np.float32]) -> Lookup:
    """Compare all of so many vectors, and those of the clusters nearest to a text."""

    def read(every: int) -> Any:
        for start, rows in enumerate(photo_vectors(encoder, photos, batch=_BATCH)):
            ids = np.arange(start * _BATCH, start * _BATCH + len(rows), dtype=np.int64)
            chosen = ids % every == 0
            yield ids[chosen], rows[chosen].astype(np.float16)

    exact = plain_lists(read(1), photos)
    slow, best = _each(exact, asked)
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
        path = Path(folder) / "clusters"
        try:
            write_clusters(path, Stamp(1, ""), read, photos, [encoder.encode_texts(TYPICAL)])
        except NoClustersError:
            return Lookup(photos, slow, None, None)
        loaded = read_vectors(path)
        assert loaded is not None
        quick, found = _each(loaded[0], asked)
    return Lookup(photos, slow, quick, shared(best, found))


def _each(lists: VectorLists, asked: NDArray[np.float32]) -> tuple[NDArray[np.float64], Any]:
    found = []
    milliseconds = []
    lists.search(asked[:1], BEST)
    for row in asked:
        started = time.perf_counter()
        found.append(lists.search(row[None], BEST)[1][0])
        milliseconds.append(1e3 * (time.perf_counter() - started))
    return np.array(milliseconds), np.array(found)


def shared(best: NDArray[np.int64], found: NDArray[np.int64]) -> float:
    """The mean share of the ids in each row of `best` that the same row of `found` has."""
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(best, found, strict=True)]))


def measure(
    library: Path,
    encoder: Encoder,
    asked: NDArray[np.float32],
    peer: Rclip | None,
    photos: int,
    *,
    rounds: int,
) -> Large:
    """Search the library as a command, in turns with rclip, and then in this program."""
    spent: dict[str, list[Spent]] = {"ours": [], "theirs": []}
    command = ["photosearch", "--library", str(library), "search", "a dog on a beach", "-n", "20"]
    runs: dict[str, Callable[[], float]] = {
        "ours": lambda: _add(spent["ours"], spend([_PYTHON, "-m", *command]))
    }
    if peer is not None:
        folder = fill(peer, library.parent / "rclip-photos", photos)
        query = peer.command("--filepath-only", "-n", "-t", "20", "a dog on a beach")
        runs["theirs"] = lambda: _add(
            spent["theirs"], spend(query, cwd=folder, environment=peer.environment)
        )
    for once in runs.values():
        once()  # brings the files into the system's memory
    for kept in spent.values():
        kept.clear()
    interleave(runs, rounds=rounds)

    opening = []
    for _ in range(rounds):
        started = time.perf_counter()
        with Catalogue.open(library, readonly=True) as catalogue:
            vectors = FaissIndex.open(catalogue, encoder.bundle_id)
        opening.append(time.perf_counter() - started)
    with Catalogue.open(library, readonly=True) as catalogue:
        file = vector_file(catalogue, encoder.bundle_id)
        clustered = bool(vectors._lists.probes)
        _, found = vectors.search(asked, BEST)
        every = catalogue.selection.ids(())
        _, best = vectors.search(asked, BEST, among=every)
        reaching = reached(vectors, encoder, asked[::4], every)
    warm = []
    texts = captions()[7 :: 10_000 // _ASKED][:_ASKED]
    with Library.open(library, readonly=True) as opened:
        opened.search("a dog on a beach")
        for text in texts:
            started = time.perf_counter()
            opened.search(text, literal=True)
            warm.append(1e3 * (time.perf_counter() - started))
    return Large(
        photos,
        "in clusters" if clustered else "all",
        spent["ours"],
        spent["theirs"],
        np.array(opening),
        np.array(warm),
        shared(best, found),
        reaching,
        file.stat().st_size,
    )


def reached(
    vectors: FaissIndex,
    encoder: Encoder,
    asked: NDArray[np.float32],
    every: NDArray[np.int64],
) -> float:
    """Of all photos that reach the cut-offs of these texts the share that a search finds."""
    if encoder.calibration is None:  # then nothing is cut off
        return 1.0
    found = there = 0
    for text in asked:
        best = float(vectors.search(text[None], 1, among=every)[0][0, 0])
        cutoff = encoder.calibration.cutoff(text, best, len(vectors))
        found += len(vectors.within(text, cutoff)[1])
        there += len(vectors.within(text, cutoff, among=every)[1])
    return found / max(1, there)


def _add(kept: list[Spent], spent: Spent) -> float:
    kept.append(spent)
    return spent.seconds


def fill(peer: Rclip, folder: Path, photos: int) -> Path:
    """Put so many photos that do not exist into rclip's database, and give their folder."""
    folder.mkdir(exist_ok=True)
    # Makes its tables.
    subprocess.run(
        peer.command("--filepath-only", "a dog"),
        cwd=folder,
        env=peer.environment,
        capture_output=True,
        check=True,
    )
    random = np.random.default_rng(0)
    with closing(sqlite3.connect(peer.database)) as database, database:
        database.execute("DELETE FROM images")
        for start in range(0, photos, _BATCH):
            rows = random.standard_normal((min(_BATCH, photos - start), WIDTH), np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            database.executemany(
                "INSERT INTO images (filepath, modified_at, size, vector, hash) "
                "VALUES (?, 0, 0, ?, ?)",
                (
                    (str(folder / f"IMG_{start + place:07}.jpg"), row.tobytes(), f"{start + place}")
                    for place, row in enumerate(rows)
                ),
            )
    return folder


def library_table(larges: Sequence[Large]) -> str:
    head = (
        "program",
        "photos",
        "compared",
        "one search as a command, s",
        "its memory, MB",
        "opening, s",
        "a search in a program, ms",
        "of these 95 of 100 take at most, ms",
        "of the exact ten best",
        "of all that look like the text",
        "file of vectors, MB",
    )
    rows = []
    for large in larges:
        if large.rclip:
            rows.append(
                (
                    "rclip",
                    f"{large.photos:,}",
                    "all",
                    f"{_seconds(large.rclip):.2f}",
                    f"{_peak(large.rclip):.0f}",
                    *("",) * 6,
                )
            )
        rows.append(
            (
                "photosearch",
                f"{large.photos:,}",
                large.lists,
                f"{_seconds(large.cold):.2f}",
                f"{_peak(large.cold):.0f}",
                f"{Spread.of(large.open_seconds):.2f}",
                f"{np.median(large.warm):.1f}",
                f"{np.percentile(large.warm, 95):.1f}",
                f"{large.recall:.1%}",
                f"{large.reaching:.2%}",
                f"{large.file_bytes / 1e6:.0f}",
            )
        )
    return markdown_table(head, rows)


def _seconds(spent: Sequence[Spent]) -> Spread:
    return Spread.of(np.array([one.seconds for one in spent]))


def _peak(spent: Sequence[Spent]) -> float:
    return max(one.peak_bytes for one in spent) / 1e6


def lookup_table(lookups: Sequence[Lookup]) -> str:
    head = ("photos", "all compared, ms", "in clusters, ms", "of the exact ten best")
    return markdown_table(
        head,
        [
            (
                f"{one.photos:,}",
                f"{Spread.of(one.exact):.1f}",
                "do not help" if one.clustered is None else f"{Spread.of(one.clustered):.1f}",
                "" if one.recall is None else f"{one.recall:.1%}",
            )
            for one in lookups
        ],
    )


def page(larges: Sequence[Large], lookups: Sequence[Lookup], setting: str) -> str:
    """docs/benchmarks/vectors.md."""
    ratios = [
        f"{Spread.of(_times(large)):.1f} times as fast as rclip, with "
        f"{_peak(large.cold) / _peak(large.rclip):.0%} of its memory"
        for large in larges
        if large.rclip
    ]
    return fill_page(
        "vectors.md",
        setting=setting,
        libraries=library_table(larges),
        lookups=lookup_table(lookups),
        versus=f" One search as a command is **{ratios[0]}**." if ratios else "",
        limit=f"{CLUSTERED_FROM:,}",
    )


def _times(large: Large) -> NDArray[np.float64]:
    theirs, ours = ([one.seconds for one in side] for side in (large.rclip, large.cold))
    return np.asarray(theirs, np.float64) / np.asarray(ours, np.float64)


def plot(lookups: Sequence[Lookup], larges: Sequence[Large], path: Path) -> None:
    """Milliseconds of comparing, by the number of photos, all of them and in clusters."""
    drawn, (axis,) = figure(1, 3.2, width=7)
    photos = [one.photos for one in lookups]
    axis.plot(
        photos,
        [float(np.median(one.exact)) for one in lookups],
        marker="o",
        color="#d9822b",
        label="all compared",
    )
    helped = [one for one in lookups if one.clustered is not None]
    axis.plot(
        [one.photos for one in helped],
        [float(np.median(one.clustered)) for one in helped if one.clustered is not None],
        marker="o",
        color="#2f6f9f",
        label="in clusters",
    )
    axis.plot(
        [one.photos for one in larges],
        [float(np.median(one.warm)) for one in larges],
        marker="s",
        color="black",
        linestyle="none",
        label="a whole search in a library",
    )
    axis.axvline(CLUSTERED_FROM, color="grey", linewidth=0.8, linestyle="--")
    axis.set_xscale("log")
    axis.set_xlabel("photos; the dashed line is where photosearch begins to use clusters")
    axis.set_ylabel("ms")
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False)
    save_figure(drawn, path)
