"""What a search costs in a library that is open, as a person who types meets it, with its text."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.synthetic import photo_vectors
from benchmarks.tables import fill_page, markdown_table, write_text
from benchmarks.timing import machine
from index import Catalogue, FileStamp, Metadata, NewPhoto, Place
from photosearch import Library
from photosearch.encoders import open_encoder
from photosearch.encoders.typical import TYPICAL

_CITIES = ("Rome", "Paris", "Oslo", "Lima", "Kyoto", "Quito", "Cairo", "Perth")
_FIRST = datetime(2018, 1, 1)
_CAMERAS = ("Canon EOS R6", "NIKON Z 6", "Pixel 7", "iPhone 13")
# Each with a text that was not met before, but for the last.
KINDS: dict[str, Callable[[str, int], dict[str, Any]]] = {
    "a description": lambda text, _: {"text": text},
    "with what not to show": lambda text, _: {"text": f"{text} -people"},
    "a year: a sixth of the photos": lambda text, n: {"text": f"{text} year:{2018 + n % 6}"},
    "a city and stars": lambda text, n: {"text": f"{text} in:{_CITIES[n % 8]} rating>=4"},
    "since a day, another each time": lambda text, n: {
        "text": f"{text} since:{_FIRST + timedelta(days=20 * n):%Y-%m-%d}"
    },
    "words in quotes, others each time": lambda text, n: {"text": f'{text} "day {n} in"'},
    "with copies and bursts collapsed": lambda text, _: {"text": text, "collapse": True},
    "the newest that fit": lambda text, _: {"text": text, "sort": "newest"},
    "the tenth page": lambda text, _: {"text": text, "offset": 180},
    "the same text again": lambda _, __: {"text": "a dog on a beach"},
}


def run(folder: Path, out: Path, *, photos: int, searches: int) -> None:
    """Search so many photos, kind after kind in turn, and write the page to `out`."""
    _make(folder, photos)
    seconds: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    texts = _texts(searches * len(KINDS))
    with Library.open(folder) as library:
        for ask in KINDS.values():  # opens the vectors and the model
            library.search(**ask("warm up", 0))
        for number in range(searches):
            for kind, ask in KINDS.items():
                wanted = ask(next(texts), number)
                worked, started = time.process_time(), time.perf_counter()
                library.search(**wanted)
                passed = time.perf_counter() - started
                seconds[kind].append((passed, time.process_time() - worked))
    rows = []
    every = {"all of these together": [one for spent in seconds.values() for one in spent]}
    for kind, spent in (seconds | every).items():
        passed, worked = np.array(spent).T * 1000
        middle, most, work = (
            np.percentile(passed, 50),
            *(np.percentile(each, 95) for each in (passed, worked)),
        )
        rows.append((kind, f"{middle:.1f}", f"{most:.1f}", f"{work:.1f}"))
        print(f"  {kind:34} p50 {middle:6.1f} ms   p95 {most:6.1f} ms   of CPU {work:6.1f} ms")
    table = markdown_table(("search", "median ms", "p95 ms", "p95 ms of work"), rows)
    page = fill_page(
        "warm-search.md",
        machine=machine(),
        photos=f"{photos:,}",
        searches=str(searches),
        table=table,
        p95=rows[0][2],
        work=rows[0][3],
        together=rows[-1][2],
    )
    write_text(out / "warm-search.md", page)


def _texts(count: int) -> Iterator[str]:
    """Descriptions that differ, made of the parts of those that people type."""
    draw = random.Random(0)
    for number in range(count):
        one, other = draw.sample(TYPICAL, 2)
        yield f"{one} and {other} {number}"


def _caption(number: int, place: int) -> str | None:
    """A tenth of the photos has one."""
    return f"Day {number // 10 % 200} in {_CITIES[place]}" if number % 10 == 0 else None


def _make(folder: Path, photos: int) -> None:
    encoder = open_encoder()
    draw = np.random.default_rng(0)
    places, cameras, stars = (draw.integers(0, n, photos) for n in (8, 4, 6))
    step = timedelta(days=6 * 365) / photos
    with Catalogue.open(folder) as catalogue:
        records = [
            NewPhoto(
                f"/photos/{number // 500}/{number}.jpg",
                FileStamp(1_000_000 + number, 1),
                4000,
                3000,
                "JPEG",
                number.to_bytes(32, "big"),
                Metadata(
                    taken_at=(_FIRST + number * step).isoformat(timespec="seconds"),
                    taken_source="exif",
                    place=Place(_CITIES[places[number]], "", ""),
                    camera=_CAMERAS[cameras[number]],
                    rating=int(stars[number]),
                    caption=_caption(number, places[number]),
                ),
            )
            for number in range(photos)
        ]
        done = 0
        for vectors in photo_vectors(encoder, photos):
            catalogue.record(encoder.bundle_id, records[done : done + len(vectors)], vectors)
            done += len(vectors)
