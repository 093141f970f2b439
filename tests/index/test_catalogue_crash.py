"""Processes killed outright (SIGKILL): what was committed is there, whole, and nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from catalogue_data import BUNDLE, child, new_photos, unit_vectors
from forked import in_a_fork
from optional import needs_fork, needs_kill

from index import Catalogue, FaissIndex, FileStamp, Problem

pytestmark = [pytest.mark.slow, needs_kill]

BATCH = 10

# Says after each call how many batches are recorded; killed while it goes on.
WRITE = f"""
import sys
from pathlib import Path
from catalogue_data import BUNDLE, new_photos, unit_vectors
from index import Catalogue, FaissIndex
with Catalogue.open(Path(sys.argv[1])) as catalogue:
    for batch in range(int(sys.argv[2]), 100000):
        photos = new_photos({BATCH}, start={BATCH} * batch)
        catalogue.record(BUNDLE, photos, unit_vectors({BATCH}, seed=batch))
        print(batch + 1, flush=True)
        if batch % 3 == 0:
            FaissIndex.open(catalogue, BUNDLE)
"""


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def batches_in(folder: Path) -> int:
    """How many batches are recorded, after checking that each is there as it was given."""
    with closing(sqlite3.connect(folder / "catalogue.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with Catalogue.open(folder) as catalogue:
        ids, vectors = catalogue.embeddings(BUNDLE)
        batches, rest = divmod(len(ids), BATCH)
        assert rest == 0
        assert catalogue.counts().photos == len(ids)
        assert catalogue.generation == batches
        if not batches:
            return 0
        paths = [photo.path for photo in catalogue.photos(ids)]
        assert paths == [photo.path for photo in new_photos(len(ids))]
        given = np.concatenate([unit_vectors(BATCH, seed=batch) for batch in range(batches)])
        assert np.array_equal(vectors, given.astype(np.float16))
        _, nearest = FaissIndex.open(catalogue, BUNDLE).search(given, 1)
        assert np.array_equal(nearest[:, 0], ids)
        assert not list((folder / "vectors").glob(".*.part"))
    return batches


def test_a_writer_killed_at_any_moment_loses_nothing_that_it_had_reported(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    recorded = 0
    for lines in (1, 2, 5, 11, 23, 7, 3, 16):
        writer = child(WRITE, folder, str(recorded))
        assert writer.stdout is not None
        reported = [int(writer.stdout.readline()) for _ in range(lines)][-1]
        killed(writer)

        recorded = batches_in(folder)
        assert recorded >= reported


CALLS: dict[str, Callable[[Catalogue], object]] = {
    "record": lambda it: it.record(BUNDLE, new_photos(3, start=1), unit_vectors(3, seed=5)),
    "record_problems": lambda it: it.record_problems(
        [Problem(p.path, FileStamp(1, 1), "bad") for p in new_photos(3)]
    ),
    "mark_missing": lambda it: it.mark_missing([p.path for p in new_photos(3)]),
    "mark_present": lambda it: it.mark_present(["/photos/00003.jpg"]),
    "forget_problems": lambda it: it.forget_problems(["/photos/x.jpg", "/photos/y.jpg"]),
    "forget": lambda it: it.forget("/photos"),
    "embed": lambda it: it.embed("other-1-0123456789ab", [1, 2], unit_vectors(2, seed=6)),
}


def _call(call: str, folder: Path, kill_at: int) -> None:
    """Kill this process when the statement of that number, from 1, is about to run.

    Where it lives on, it ends with the number of statements as its exit code.
    """
    catalogue = Catalogue.open(folder)
    begun = 0

    def trace(statement: str) -> None:
        nonlocal begun
        begun += 1
        if begun == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    catalogue._connection._raw.set_trace_callback(trace)
    CALLS[call](catalogue)
    catalogue._connection._raw.set_trace_callback(None)
    catalogue.close()
    sys.exit(begun)


def content_of(folder: Path) -> list[str]:
    """All that the catalogue holds, but for the times and names drawn when writing."""
    with closing(sqlite3.connect(folder / "catalogue.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = []
        for query in (
            "SELECT id, path, size, mtime_ns, missing FROM photos ORDER BY 1",
            "SELECT content_id, bundle_id, hex(vector) FROM embeddings ORDER BY 1",
            "SELECT path, size, mtime_ns, reason FROM problems ORDER BY 1",
            "SELECT value FROM state WHERE key = 'generation'",
        ):
            rows += [repr(row) for row in connection.execute(query)]
    return rows


@pytest.fixture(scope="module")
def library_for_calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calls") / "library"
    with Catalogue.open(folder) as catalogue:
        catalogue.record(BUNDLE, new_photos(4), unit_vectors(4))
        catalogue.mark_missing(["/photos/00003.jpg"])
        catalogue.record_problems(
            [Problem(f"/photos/{name}.jpg", FileStamp(1, 1), "is damaged") for name in "xyz"]
        )
    return folder


@needs_fork
@pytest.mark.parametrize("call", CALLS)
def test_a_call_killed_between_any_two_statements_is_undone_or_done(
    tmp_path: Path, library_for_calls: Path, call: str
) -> None:
    whole = shutil.copytree(library_for_calls, tmp_path / "whole")
    before = content_of(whole)
    statements = in_a_fork(_call, call, whole, 0)
    after = content_of(whole)
    assert after != before
    assert statements is not None
    assert 3 <= statements < 250  # which an exit code can say

    for number in sorted({1, 2, 3, statements // 2, statements - 1, statements}):
        folder = shutil.copytree(library_for_calls, tmp_path / str(number))
        assert in_a_fork(_call, call, folder, number) == -signal.SIGKILL
        # The last statement is the COMMIT, which has not run either.
        assert content_of(folder) == before
        with Catalogue.open(folder) as catalogue:
            catalogue.record(BUNDLE, new_photos(1), unit_vectors(1))


KILL_IN_MIGRATION = """
import os, signal, sys
from pathlib import Path
from index import Catalogue
from index.catalogue import migrations
def die(db):
    db.execute("CREATE TABLE half_done (a TEXT)")
    os.kill(os.getpid(), signal.SIGKILL)
migrations.STEPS = (*migrations.STEPS, die) if sys.argv[2] == "after" else (die,)
Catalogue.open(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_killed_while_it_makes_a_library_leaves_none_behind(
    tmp_path: Path, moment: str
) -> None:
    process = child(KILL_IN_MIGRATION, tmp_path / "library", moment)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors

    with Catalogue.open(tmp_path / "library") as catalogue:
        catalogue.record(BUNDLE, new_photos(1), unit_vectors(1))
        assert catalogue.counts().photos == 1
    with closing(sqlite3.connect(tmp_path / "library" / "catalogue.db")) as connection:
        assert "half_done" not in str(connection.execute("SELECT * FROM sqlite_master").fetchall())


KILL_WHILE_SAVING = """
import os, signal, sys
from pathlib import Path
from catalogue_data import BUNDLE
from index import Catalogue, FaissIndex
def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "before the bytes are safe":
    os.fsync = die
else:
    Path.replace = die
with Catalogue.open(Path(sys.argv[1])) as catalogue:
    FaissIndex.refresh(catalogue, BUNDLE)
"""


@pytest.mark.parametrize("moment", ["before the bytes are safe", "before the renaming"])
def test_a_process_killed_while_it_saves_vectors_spoils_neither_the_old_file_nor_the_next(
    tmp_path: Path, moment: str
) -> None:
    vectors = tmp_path / "vectors"
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, new_photos(BATCH), unit_vectors(BATCH))
        FaissIndex.open(catalogue, BUNDLE)
        (file,) = vectors.iterdir()
        old = file.read_bytes()
        catalogue.record(BUNDLE, new_photos(BATCH, start=BATCH), unit_vectors(BATCH, seed=1))

    process = child(KILL_WHILE_SAVING, tmp_path, moment)
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors
    assert file.read_bytes() == old
    assert len(list(vectors.iterdir())) == 2

    with Catalogue.open(tmp_path) as catalogue:
        assert len(FaissIndex.open(catalogue, BUNDLE)) == 2 * BATCH
        assert FaissIndex.refresh(catalogue, BUNDLE)
    assert list(vectors.iterdir()) == [file]
    assert batches_in(tmp_path) == 2
