"""Index runs killed (SIGKILL) at random moments: the library ends up as if none had been."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from optional import needs_fork
from PIL import Image

from index import Catalogue, FaissIndex

pytestmark = [pytest.mark.slow, needs_fork]

KILLS = int(os.environ.get("PHOTOSEARCH_TEST_KILLS", "50"))
REPOSITORY = Path(__file__).parents[2]
PHOTOS, COPIES, DAMAGED = 120, 8, 6


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some tiny files: pictures of two sizes in bytes or of their own, copies, damage."""
    folder = tmp_path_factory.mktemp("kills") / "photos"
    (folder / "below").mkdir(parents=True)
    how = np.random.default_rng(5)
    for number in range(PHOTOS):
        pixels = how.integers(0, 256, (4 + number % 3, 6, 3), np.uint8)
        suffix = "bmp" if number % 2 else "png"
        where = folder / "below" if number % 3 else folder
        Image.fromarray(pixels).save(where / f"{number:03}.{suffix}")
    for number in range(COPIES):
        shutil.copy(folder / "000.png", folder / "below" / f"copy{number}.png")
    for number in range(DAMAGED):
        (folder / f"damaged{number}.jpg").write_bytes(b"\xff\xd8\xff" + bytes(number))
    return folder


class Runs:
    """Starts index runs over `photos`, and ends them."""

    def __init__(self, photos: Path, bundle: Path) -> None:
        self.photos, self._bundle = photos, bundle
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).parents[1] / "run_often.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ
            | {
                "PYTHONPATH": str(REPOSITORY),
                # A fork has only the thread that made it.
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
            },
            text=True,
        )

    def _line(self) -> int:
        assert self._server.stdout is not None
        return int(self._server.stdout.readline())

    def start(self, library: Path) -> int:
        """Begin a run; the number of its process."""
        assert self._server.stdin is not None
        arguments = ["--library", library, "--model", self._bundle]
        arguments += ["index", "--workers", "1", self.photos]
        self._server.stdin.write(json.dumps([str(each) for each in arguments]) + "\n")
        self._server.stdin.flush()
        return self._line()

    def end(self) -> int:
        """Wait for the run to end; its exit code, negative for a signal."""
        return self._line()

    def close(self) -> None:
        self._server.communicate()


@pytest.fixture
def runs(photos: Path, colours: Path) -> Iterator[Runs]:
    opened = Runs(photos, colours)
    yield opened
    opened.close()


def content_of(library: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that is recorded, after checking that it is sound; but not ids and times of writing."""
    with closing(sqlite3.connect(library / "catalogue.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        queries = {
            "folders": "SELECT path FROM folders ORDER BY 1",
            "photos": "SELECT path, size, mtime_ns, width, height, format, missing, companions, "
            "hex(digest), bundle_id, hex(vector), taken_at, taken_source, state FROM photos "
            "JOIN contents ON contents.id = content_id LEFT JOIN embeddings USING (content_id) "
            "LEFT JOIN metadata ON metadata.photo_id = photos.id ORDER BY 1",
            "problems": "SELECT path, size, mtime_ns, reason FROM problems ORDER BY 1",
            "contents": "SELECT hex(digest) FROM contents ORDER BY 1",
        }
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}


def recorded(library: Path) -> set[str]:
    """Paths of photos and problems so far, none before there is a catalogue."""
    with (
        suppress(sqlite3.OperationalError),
        closing(
            sqlite3.connect(f"file:{library / 'catalogue.db'}?mode=ro", uri=True)
        ) as connection,
    ):
        query = "SELECT path FROM photos UNION SELECT path FROM problems"
        return {row[0] for row in connection.execute(query)}
    return set()


def searchable(library: Path) -> list[str]:
    """Every photo's path, in the order in which the vectors are found."""
    with Catalogue.open(library, readonly=True) as catalogue:
        (bundle_id,) = catalogue.bundle_ids()
        index = FaissIndex.open(catalogue, bundle_id)
        query = np.zeros((1, 384), np.float32)
        query[0, :3] = 0.2, -0.5, 0.8
        scores, ids = index.search(query, 1000)
        known = {photo.id: photo.path for photo in catalogue.photos(ids[0])}
        # By path where the score is the same, as of copies.
        ranked = sorted((-score, known[int(i)]) for score, i in zip(scores[0], ids[0], strict=True))
        return [path for _, path in ranked]


def test_killed_runs_end_as_one_that_was_not(runs: Runs, photos: Path, tmp_path: Path) -> None:
    runs.start(tmp_path / "first")  # the files are in memory from now on
    assert runs.end() == 0
    whole = tmp_path / "whole"
    began = time.monotonic()
    runs.start(whole)
    assert runs.end() == 0
    length = time.monotonic() - began
    expected, order = content_of(whole), searchable(whole)
    assert (len(expected["photos"]), len(expected["problems"])) == (PHOTOS + COPIES, DAMAGED)
    assert len(expected["contents"]) == PHOTOS
    assert len(order) == PHOTOS + COPIES

    # As even over a run's length as that many moments can be, in random order: by mere chance twice
    # as many would leave gaps as large.
    how = random.Random(7)
    moments = [length * (number + how.random()) / KILLS for number in range(KILLS)]
    how.shuffle(moments)
    wait = itertools.cycle(moments)
    kills = completed = 0
    partial = []
    library, had = tmp_path / "0", set[str]()
    while kills < KILLS or had:
        pid = runs.start(library)
        if kills < KILLS:
            time.sleep(next(wait))
            # The run alone, or its decoding processes with it, as when the machine stops.
            with suppress(ProcessLookupError):
                (os.kill if kills % 2 else os.killpg)(pid, signal.SIGKILL)
        code = runs.end()
        assert code in (0, -signal.SIGKILL)
        kills += code != 0
        has = recorded(library)
        assert has >= had
        had = has
        if code == 0:
            assert content_of(library) == expected
            assert searchable(library) == order
            assert not list((library / "vectors").glob(".*.part"))
            completed += 1
            library, had = tmp_path / str(completed), set()
        elif 0 < len(has) < PHOTOS:
            partial.append(len(has))
    assert completed
    # The moments were not all before or after the work.
    assert len(partial) > KILLS // 10
    print(f"{kills} kills, {len(partial)} with photos recorded, {completed} libraries completed")
