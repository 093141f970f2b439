"""`photosearch --library postgresql://...`: several machines, and who may only read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import Postgres
from served import served_here
from shell import Shell
from test_api import Served

from index.shared.address import address_of
from photosearch import Library, LibraryError, UsageError
from photosearch.settings import library_folder


@pytest.fixture
def address(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """That of a database in which nothing is; what this machine keeps is in the test's folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "here"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return postgres.empty()


@pytest.fixture
def reader(postgres: Postgres, address: str) -> Iterator[str]:
    """The same by a user who may look at everything that is there then, and change nothing."""
    if not postgres.ask("SELECT 1 FROM pg_roles WHERE rolname = 'visitor'"):
        postgres.ask("CREATE ROLE visitor LOGIN")
    return address.replace("keeper@", "visitor@")


def let_in(postgres: Postgres, address: str) -> None:
    name = address.partition("@/")[2].partition("?")[0]
    postgres.ask("GRANT USAGE ON SCHEMA photosearch TO visitor", name)
    postgres.ask("GRANT SELECT ON ALL TABLES IN SCHEMA photosearch TO visitor", name)


def machine(tmp_path: Path, name: str, bundle: Path | None, address: str) -> Shell:
    """The command line on a machine that has nothing but the address."""
    (tmp_path / name).mkdir()
    shell = Shell(tmp_path / name, bundle or tmp_path)
    shell.environment |= {
        "PHOTOSEARCH_LIBRARY": address,
        "XDG_DATA_HOME": str(tmp_path / name / "data"),
        "XDG_STATE_HOME": str(tmp_path / name / "state"),
    }
    if bundle is None:
        del shell.environment["PHOTOSEARCH_MODEL"]
    return shell


def done(result: subprocess.CompletedProcess[bytes]) -> str:
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode()


def found(shell: Shell, text: str) -> list[str]:
    """The paths of what is found, best first."""
    return [hit["path"] for hit in json.loads(done(shell("search", "--json", text)))["hits"]]


@pytest.mark.slow
def test_two_machines_index_at_once_while_a_third_searches(
    postgres: Postgres, address: str, reader: str, tmp_path: Path, pictures: Path
) -> None:
    one, two = (machine(tmp_path, name, None, address) for name in ("one", "two"))
    three = machine(tmp_path, "three", None, reader)
    folders = [tmp_path / "animals", tmp_path / "things"]
    for folder, names in zip(
        folders, (["chelsea.png", "astronaut.png"], ["coffee.png", "rocket.jpg"]), strict=True
    ):
        folder.mkdir()
        for name in names:
            shutil.copyfile(pictures / name, folder / name)
    with Library.open(address):
        let_in(postgres, address)
    runs = [shell.start("index", folder) for shell, folder in zip((one, two), folders, strict=True)]
    seen = [0]
    while seen[-1] < 4 and any(run.poll() is None for run in runs):
        seen.append(json.loads(done(three("status", "--json")))["photos"])
    assert seen == sorted(seen)
    for run in runs:
        told = run.communicate()
        assert run.returncode == 0, told
    # Each by each machine, whoever indexed it.
    for shell in (one, two, three):
        for text, name in (("a cat", "chelsea.png"), ("a cup of coffee", "coffee.png")):
            assert Path(found(shell, text)[0]).name == name
    assert "Indexed 0 photos" in done(two("index"))


@pytest.mark.slow
def test_commands_do_to_an_archive_what_they_do_to_a_folder(
    postgres: Postgres, address: str, reader: str, tmp_path: Path, tiny_bundle: Path, photos: Path
) -> None:
    one = machine(tmp_path, "one", tiny_bundle, address)
    nothing = one("status")
    assert nothing.returncode == 1
    assert f"No library at {address} yet" in nothing.stderr.decode()
    done(one("index", photos))
    let_in(postgres, address)
    status = json.loads(done(one("status", "--json")))
    assert (status["library"], status["photos"]) == (address, len(list(photos.iterdir())))
    name = str(next(iter(sorted(photos.iterdir()))))
    done(one("rate", "--stars", "4", name))
    done(one("tag", "--add", "Best", name))
    two, three = (
        machine(tmp_path, name, tiny_bundle, at)
        for name, at in (("two", address), ("three", reader))
    )
    for shell in (one, two, three):
        assert found(shell, "rating:4 keyword:Best") == [name]
        assert "Nothing is wrong." in done(shell("doctor"))
    # Who may only read is told so.
    for arguments in (["index"], ["rate", "--stars", "1", name], ["forget", photos]):
        refused = three(*arguments)
        assert refused.returncode == 1
        assert f"{reader}: may only be read by this user" in refused.stderr.decode()
    # A folder that is not on this machine is there on others.
    away = photos.rename(tmp_path / "away")
    assert "not connected" in two("index").stderr.decode()
    assert json.loads(done(one("status", "--json")))["photos"] == status["photos"]
    away.rename(photos)
    # From a folder's library to an archive, and back.
    file = tmp_path / "library.zip"
    done(two("export", file))
    folder = Shell(tmp_path, tiny_bundle)
    done(folder("import", file))
    assert "already" in two("import", file).stderr.decode()
    other = machine(tmp_path, "four", tiny_bundle, postgres.empty())
    done(other("import", file))
    for shell in (folder, other):
        assert found(shell, "rating:4 keyword:Best") == [name]
    done(two("forget", photos))
    assert json.loads(done(one("status", "--json")))["photos"] == 0


@pytest.mark.slow
def test_the_page_and_the_api_serve_who_may_only_read(
    postgres: Postgres,
    address: str,
    reader: str,
    tiny_bundle: Path,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Library.open(address, model=tiny_bundle) as library:
        for _ in library.index([pictures], workers=1):
            pass
        let_in(postgres, address)
        count = library.status().photos
        with served_here(reader, tiny_bundle) as page:  # type: ignore[arg-type]
            assert page.ask("/api/state").json["library"] == reader
            assert page.ask("/api/state").json["photos"] == count
            refused = page.post("/api/forget", {"path": str(pictures)})
            assert refused.status == 500
            assert "may only be read by this user" in refused.json["error"]
            postgres.stop()
            try:
                away = page.ask("/api/state")
                assert away.status == 500
                assert "that the server runs" in away.json["error"]
            finally:
                postgres.start()
            assert page.ask("/api/state").json["photos"] == count
        server = Served(reader, tiny_bundle)  # type: ignore[arg-type]
        try:
            asked = {"q": "type:png"}
            before = server.client.get("/v1/search", params=asked).json()["total"]
            assert server.client.get("/v1/photos/1/thumbnail").status_code == 200
            library.forget(pictures / "coffee.png")
            while server.client.get("/v1/search", params=asked).json()["total"] == before:
                time.sleep(0.05)
            after = server.client.get("/v1/search", params=asked).json()["total"]
            assert after == before - 1
        finally:
            server.stop()


@pytest.mark.slow
def test_an_address_stands_for_the_folder_of_its_copy(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = library_folder(address)
    assert address_of(folder) == address
    assert tmp_path in folder.parents
    assert not folder.exists()
    monkeypatch.setenv("PHOTOSEARCH_LIBRARY", address)
    assert library_folder() == folder
    assert not Library.exists()
    with Library.open() as library:
        assert library.folder == folder
        assert os.listdir(folder)
    assert Library.exists(address)


@pytest.mark.parametrize(
    "wrong", ["postgresql://me:secret@host/name", "postgresql://host", "mysql://host/secret"]
)
def test_an_address_that_is_none_is_a_mistake_and_not_shown(
    wrong: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for result in (
        shell("--library", wrong, "status"),
        shell("status", PHOTOSEARCH_LIBRARY=wrong),
    ):
        assert result.returncode == 2
        told = result.stderr.decode()
        assert "must " in told
        assert "secret" not in told
    with pytest.raises(UsageError, match="the address of an archive must") as error:
        Library.open(wrong)
    assert "secret" not in str(error.value)


def test_a_server_that_does_not_answer_is_a_failure(shell: Shell) -> None:
    address = "postgresql://127.0.0.1:1/name"
    for command in (["status"], ["search", "a cat"], ["index"]):
        result = shell("--library", address, *command)
        assert result.returncode == 1
        told = result.stderr.decode()
        assert told.startswith(f"Error: {address}: connection failed")
        assert "Connection refused" in told
    with pytest.raises(LibraryError, match="that the server runs"):
        Library.open(address)
