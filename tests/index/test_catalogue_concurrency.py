"""Several processes on one catalogue: readers beside a writer, and writers one after another."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from catalogue_data import BUNDLE, child, finish, new_photos, unit_vectors

from index import Catalogue, CatalogueError, FaissIndex

# Opens each library when the line comes that lets all processes do so.
OPEN = """
import sys
from pathlib import Path
from index import Catalogue
print("ready", flush=True)
for line in sys.stdin:
    with Catalogue.open(Path(line.strip())) as catalogue:
        catalogue.add_folder("/photos")
    print("done", flush=True)
"""


@pytest.mark.slow
def test_processes_that_make_a_library_at_the_same_time_all_get_it(tmp_path: Path) -> None:
    processes = [child(OPEN) for _ in range(4)]
    for number in range(40):
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline(), finish([process])
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{tmp_path / str(number)}\n")
            process.stdin.flush()
    finish(processes)

    for number in range(40):
        with closing(sqlite3.connect(tmp_path / str(number) / "catalogue.db")) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("SELECT path FROM folders").fetchall() == [("/photos",)]


WRITE = """
import sys
from pathlib import Path
from catalogue_data import BUNDLE, new_photos, unit_vectors
from index import Catalogue
folder, first, batches = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with Catalogue.open(folder) as catalogue:
    print("ready", flush=True)
    sys.stdin.readline()
    for batch in range(batches):
        photos = new_photos(10, start=first + 10 * batch)
        catalogue.record(BUNDLE, photos, unit_vectors(10, seed=batch))
        catalogue.mark_missing([photos[0].path])
"""


@pytest.mark.slow
def test_writers_wait_for_one_another_and_lose_nothing(tmp_path: Path) -> None:
    processes = [child(WRITE, tmp_path / "library", first, "20") for first in ("0", "1000", "2000")]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    finish(processes)  # closes their input, which lets all go on

    with Catalogue.open(tmp_path / "library") as catalogue:
        counts = catalogue.counts()
        assert (counts.photos, counts.missing) == (3 * 180, 3 * 20)
        assert catalogue.generation == 3 * 40


@pytest.mark.slow
def test_a_reader_beside_a_busy_writer_always_sees_whole_commits(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    Catalogue.open(folder).close()
    writer = child(WRITE, folder, "0", "60")
    assert writer.stdout is not None
    assert writer.stdin is not None
    writer.stdout.readline()

    generations = []
    with Catalogue.open(folder, readonly=True) as catalogue:
        writer.stdin.write("go\n")
        writer.stdin.flush()
        while writer.poll() is None:
            with catalogue.snapshot():
                generation = catalogue.generation
                counts = catalogue.counts()
                ids, vectors = catalogue.embeddings(BUNDLE)
            # Every other generation adds ten photos, and the next hides one of them.
            assert counts.photos + counts.missing == 10 * ((generation + 1) // 2)
            assert counts.missing == generation // 2
            assert len(ids) == len(vectors) == counts.photos
            index = FaissIndex.open(catalogue, BUNDLE)
            assert len(index) >= counts.photos - 1
            generations.append(generation)
        finish([writer])
        assert catalogue.counts().photos == 540
    assert generations == sorted(generations)


def test_a_reader_does_not_see_what_is_not_committed_and_does_not_wait_for_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "library"
    with (
        Catalogue.open(folder) as writer,
        Catalogue.open(folder, readonly=True, timeout=0) as reader,
        Catalogue.open(folder, timeout=0) as other,
    ):
        writer.record(BUNDLE, new_photos(2), unit_vectors(2))
        with writer._connection.write() as db:
            db.execute("DELETE FROM photos")
            assert len(writer.embeddings(BUNDLE)[0]) == 0

            assert len(reader.embeddings(BUNDLE)[0]) == 2
            assert len(other.embeddings(BUNDLE)[0]) == 2
            assert len(FaissIndex.open(other, BUNDLE)) == 2
            Catalogue.open(folder, timeout=0).close()

        assert len(reader.embeddings(BUNDLE)[0]) == 0


def test_a_snapshot_stays_at_its_moment(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as writer, Catalogue.open(tmp_path) as reader:
        with reader.snapshot():
            before = reader.counts()
            writer.record(BUNDLE, new_photos(2), unit_vectors(2))
            assert reader.counts() == before
            assert reader.generation == 0

        assert reader.counts().photos == 2


def test_a_lock_that_is_not_let_go_is_explained_and_nothing_is_lost(tmp_path: Path) -> None:
    with (
        Catalogue.open(tmp_path, timeout=0) as catalogue,
        closing(sqlite3.connect(tmp_path / "catalogue.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CatalogueError, match=r"catalogue\.db: database is locked; another ph"):
            catalogue.record(BUNDLE, new_photos(2), unit_vectors(2))
        other.execute("ROLLBACK")

        catalogue.record(BUNDLE, new_photos(2), unit_vectors(2))
        assert catalogue.counts().photos == 2


def test_who_begins_to_write_has_the_lock_before_the_first_look(tmp_path: Path) -> None:
    # Otherwise a commit of another process between look and change would end in an error.
    with Catalogue.open(tmp_path) as catalogue, Catalogue.open(tmp_path, timeout=0) as other:
        with (
            catalogue._connection.write(),
            pytest.raises(CatalogueError, match="database is locked"),
        ):
            other.add_folder("/photos")

        other.add_folder("/photos")


def test_an_exception_in_the_middle_undoes_the_whole_call(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, new_photos(2), unit_vectors(2))
        photos = [*new_photos(1), None]

        with pytest.raises(AttributeError):
            catalogue.record(BUNDLE, photos, np.zeros((2, 16), np.float32))  # type: ignore[arg-type]

        assert np.array_equal(catalogue.embeddings(BUNDLE)[1], unit_vectors(2).astype(np.float16))
        assert catalogue.generation == 1
        catalogue.record(BUNDLE, new_photos(3), unit_vectors(3))
        assert catalogue.counts().photos == 3
