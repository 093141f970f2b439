"""`photosearch doctor`: what it finds wrong, what it mends, and that no photo is touched."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from shell import Shell, message

from index import Catalogue, WriterLock
from photosearch import Library

State = dict[str, tuple[bytes, int]]


def state(folder: Path) -> State:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pictures: Path, tiny_bundle: Path) -> Path:
    """A folder with photos and their library, and a copy of both to begin each test with."""
    folder = tmp_path_factory.mktemp("doctor")
    shutil.copytree(pictures, folder / "photos")
    with Library.open(folder / "library", model=tiny_bundle) as library:
        for _ in library.index([folder / "photos"], workers=1):
            pass
        library.search("a cat")
    for name in ("photos", "library"):
        shutil.copytree(folder / name, folder / "copies" / name)
    return folder


@pytest.fixture
def indexed(made: Path, tiny_bundle: Path) -> Shell:
    for name in ("photos", "library"):
        shutil.rmtree(made / name, ignore_errors=True)
        shutil.copytree(made / "copies" / name, made / name)
    return Shell(made, tiny_bundle)


@pytest.fixture
def photos(made: Path) -> Path:
    return made / "photos"


def index(shell: Shell, *folders: Path) -> None:
    model = shell.environment["PHOTOSEARCH_MODEL"]
    with Library.open(shell.library, model=model) as library:
        for _ in library.index(folders, workers=1):
            pass


def findings(shell: Shell, *, repair: bool = False) -> dict[tuple[str, str], str]:
    """The texts by what they are about and their state; "ok" ones left out."""
    model = shell.environment.get("PHOTOSEARCH_MODEL")
    found = Library.examine(shell.library, model=model, repair=repair)
    return {(each.about, each.state): each.text for each in found if each.state != "ok"}


def execute(shell: Shell, *statements: str) -> None:
    with closing(sqlite3.connect(shell.library / "catalogue.db")) as raw:
        for statement in statements:
            raw.execute(statement)
            # Words are written to their own tables only then.
            raw.commit()
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.mark.slow
def test_a_sound_library(indexed: Shell, photos: Path) -> None:
    before, catalogue = state(photos), (indexed.library / "catalogue.db").read_bytes()
    result = indexed("doctor")
    assert result.returncode == 0, result.stdout
    lines = result.stdout.decode().splitlines()
    assert lines[-1] == "Nothing is wrong."
    assert any("sound and holds 6 photos" in line for line in lines)
    assert any("agrees with the catalogue" in line for line in lines)
    assert any("tiny-1-" in line and "as it was made" in line for line in lines)
    assert any("6 photos shown, as on disk" in line for line in lines)
    content = json.loads(indexed("doctor", "--repair", "--json").stdout)
    assert content["sound"]
    assert {each["state"] for each in content["findings"]} == {"ok"}
    assert state(photos) == before
    assert (indexed.library / "catalogue.db").read_bytes() == catalogue


def test_there_is_no_library(shell: Shell) -> None:
    assert "there is no library here" in message(shell("doctor"), 1)
    assert not shell.library.exists()


@pytest.mark.slow
def test_disk_and_catalogue_differ(indexed: Shell, photos: Path) -> None:
    (photos / "coffee.png").unlink()
    shutil.copyfile(photos / "coins.png", photos / "new.png")
    with Catalogue.open(indexed.library) as catalogue:
        catalogue.mark_missing([str(photos / "chelsea.png")])
    before = state(photos)

    found = indexed("doctor")
    assert found.returncode == 1
    text = found.stdout.decode()
    assert f"1 photo shown that are gone or left out, as {photos / 'coffee.png'}" in text
    assert f"1 photo hidden that are there, as {photos / 'chelsea.png'}" in text
    assert "1 photo new, changed or not encoded" in text
    assert "`photosearch doctor --repair` mends it" in text
    assert "2 wrong." in text
    assert str(photos / "chelsea.png") not in indexed.photos()

    assert ("photos", "fixed") in findings(indexed, repair=True)
    expected = {"astronaut.png", "chelsea.png", "rocket.jpg", "camera.png", "coins.png"}
    assert {Path(path).name for path in indexed.photos()} == expected
    assert findings(indexed).keys() == {("photos", "note")}
    assert state(photos) == before


def test_a_drive_that_is_away_is_no_fault(indexed: Shell, photos: Path) -> None:
    photos.rename(photos.with_name("unplugged"))
    assert "6 photos in it are shown" in findings(indexed)["photos", "wrong"]
    findings(indexed, repair=True)
    assert indexed.photos() == {}
    assert "6 photos hidden until it is back" in findings(indexed)["photos", "note"]
    photos.with_name("unplugged").rename(photos)
    findings(indexed, repair=True)
    assert len(indexed.photos()) == 6


def test_orphans(indexed: Shell, photos: Path) -> None:
    execute(
        indexed,
        "PRAGMA foreign_keys = OFF",
        f"DELETE FROM contents WHERE id = (SELECT content_id FROM photos "
        f"WHERE path = '{photos}/coffee.png')",
        "INSERT INTO contents (digest) VALUES (zeroblob(32))",
        "INSERT INTO metadata (photo_id) VALUES (999)",
        "INSERT INTO album_photos (album_id, digest, added_at) VALUES (999, zeroblob(32), '')",
    )
    text = findings(indexed)["catalogue", "wrong"]
    assert text == (
        "1 photo without contents, 1 vector of no contents, 1 description of no photo, "
        "2 references to nothing"
    )
    findings(indexed, repair=True)
    assert ("catalogue", "wrong") not in findings(indexed)
    assert len(indexed.photos()) == 5
    index(indexed)
    assert len(indexed.photos()) == 6
    assert findings(indexed) == {}


def test_vectors_that_cannot_be_right(indexed: Shell, photos: Path) -> None:
    before = indexed.photos()
    execute(
        indexed,
        "UPDATE embeddings SET vector = zeroblob(64) WHERE rowid = 1",
        "UPDATE embeddings SET vector = zeroblob(62) WHERE rowid = 2",
        "UPDATE embeddings SET vector = CAST(x'007e' || substr(vector, 3) AS BLOB) WHERE rowid = 3",
    )
    text = findings(indexed)["vectors", "wrong"]
    assert text == "3 vectors cannot be right: 1 not finite, 1 not of length 1, 1 of a wrong length"
    findings(indexed, repair=True)
    index(indexed)
    assert indexed.photos() == before
    assert findings(indexed) == {}


def test_faiss_differs_from_sqlite(indexed: Shell) -> None:
    # The trigger that would tell of the change is out of the way, as for a disk that forgets.
    with closing(sqlite3.connect(indexed.library / "catalogue.db")) as raw:
        (trigger,) = raw.execute("SELECT sql FROM sqlite_master WHERE name = 'vector_changed'")
        (other,) = raw.execute("SELECT vector FROM embeddings WHERE rowid = 2").fetchone()
        raw.execute("DROP TRIGGER vector_changed")
        raw.execute("UPDATE embeddings SET vector = ? WHERE rowid = 1", [other])
        raw.execute(trigger[0])
        raw.commit()
    assert "differs from the catalogue" in findings(indexed)["vectors", "wrong"]
    assert "made anew" in findings(indexed, repair=True)["vectors", "fixed"]
    assert findings(indexed) == {}


def test_a_damaged_file_of_vectors_and_strays(indexed: Shell) -> None:
    (path,) = (indexed.library / "vectors").glob("*.faiss")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "is damaged" in findings(indexed)["vectors", "wrong"]
    stray = path.with_name("gone-1-000000000000.faiss")
    shutil.copyfile(path, stray)
    assert f"{stray} belongs to nothing" in indexed("doctor").stdout.decode()
    findings(indexed, repair=True)
    assert not stray.exists()
    assert findings(indexed) == {}


def test_a_damaged_model(indexed: Shell, bundle_copy: Path) -> None:
    weights = bundle_copy / "image.onnx"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    result = indexed("--model", bundle_copy, "doctor")
    assert result.returncode == 1
    assert f"WRONG  model: {weights}: is damaged (not the sha256 listed)" in result.stdout.decode()


def test_a_model_that_is_gone(indexed: Shell) -> None:
    del indexed.environment["PHOTOSEARCH_MODEL"]
    text = findings(indexed)["model", "wrong"]
    assert text.startswith("6 photos encoded by tiny-1-")
    assert text.endswith("which is not here any more, so that nothing can be found")


def test_indexes_that_differ_from_their_tables(indexed: Shell) -> None:
    before = indexed.photos()
    with closing(sqlite3.connect(indexed.library / "catalogue.db")) as raw:
        # Rows that the index does not know: it is hidden from SQLite while they are written.
        raw.execute("PRAGMA writable_schema = ON")
        query = "SELECT sql FROM sqlite_master WHERE name = 'photos_content_id'"
        (sql,) = raw.execute(query).fetchone()
        raw.execute("UPDATE sqlite_master SET sql = sql || ' WHERE id < 3' WHERE sql = ?", [sql])
        raw.commit()
    with closing(sqlite3.connect(indexed.library / "catalogue.db")) as raw:
        raw.execute("REINDEX photos_content_id")
        raw.execute("PRAGMA writable_schema = ON")
        raw.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'photos_content_id'", [sql])
        raw.commit()
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert "photos_content_id" in findings(indexed)["catalogue", "wrong"]
    assert "made anew" in findings(indexed, repair=True)["catalogue", "fixed"]
    assert list(indexed.library.glob("*.damaged*")) == []
    assert indexed.photos() == before
    assert findings(indexed) == {}


@pytest.mark.slow
def test_a_damaged_catalogue_is_salvaged(indexed: Shell, photos: Path) -> None:
    path = indexed.library / "catalogue.db"
    execute(indexed, "PRAGMA user_version = 0")
    before, on_disk = indexed.photos(), state(photos)
    with closing(sqlite3.connect(path)) as raw:
        (page,) = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'embeddings'"
        ).fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(content)

    shutil.rmtree(indexed.library / "vectors")
    assert "doctor --repair` saves what it can" in message(indexed("search", "a cat"), 1)
    result = indexed("doctor")
    assert result.returncode == 1
    assert "`photosearch doctor --repair` saves what can be read of it" in result.stdout.decode()
    assert path.read_bytes() == content

    text = findings(indexed, repair=True)["catalogue", "fixed"]
    assert "6 photos could be saved" in text
    (kept,) = indexed.library.glob("catalogue.db.damaged-*[0-9]")
    assert kept.read_bytes() == content
    assert kept.name in text
    # The vectors could not be read, so the photos wait for the next run, under the ids they had.
    assert f"Folder    {photos}" in indexed("status").stdout.decode()
    index(indexed)
    assert indexed.photos() == before
    assert findings(indexed) == {}
    assert state(photos) == on_disk


def test_a_catalogue_of_which_nothing_can_be_read(indexed: Shell, photos: Path) -> None:
    path = indexed.library / "catalogue.db"
    before, on_disk = indexed.photos(), state(photos)
    execute(indexed, "PRAGMA user_version = 0")
    path.write_bytes(b"\0" * 4096 + path.read_bytes()[4096:])
    content = path.read_bytes()
    assert "no photo in it could be read" in findings(indexed, repair=True)["catalogue", "fixed"]
    (kept,) = indexed.library.glob("catalogue.db.damaged-*[0-9]")
    assert kept.read_bytes() == content
    index(indexed, photos)
    assert indexed.photos() == before
    assert state(photos) == on_disk


def test_repair_waits_for_no_other_writer(indexed: Shell) -> None:
    with WriterLock(indexed.library).held():
        assert "is being changed by" in message(indexed("doctor", "--repair"), 1)
        assert indexed("doctor").returncode == 0


def test_the_index_of_words_is_made_anew(indexed: Shell) -> None:
    execute(
        indexed,
        "INSERT INTO readings SELECT id, 'HELLO', 'hello' FROM contents WHERE id < 4",
        "DELETE FROM reading_words_data WHERE id > 10",
    )
    assert ("catalogue", "wrong") in findings(indexed)
    assert "made anew" in findings(indexed, repair=True)["catalogue", "fixed"]
    assert findings(indexed) == {}
    with closing(sqlite3.connect(indexed.library / "catalogue.db")) as raw:
        query = "SELECT count(*) FROM reading_words WHERE reading_words MATCH 'hello'"
        assert raw.execute(query).fetchone() == (3,)
