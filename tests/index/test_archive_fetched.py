"""The first copy of an archive: told of, gone on with, and never taken for whole before it is."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from catalogue_data import BUNDLE, child, finish, new_photos, rows_in, unit_vectors
from optional import needs_kill
from postgres import Postgres, database_of
from small_disk import small_disk

from index import Catalogue, CatalogueError
from index.shared import archive, progress, replica, whole
from index.shared.address import folder_of
from index.shared.fetch_lock import fetching_alone
from index.shared.progress import Fetching

# A server has to be started.
pytestmark = pytest.mark.slow
PHOTOS = 400


@pytest.fixture
def address(postgres: Postgres) -> Iterator[str]:
    address = postgres.archive()
    yield address
    postgres.give_back(address)


@pytest.fixture
def source(address: str, tmp_path: Path) -> Path:
    """The folder of a machine that has recorded photos in the archive."""
    folder = folder_of(address, tmp_path / "source")
    with Catalogue.open(folder) as catalogue:
        record(catalogue, PHOTOS)
    return folder


@pytest.fixture
def other(address: str, tmp_path: Path) -> Path:
    """That of one which has no copy yet."""
    return folder_of(address, tmp_path / "other")


@pytest.fixture
def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "_PART", 30)
    monkeypatch.setattr(progress, "_STEP", 10)
    monkeypatch.setattr(progress, "_EVERY", 0)


class Listener:
    """What was told, and `do` is done once, as soon as more than `rows` have come."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rows: int = 0, do: Any = None) -> None:
        self.told: list[Fetching] = []
        self._rows, self._do = rows, do
        monkeypatch.setattr(progress, "_listeners", [self])

    def __call__(self, fetching: Fetching, ended: bool) -> None:
        self.told.append(fetching)
        if self._do is not None and fetching.done > self._rows:
            do, self._do = self._do, None
            do()

    def of(self, kind: str) -> list[Fetching]:
        return [each for each in self.told if each.kind == kind]


def record(catalogue: Catalogue, count: int, start: int = 0) -> None:
    catalogue.record(BUNDLE, new_photos(count, start=start), unit_vectors(count, seed=start))


def open_copy(folder: Path, **options: Any) -> None:
    Catalogue.open(folder, readonly=True, **options).close()


def test_it_is_told_how_far_it_is(
    source: Path, other: Path, in_small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(monkeypatch)
    open_copy(other)
    told = listener.of("copy")
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert told[0].done == 0
    assert {each.total for each in told} == {None, told[-1].done}
    assert told[-1].done > 2 * PHOTOS
    assert told[0].folder == other
    assert progress.under_way(other) is None
    assert rows_in(source) == rows_in(other)
    # Next time nothing has to be fetched.
    listener.told.clear()
    open_copy(other)
    assert not listener.told


def test_it_is_like_any_catalogue(source: Path, other: Path) -> None:
    open_copy(other)
    with closing(sqlite3.connect(source / "catalogue.db")) as one:
        schema = set(one.execute("SELECT type, name, sql FROM sqlite_master"))
    with closing(sqlite3.connect(other / "catalogue.db")) as copy:
        assert set(copy.execute("SELECT type, name, sql FROM sqlite_master")) == schema
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert {path.name for path in other.iterdir()} <= {"catalogue.db", "catalogue.db.lock"}


FETCH = """
from pathlib import Path
from index import Catalogue
from index.shared import progress, whole
whole._PART, progress._STEP, progress._EVERY = 30, 10, 0
progress.listen(lambda fetching, ended: print(fetching.kind, fetching.done, flush=True))
Catalogue.open(Path(sys.argv[1]), readonly=True).close()
"""


@needs_kill
def test_who_was_killed_goes_on_where_it_was(
    source: Path, other: Path, in_small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = 0
    for _ in range(2):
        process = child(FETCH, other)
        assert process.stdout is not None
        process.stdout.readline()
        begun = int(process.stdout.readline().split()[1])
        # At most a part is lost of what was fetched.
        assert begun >= done - 30
        while done < begun + 200:
            done = int(process.stdout.readline().split()[1])
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (other / "catalogue.db").exists()
        # What others do meanwhile belongs to it.
        with Catalogue.open(source) as catalogue:
            catalogue.forget(f"/photos/{begun % 300:05d}.jpg")
            record(catalogue, 5, start=1000 + done)
    listener = Listener(monkeypatch)
    open_copy(other)
    assert listener.of("copy")[1].done >= done - 30
    assert rows_in(source) == rows_in(other)


def test_a_server_that_goes_away_is_gone_on_with(
    postgres: Postgres,
    source: Path,
    other: Path,
    in_small_parts: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listener = Listener(monkeypatch, 500, postgres.stop)
    try:
        with pytest.raises(CatalogueError, match="the server runs and can be reached"):
            open_copy(other)
    finally:
        postgres.start()
    assert not (other / "catalogue.db").exists()
    assert progress.under_way(other) is None
    listener.told.clear()
    open_copy(other)
    assert listener.of("copy")[1].done > 400
    assert rows_in(source) == rows_in(other)


def test_a_connection_that_is_cut_is_made_again(
    postgres: Postgres,
    source: Path,
    other: Path,
    in_small_parts: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'photosearch'"
    )
    listener = Listener(monkeypatch, 500, lambda: postgres.ask(cut))
    open_copy(other)
    told = listener.of("copy")
    assert told[-1].done == told[-1].total
    assert rows_in(source) == rows_in(other)


def test_what_changes_while_it_is_fetched_is_in_it(
    source: Path, other: Path, in_small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change() -> None:
        with Catalogue.open(source) as catalogue:
            catalogue.forget("/photos/00001.jpg")
            # It takes the path of one that was fetched, or will be.
            catalogue.record(BUNDLE, new_photos(40, start=20), unit_vectors(40, seed=9))
            record(catalogue, 20, start=PHOTOS)

    for rows in (0, 300, 900):
        listener = Listener(monkeypatch, rows, change)
        folder = other.parent / str(rows) / other.name
        open_copy(folder)
        assert listener.of("changes")
        assert rows_in(source) == rows_in(folder)


def test_what_was_fetched_of_another_archive_is_not_gone_on_with(
    address: str, source: Path, other: Path, in_small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up() -> None:
        raise KeyboardInterrupt

    Listener(monkeypatch, 500, give_up)
    with suppress(KeyboardInterrupt):
        open_copy(other)
    assert (other / "catalogue.db.fetched").exists()
    monkeypatch.setattr(progress, "_listeners", [])
    with Catalogue.open(source.parent / "library") as library:
        record(library, 50, start=5000)
    archive.put(address, source.parent / "library" / "catalogue.db")
    listener = Listener(monkeypatch)
    open_copy(other)
    assert listener.of("copy")[1].done == 0
    with Catalogue.open(other, readonly=True) as catalogue:
        assert catalogue.counts().photos == 50


def test_two_processes_at_once_fetch_it_once(source: Path, other: Path) -> None:
    printed = finish([child(FETCH, other) for _ in range(2)])
    assert sum("copy" in each for each in printed) == 1
    assert rows_in(source) == rows_in(other)


def test_who_finds_another_at_it_waits_for_as_long_as_it_takes(
    source: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_copy(other)
    with Catalogue.open(source) as catalogue:
        record(catalogue, 5, start=PHOTOS)
    listener = Listener(monkeypatch)
    with fetching_alone(other), closing(sqlite3.connect(other / "catalogue.db")) as busy:
        busy.execute("BEGIN IMMEDIATE")
        waiting = threading.Thread(target=open_copy, args=[other], kwargs={"timeout": 0.1})
        waiting.start()
        while not listener.of("waiting"):
            time.sleep(0.01)
        busy.rollback()
    waiting.join()
    assert rows_in(source) == rows_in(other)
    # Where nobody is, whoever writes is waited for as ever.
    with Catalogue.open(source) as catalogue:
        record(catalogue, 5, start=PHOTOS + 5)
    with closing(sqlite3.connect(other / "catalogue.db")) as busy:
        busy.execute("BEGIN IMMEDIATE")
        with pytest.raises(CatalogueError, match="another photosearch is writing to it"):
            open_copy(other, timeout=0.1)


def test_a_writer_that_is_far_behind_keeps_nobody_from_writing(
    source: Path, other: Path, in_small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "_NEAR", 2)
    with Catalogue.open(source) as one, Catalogue.open(other) as two:
        for number in range(4):
            record(one, 10, start=PHOTOS + 10 * number)
        # It takes the same state for current for a moment.
        two._connection._replica._checked = time.monotonic()  # type: ignore[attr-defined]
        listener = Listener(monkeypatch, 5, lambda: record(one, 1, start=9000))
        two.add_folder("/photos")
        assert listener.of("changes")[0].total is not None
        assert one.folders() == ["/photos"]
    assert rows_in(source) == rows_in(other)


def test_a_full_disk_is_told_and_nothing_is_left(
    address: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small").mkdir()
    with small_disk(tmp_path / "small", "400k") as disk:
        folder = folder_of(address, disk.folder)
        # Found out before, and while it is written.
        for least in (whole._LEAST, 0):
            monkeypatch.setattr(whole, "_LEAST", least)
            with pytest.raises(CatalogueError, match=r"no room for a copy of .* MB; make room"):
                open_copy(folder)
            assert os.listdir(folder) == ["catalogue.db.lock"]
        larger = folder_of(address, tmp_path / "larger")
    open_copy(larger)
    assert rows_in(source) == rows_in(larger)


def test_another_archive_takes_the_place_of_one_that_is_open(
    postgres: Postgres, address: str, source: Path, other: Path
) -> None:
    """Who reads meanwhile sees what was."""
    open_copy(other)
    name = database_of(address)
    with (
        Catalogue.open(other, readonly=True) as second,
        Catalogue.open(other, readonly=True) as reader,
        reader.snapshot(),
    ):
        before = reader.counts().photos
        postgres.ask("DROP SCHEMA photosearch CASCADE", name)
        second._connection._replica._checked = float("-inf")  # type: ignore[attr-defined]
        with pytest.raises(CatalogueError, match="there is no catalogue here any more"):
            second.counts()
        with pytest.raises(CatalogueError, match="there is no catalogue here; index a folder"):
            open_copy(other)
        with Catalogue.open(source.parent / "anew" / source.name) as catalogue:
            record(catalogue, 7)
        open_copy(other)
        assert second.counts().photos == 7
        assert reader.counts().photos == before


def test_an_upgrade_is_told_of(
    postgres: Postgres, address: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index.catalogue import migrations

    def add_weather(db: Any) -> None:
        db.execute("ALTER TABLE photos ADD COLUMN weather TEXT NOT NULL DEFAULT 'fine'")

    steps = (*migrations.STEPS, add_weather)
    monkeypatch.setattr(migrations, "STEPS", steps)
    monkeypatch.setattr(archive, "STEPS", steps)
    listener = Listener(monkeypatch)
    Catalogue.open(source).close()
    told = listener.of("upgrade")
    assert told[0].total == told[-1].total == told[-1].done > 4 * PHOTOS
    # Its tables are not those of other tests.
    postgres.ask("DROP SCHEMA photosearch CASCADE", database_of(address))
