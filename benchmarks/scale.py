"""How searching and building grow with the library: vectors alone, from ten thousand to millions.

Each number of photos is built, and searched, by a process of its own, whose memory is its own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.synthetic import captions, photo_vectors
from benchmarks.tables import fill_page, markdown_table, write_text
from benchmarks.timing import machine

SIZES = (10_000, 100_000, 1_000_000)
SHARES = (0.5, 0.05, 0.001)
_BEST, _ASKED, _BATCH = 10, 200, 4096
# Searches after which nothing is read for the first time any more.
_FIRST = 4


def run(work: Path, out: Path, *, sizes: Sequence[int]) -> None:
    """Measure, print the tables, and write them to `out`; vectors go to `work`."""
    setting = machine()
    work.mkdir(parents=True, exist_ok=True)
    width = _prepare(work, max(sizes))
    measured = []
    for photos in sizes:
        print(f"  {photos:,} photos", flush=True)
        place = work / f"{photos}.faiss"
        built = _child("build", work, photos, width)
        _find_truth(work, photos, width)
        measured.append(built | _child("search", work, photos, width))
        place.unlink()
        (work / f"{photos}.npz").unlink()
        print(measured[-1], flush=True)
    page = fill_page(
        "scale.md",
        setting=setting,
        growth=growth_table(measured),
        searches=search_table(measured),
    )
    write_text(out / "scale.md", page)


def growth_table(measured: Sequence[dict[str, Any]]) -> str:
    """What each size takes, and the exponent with which that grows from one size to the next."""
    columns = {
        "building, s": "build_seconds",
        "of processor time": "build_cpu",
        "memory, searching, MB": "search_memory",
        "of it mapped": "search_mapped",
        "file, MB": "file",
        "a search, ms of processor time": "search_cpu",
    }
    rows = [
        (f"{one['photos']:,}", *(f"{one[key]:.3g}" for key in columns.values())) for one in measured
    ]
    for before, after in pairwise(measured):
        times = np.log(after["photos"] / before["photos"])
        rows.append(
            (
                f"exponent, {before['photos']:,} to {after['photos']:,}",
                *(
                    f"{np.log(max(after[key], 1e-3) / max(before[key], 1e-3)) / times:.2f}"
                    for key in columns.values()
                ),
            )
        )
    return markdown_table(("photos", *columns), rows)


def search_table(measured: Sequence[dict[str, Any]]) -> str:
    head = (
        "photos",
        "among",
        "median, ms",
        "95 of 100 take at most",
        "processor time, ms",
        "the same filter anew",
        "of the exact ten best",
    )
    rows = [
        (
            f"{one['photos']:,}",
            search["among"],
            f"{search['median']:.1f}",
            f"{search['p95']:.1f}",
            f"{search['cpu']:.2f}",
            f"{search['anew']:.2f}",
            f"{search['recall']:.1%}",
        )
        for one in measured
        for search in one["searches"]
    ]
    return markdown_table(head, rows)


def _prepare(work: Path, photos: int) -> int:
    """Vectors and texts in files; the width."""
    from photosearch.encoders import open_encoder
    from photosearch.encoders.typical import TYPICAL

    encoder = open_encoder()
    texts = captions()
    np.save(work / "asked.npy", encoder.encode_texts(texts[:: len(texts) // _ASKED][:_ASKED]))
    np.save(work / "typical.npy", encoder.encode_texts(TYPICAL))
    path = work / "vectors.f16"
    if not path.is_file() or path.stat().st_size < 2 * photos * encoder.dim:
        with open(path, "wb") as file:
            for rows in photo_vectors(encoder, photos):
                file.write(rows.astype(np.float16).tobytes())
    return encoder.dim


def _vectors(work: Path, photos: int, width: int) -> NDArray[np.float16]:
    return np.memmap(work / "vectors.f16", np.float16, "r", shape=(photos, width))


def _batches(
    vectors: NDArray[np.float16], every: int = 1
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
    for start in range(0, len(vectors), _BATCH):
        rows = np.array(vectors[start : start + _BATCH])
        ids = np.arange(start + 1, start + 1 + len(rows), dtype=np.int64)
        chosen = ids % every == 0
        if chosen.any():
            yield ids[chosen], rows[chosen]


def _filters(vectors: NDArray[np.float16]) -> dict[str, NDArray[np.int64]]:
    """Photos that were taken one after the other, and such as look like one of them."""
    photos = len(vectors)
    one = vectors[photos // 7].astype(np.float32)
    parts = [rows.astype(np.float32) @ one for _, rows in _batches(vectors)]
    near = np.argsort(-np.concatenate(parts), kind="stable")
    found = {}
    for share in SHARES:
        count = max(_BEST, round(photos * share))
        first = photos // 3
        found[f"{share:.1%}, a time"] = np.arange(first, first + count, dtype=np.int64) + 1
        found[f"{share:.1%}, a subject"] = np.sort(near[:count]).astype(np.int64) + 1
    return found


def _find_truth(work: Path, photos: int, width: int) -> None:
    from index.vectors.building import Best

    vectors = _vectors(work, photos, width)
    asked = np.load(work / "asked.npy")
    filters = _filters(vectors)
    members = {}
    for name, ids in filters.items():
        members[name] = np.zeros(photos + 1, np.bool_)
        members[name][ids] = True
    best = {name: Best(asked, _BEST) for name in ("all", *filters)}
    for ids, some in _batches(vectors):
        rows = some.astype(np.float32)
        best["all"].add(ids, rows)
        for name, member in members.items():
            if (inside := member[ids]).any():
                best[name].add(ids[inside], rows[inside])
    truth = {f"truth {name}": one.ids() for name, one in best.items()}
    np.savez(work / f"{photos}.npz", **truth, **{f"ids {k}": v for k, v in filters.items()})


def _child(what: str, work: Path, photos: int, width: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.scale", what, str(work), str(photos), str(width)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _clock() -> tuple[float, float]:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), spent.ru_utime + spent.ru_stime


def _build(work: Path, photos: int, width: int) -> dict[str, Any]:
    """As an index run does."""
    from index.vectors.building import write_clusters, write_plain
    from index.vectors.vector_file import Stamp
    from index.vectors.vector_lists import CLUSTERED_FROM, faiss_library

    faiss_library()
    vectors = _vectors(work, photos, width)
    path, stamp = work / f"{photos}.faiss", Stamp(1, "made")
    wall, cpu = _clock()
    if photos < CLUSTERED_FROM:
        write_plain(path, stamp, _batches(vectors), photos)
    else:
        typical = np.load(work / "typical.npy")
        write_clusters(path, stamp, lambda every: _batches(vectors, every), photos, [typical])
    ended = _clock()
    return {
        "photos": photos,
        "build_seconds": ended[0] - wall,
        "build_cpu": ended[1] - cpu,
        "file": path.stat().st_size / 1e6,
    }


def _search(work: Path, photos: int, width: int) -> dict[str, Any]:
    from index.vectors.vector_file import read_vectors
    from index.vectors.vectors import FaissIndex

    known = np.load(work / f"{photos}.npz")
    asked = np.load(work / "asked.npy")
    loaded = read_vectors(work / f"{photos}.faiss")
    assert loaded is not None
    index = FaissIndex(loaded[0])
    for _ in range(_FIRST):
        index.search(asked[:1], _BEST)
    searches = []
    for name in known:
        if not name.startswith("truth "):
            continue
        among = None if name == "truth all" else known[name.replace("truth", "ids", 1)]
        if among is not None:
            among.flags.writeable = False
        truth = known[name]
        anew = []
        for query in asked[:: _ASKED // 10]:
            again = None if among is None else among.copy()
            started = _clock()
            index.search(query[None], _BEST, among=again)
            anew.append(1e3 * (_clock()[1] - started[1]))
        wall, cpu, shared = [], _clock()[1], []
        for query, best in zip(asked, truth, strict=True):
            began = time.perf_counter()
            found = index.search(query[None], _BEST, among=among)[1][0]
            wall.append(1e3 * (time.perf_counter() - began))
            shared.append(np.isin(best, found).mean())
        searches.append(
            {
                "among": name.removeprefix("truth "),
                "median": float(np.median(wall)),
                "p95": float(np.percentile(wall, 95)),
                "cpu": 1e3 * (_clock()[1] - cpu) / len(asked),
                "anew": float(np.mean(anew)),
                "recall": float(np.mean(shared)),
            }
        )
    memory = _memory()
    return {
        "searches": searches,
        "search_cpu": searches[0]["cpu"],
        "search_memory": memory["VmRSS"],
        "search_mapped": memory["RssFile"],
    }


def _memory() -> dict[str, float]:
    """MB of this process, by the names that Linux has for them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    pairs = (line.split() for line in lines if line.endswith(" kB"))
    return {name.rstrip(":"): int(number) / 1e3 for name, number, _ in pairs}


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    _, asked_for, folder, count, numbers = sys.argv
    does = {"build": _build, "search": _search}[asked_for]
    print(json.dumps(does(Path(folder), int(count), int(numbers))))
