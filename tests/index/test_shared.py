"""An archive in PostgreSQL: several machines, several users, and a server that goes away."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from catalogue_data import BUNDLE, child, finish, new_photos, rows_in, unit_vectors
from optional import needs_kill
from postgres import Postgres

from index import Catalogue, CatalogueError, FaissIndex, InUseError, Mark, Metadata, WriterLock
from index.catalogue import migrations
from index.shared import archive
from index.shared.address import address_of, called, checked, folder_of
from index.shared.archive import put

# A server has to be started.
pytestmark = pytest.mark.slow


@pytest.fixture
def address(postgres: Postgres) -> Iterator[str]:
    address = postgres.archive()
    yield address
    postgres.give_back(address)


@pytest.fixture
def machines(tmp_path: Path, address: str) -> list[Path]:
    """The folders that three machines have for one archive."""
    return [folder_of(address, tmp_path / name) for name in ("one", "two", "three")]


def until(holds: Callable[[], bool]) -> bool:
    """Wait for what will come; the test's own limit ends it where it does not."""
    while not holds():
        time.sleep(0.05)
    return True


def record(catalogue: Catalogue, count: int = 1, *, start: int = 0) -> None:
    photos = [
        replace(photo, digest=photo.path.encode().ljust(32))
        for photo in new_photos(count, start=start)
    ]
    catalogue.record(BUNDLE, photos, unit_vectors(count, seed=start))


def paths(catalogue: Catalogue) -> list[str]:
    return catalogue.paths("/photos", missing=False)


# Several machines


def test_what_one_machine_writes_the_others_have(machines: list[Path]) -> None:
    with (
        Catalogue.open(machines[0]) as one,
        Catalogue.open(machines[1]) as two,
        Catalogue.open(machines[2], readonly=True) as reader,
    ):
        edition = reader.selection.edition
        record(one, 3)
        assert two.counts().photos == reader.counts().photos == 3
        assert reader.selection.edition != edition
        record(two, 2, start=3)
        two.record_metadata({"/photos/00001.jpg": (Metadata(caption="Sea", rating=2), "")})
        two.marks.put({2: Mark(stars=5, added=("Holidays",))})
        one.readings.put({3: "a sign"})
        one.forget("/photos/00000.jpg")
        two.shelves.put_into([2, 4], two.shelves.make_album("Best"))
        for catalogue in (one, two, reader):
            assert [photo.path for photo in catalogue.photos(range(6))] == paths(one)
            assert len(paths(catalogue)) == 4
            assert catalogue.metadata([2])[2].rating == 5
            assert catalogue.selection.names().keywords == {"Holidays"}
    assert rows_in(machines[0]) == rows_in(machines[1]) == rows_in(machines[2])


def test_a_machine_that_was_away_catches_up(
    machines: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "KEPT", 8)
    monkeypatch.setattr(archive, "_EVERY", 4)
    with Catalogue.open(machines[0]) as one:
        record(one, 5)
        Catalogue.open(machines[1]).close()
        for number in range(30):
            record(one, start=10 + number)
            one.forget(f"/photos/{10 + number:05d}.jpg")
        # By then nobody knows which rows are gone.
        assert not one._connection._replica._server.ask(  # type: ignore[attr-defined]
            "SELECT 1 FROM archive_removed WHERE version < 10"
        )
    Catalogue.open(machines[1]).close()
    assert rows_in(machines[0]) == rows_in(machines[1])


def test_what_was_just_fetched_does_not_disturb_what_is_dropped(machines: list[Path]) -> None:
    with Catalogue.open(machines[0]) as one, Catalogue.open(machines[1]) as two:
        record(one, 2)
        two.drop_unused()
        one.forget("/photos/00001.jpg")
        assert len(paths(two)) == 1
    assert rows_in(machines[0]) == rows_in(machines[1])


def test_texts_that_postgresql_cannot_hold_come_back(machines: list[Path]) -> None:
    odd = "a\0b\U0010f801c\U0010f8010"
    with Catalogue.open(machines[0]) as one, Catalogue.open(machines[1]) as two:
        record(one)
        one.record_metadata({"/photos/00000.jpg": (Metadata(caption=odd), "")})
        assert two.metadata([1])[1].caption == odd


def test_each_machine_has_files_of_vectors_that_go_on(machines: list[Path]) -> None:
    with Catalogue.open(machines[0]) as one, Catalogue.open(machines[1], readonly=True) as two:
        record(one, 40)
        FaissIndex.open(two, BUNDLE)
        stamp = two.generation, two.revision
        assert list((machines[1] / "vectors").glob("*.faiss"))
        for start in range(40, 80, 20):
            record(one, 20, start=start)
            assert FaissIndex.refresh(one, BUNDLE)
        # The other's file is not to be made anew for it.
        assert two.changed_since(*stamp) is not None
        assert len(FaissIndex.open(two, BUNDLE)) == 80


def test_a_copy_that_is_lost_damaged_or_of_before_is_made_anew(
    machines: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Catalogue.open(machines[0]) as one:
        record(one, 3)
    wanted = rows_in(machines[0])
    file = machines[0] / "catalogue.db"
    file.unlink()
    with Catalogue.open(machines[0]):
        assert rows_in(machines[0]) == wanted
    file.write_bytes(b"no catalogue" * 1000)
    with Catalogue.open(machines[0], readonly=True):
        assert rows_in(machines[0]) == wanted


def test_a_copy_of_another_state_than_the_archive_ever_had_is_made_anew(
    postgres: Postgres, machines: list[Path], address: str
) -> None:
    """As after an older backup was put back, on which others have gone on."""
    name = address.partition("@/")[2].partition("?")[0]
    with Catalogue.open(machines[0]) as one:
        record(one, 2)
    postgres.ask(f"CREATE DATABASE backup_of_it TEMPLATE {name}")
    with Catalogue.open(machines[0]) as one:
        record(one, 2, start=2)
    postgres.ask(f"DROP DATABASE {name}")
    postgres.ask(f"ALTER DATABASE backup_of_it RENAME TO {name}")
    with Catalogue.open(machines[1]) as two:
        for number in range(5):
            record(two, start=100 + number)
        with Catalogue.open(machines[0]) as one:
            assert paths(one) == paths(two)
    assert rows_in(machines[0]) == rows_in(machines[1])


# Processes at once

WRITE = """
from pathlib import Path
from catalogue_data import BUNDLE, new_photos, unit_vectors
from index import Catalogue
with Catalogue.open(Path(sys.argv[1])) as catalogue:
    for batch in range(int(sys.argv[2]), int(sys.argv[3]), 5):
        catalogue.record(BUNDLE, new_photos(5, start=batch), unit_vectors(5, seed=batch))
        print(batch + 5, flush=True)
"""


# Opens an archive each time that a line comes which lets all processes do so.
OPEN = """
from pathlib import Path
from index import Catalogue
print("ready", flush=True)
for line in sys.stdin:
    with Catalogue.open(Path(line.strip())) as catalogue:
        catalogue.add_folder(sys.argv[1])
    print("done", flush=True)
"""


def test_processes_that_make_an_archive_at_the_same_time_all_get_it(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Two on one machine, and one on another."""
    processes = [child(OPEN, f"/photos/{number}") for number in range(3)]
    addresses = [postgres.empty() for _ in range(4)]
    machines = [tmp_path / name for name in ("one", "one", "two")]
    for address in addresses:
        for process, machine in zip(processes, machines, strict=True):
            assert process.stdout is not None
            assert process.stdout.readline(), finish([process])
            assert process.stdin is not None
            process.stdin.write(f"{folder_of(address, machine)}\n")
        for process in processes:
            assert process.stdin is not None
            process.stdin.flush()
    finish(processes)

    for address in addresses:
        for machine in machines:
            with Catalogue.open(folder_of(address, machine), readonly=True) as catalogue:
                assert catalogue.folders() == [f"/photos/{number}" for number in range(3)]


def test_several_write_while_one_reads(machines: list[Path]) -> None:
    """Two on one machine, and one on another."""
    with Catalogue.open(machines[2], readonly=True) as reader:
        writers = [
            child(WRITE, folder, str(start), str(start + 100))
            for folder, start in zip((*machines[:2], machines[0]), (0, 1000, 2000), strict=True)
        ]
        seen = [0]
        while any(writer.poll() is None for writer in writers):
            with reader.snapshot():
                counts = reader.counts()
                assert counts.photos == reader.embedding_count(BUNDLE) == len(paths(reader))
            assert counts.photos >= seen[-1]
            assert counts.photos % 5 == 0
            seen.append(counts.photos)
        finish(writers)
        assert until(lambda: reader.counts().photos == 300)
    Catalogue.open(machines[0]).close()
    Catalogue.open(machines[1]).close()
    assert rows_in(machines[0]) == rows_in(machines[1]) == rows_in(machines[2])


@needs_kill
def test_a_writer_that_is_killed_loses_nothing_that_it_told_of(machines: list[Path]) -> None:
    told = 0
    for start in range(0, 30_000, 10_000):
        writer = child(WRITE, machines[0], str(start), str(start + 10_000))
        assert writer.stdout is not None
        for _ in range(3 + start // 10_000):
            last = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        told += last - start
        with Catalogue.open(machines[1]) as other:
            # What was being written then is there as a whole, or not at all.
            there = len(paths(other))
            assert told <= there <= told + 25
            assert there % 5 == 0
            told = there
            record(other, 5, start=50_000 + start)
            told += 5
    Catalogue.open(machines[0]).close()
    assert rows_in(machines[0]) == rows_in(machines[1])


HOLD = """
from pathlib import Path
from index import WriterLock
with WriterLock(Path(sys.argv[1])).held(folders=sys.argv[2:]):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def held_elsewhere(folder: Path, *folders: str) -> Iterator[Any]:
    process = child(HOLD, folder, *folders)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n", process.communicate()[1]
    yield process
    process.communicate("\n")


def test_machines_index_different_folders_at_once_and_not_the_same(machines: list[Path]) -> None:
    for machine in machines:
        Catalogue.open(machine).close()
    lock = WriterLock(machines[1])
    with held_elsewhere(machines[0], "/photos/a", "/photos/b") as other:
        with lock.held(folders=["/photos/c", "/photos/aa"]), lock.held():
            pass
        for folders in (["/photos/a"], ["/photos/c", "/photos/b/2020"], ["/photos"], []):
            with pytest.raises(InUseError) as error, lock.held(folders=folders):
                pass
            assert error.value.holder is not None
            assert error.value.holder.pid == other.pid
            address = address_of(machines[1])
            assert str(error.value).startswith(f"{address}: is being changed by `")
    with lock.held(folders=["/photos/a"]):
        pass
    with (
        held_elsewhere(machines[0]),
        pytest.raises(InUseError),
        lock.held(folders=["/photos/a"]),
    ):
        pass


@needs_kill
def test_what_a_killed_process_claimed_is_free(machines: list[Path]) -> None:
    Catalogue.open(machines[0]).close()
    machines[1].mkdir(parents=True)

    def is_free() -> bool:
        try:
            with WriterLock(machines[1]).held():
                return True
        except InUseError:
            return False

    with held_elsewhere(machines[0], "/photos") as other:
        assert not is_free()
        other.send_signal(signal.SIGKILL)
        assert until(is_free)


# Who may what


def test_who_may_only_read_searches_and_writes_nothing(
    postgres: Postgres, tmp_path: Path, machines: list[Path], address: str
) -> None:
    name = address.partition("@/")[2].partition("?")[0]
    with Catalogue.open(machines[0]) as one:
        record(one, 3)
    role(postgres, "reader", name, "SELECT")
    folder = folder_of(postgres.address(name, "reader"), tmp_path / "reader")
    with pytest.raises(CatalogueError, match="may only be read by this user"):
        Catalogue.open(folder)
    with Catalogue.open(folder, readonly=True) as reader, Catalogue.open(machines[0]) as one:
        record(one, 2, start=3)
        assert len(paths(reader)) == 5
        _, ids = FaissIndex.open(reader, BUNDLE).search(unit_vectors(1), 1)
        assert ids.tolist() == [[1]]
        with pytest.raises(CatalogueError, match="opened for reading only"):
            reader.add_folder("/photos")
    with (
        pytest.raises(CatalogueError, match="may only be read by this user"),
        WriterLock(folder).held(),
    ):
        pass
    postgres.ask("CREATE ROLE nobody_here LOGIN")
    stranger = folder_of(postgres.address(name, "nobody_here"), tmp_path / "stranger")
    with pytest.raises(CatalogueError, match=r"permission denied .* can allow it"):
        Catalogue.open(stranger, readonly=True)


def role(postgres: Postgres, role: str, database: str, rights: str) -> None:
    if not postgres.ask(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
        postgres.ask(f"CREATE ROLE {role} LOGIN")
    postgres.ask(f"GRANT USAGE ON SCHEMA photosearch TO {role}", database)
    postgres.ask(f"GRANT {rights} ON ALL TABLES IN SCHEMA photosearch TO {role}", database)


def test_a_newer_schema_is_taken_by_the_keeper_and_refused_by_the_older(
    postgres: Postgres,
    tmp_path: Path,
    machines: list[Path],
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = address.partition("@/")[2].partition("?")[0]
    role(postgres, "writer", name, "SELECT, INSERT, UPDATE, DELETE")
    writer = folder_of(postgres.address(name, "writer"), tmp_path / "writer")
    with Catalogue.open(writer) as one:
        record(one, 3)

    def add_weather(db: Any) -> None:
        db.execute("ALTER TABLE photos ADD COLUMN weather TEXT NOT NULL DEFAULT 'fine'")
        db.execute("CREATE TABLE forecasts (id INTEGER PRIMARY KEY, text TEXT) STRICT")
        db.execute("INSERT INTO forecasts VALUES (1, 'rain')")

    with Catalogue.open(machines[0]) as older, monkeypatch.context() as newer:
        steps = (*migrations.STEPS, add_weather)
        newer.setattr(migrations, "STEPS", steps)
        newer.setattr(archive, "STEPS", steps)
        with pytest.raises(CatalogueError, match="keeps the archive has to open it once"):
            Catalogue.open(writer)
        for machine in machines[:2]:
            with pytest.raises(CatalogueError, match="made by an older photosearch"):
                Catalogue.open(machine, readonly=True)
        with Catalogue.open(machines[1]) as upgraded:
            record(upgraded, start=3)
            rows = upgraded._connection.rows("SELECT DISTINCT weather FROM photos")
            assert rows == [("fine",)]
        # What was granted stays.
        with Catalogue.open(writer) as again:
            record(again, start=4)
            assert again._connection.rows("SELECT text FROM forecasts") == [("rain",)]
            assert len(paths(again)) == 5
        newer.undo()
        with pytest.raises(CatalogueError, match="made by a newer photosearch; upgrade"):
            older.counts()
        with pytest.raises(CatalogueError, match="made by a newer photosearch; upgrade"):
            record(older)
        with pytest.raises(CatalogueError, match="made by a newer photosearch; upgrade"):
            Catalogue.open(machines[2])
    # Its tables are not those of other tests.
    postgres.ask("DROP SCHEMA photosearch CASCADE", name)


def test_only_a_writer_makes_an_archive(postgres: Postgres, tmp_path: Path) -> None:
    folder = folder_of(postgres.empty(), tmp_path)
    for options in ({"readonly": True}, {"new": False}):
        with pytest.raises(CatalogueError, match="there is no catalogue here; index a folder"):
            Catalogue.open(folder, **options)
    with Catalogue.open(folder) as catalogue:
        assert catalogue.address == address_of(folder)
        assert catalogue.generation == 0


def test_a_catalogue_from_a_folder_is_put_into_an_archive(
    postgres: Postgres, tmp_path: Path
) -> None:
    with Catalogue.open(tmp_path / "library") as library:
        record(library, 5)
        library.mark_missing(["/photos/00002.jpg"])
    address = postgres.empty()
    put(address, tmp_path / "library" / "catalogue.db")
    folder = folder_of(address, tmp_path)
    with Catalogue.open(folder) as shared:
        assert len(paths(shared)) == 4
    assert rows_in(folder) == rows_in(tmp_path / "library")


# Servers that are away


def test_a_server_that_is_away_is_named_and_when_it_is_back_all_goes_on(
    postgres: Postgres, machines: list[Path], address: str
) -> None:
    with Catalogue.open(machines[0]) as one:
        record(one, 2)
        # What it has asked a moment ago counts no more.
        one._connection._replica._checked = float("-inf")  # type: ignore[attr-defined]
        postgres.stop()
        try:
            with pytest.raises(CatalogueError) as error:
                one.counts()
            assert str(error.value).startswith(f"{address}: ")
            assert "the server runs and can be reached" in str(error.value)
            with pytest.raises(CatalogueError):
                record(one, start=2)
            with pytest.raises(CatalogueError):
                Catalogue.open(machines[1])
        finally:
            postgres.start()
        assert len(paths(one)) == 2
        record(one, start=2)
        assert len(paths(one)) == 3


def test_what_is_wrong_with_an_address_is_said(postgres: Postgres, tmp_path: Path) -> None:
    nothing = folder_of(postgres.address("nothing"), tmp_path)
    with pytest.raises(CatalogueError, match=r'database "nothing" does not exist; .*createdb'):
        Catalogue.open(nothing)
    nobody = folder_of(postgres.address("postgres", "nobody_known"), tmp_path)
    with pytest.raises(CatalogueError, match='role "nobody_known" does not exist'):
        Catalogue.open(nobody)


def test_without_psycopg_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    folder = folder_of("postgresql://host/name", tmp_path)
    with pytest.raises(CatalogueError, match=r"pip install 'photosearch\[archive\]'"):
        Catalogue.open(folder)


def test_a_library_in_a_folder_imports_nothing_of_it(tmp_path: Path) -> None:
    code = """
from pathlib import Path
from index import Catalogue, WriterLock
with Catalogue.open(Path(sys.argv[1])) as catalogue, WriterLock(Path(sys.argv[1])).held():
    catalogue.add_folder("/photos")
print([name for name in sys.modules if name.startswith(("psycopg", "index.shared."))])
"""
    assert finish([child(code, tmp_path)]) == ["['index.shared.address']\n"]


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://host/name",
        "postgresql://user@host:5433/name?sslmode=require",
        "postgresql:///name?host=/run/postgresql",
        "postgresql://user%40home@[::1]/name",
    ],
)
def test_an_address_is_told_by_its_folder(address: str, tmp_path: Path) -> None:
    folder = folder_of(address, tmp_path)
    assert folder.parent == tmp_path
    assert address_of(folder) == called(folder) == address
    assert address_of(folder / "models") is None
    assert called(tmp_path) == str(tmp_path)


def test_two_spellings_of_the_scheme_are_one() -> None:
    assert checked("postgres://host/name") == "postgresql://host/name"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://user:secret@host/name", "must not hold a password"),
        ("postgresql://host/name?password=secret", "must not hold a password"),
        ("postgresql://host", "must name a database"),
        ("postgresql://host/a/secret", "must name a database"),
        ("postgresql://host:secret/name", "must be an address such as"),
        ("mysql://host/secret", "must be an address such as"),
        (f"postgresql://host/{'secret' * 50}", "must be shorter"),
    ],
)
def test_an_address_that_is_none_is_refused_and_not_shown(address: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        checked(address)
    assert "secret" not in str(error.value)
