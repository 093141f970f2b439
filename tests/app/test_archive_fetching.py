"""What whoever waits for much of an archive is told: at a command, by the page and by the API."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogue_data import BUNDLE, new_photos, unit_vectors
from postgres import KEEPER, Postgres, database_of
from served import served_here
from shell import Shell
from slow_line import Line, line_to
from test_api import Served

from index import Catalogue
from index.shared.address import folder_of

pytestmark = pytest.mark.slow
PHOTOS = 300
TOLD = r"postgresql:\S+: fetching this machine's copy, [\d,]+ of [\d,]+ rows"


@pytest.fixture
def line(postgres: Postgres) -> Iterator[Line]:
    """To the server, which does not get through with all of an archive."""
    with line_to(postgres.socket, KEEPER) as line:
        line.room = 30_000
        yield line


@pytest.fixture
def address(
    postgres: Postgres, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """That of an archive of which this machine has no copy."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    address = postgres.archive()
    with Catalogue.open(folder_of(address, tmp_path / "other")) as catalogue:
        catalogue.record(BUNDLE, new_photos(PHOTOS), unit_vectors(PHOTOS))
    yield line.address(database_of(address))
    postgres.give_back(address)


def test_a_command_tells_on_standard_error_how_far_it_is(
    line: Line, address: str, tmp_path: Path, tiny_bundle: Path
) -> None:
    shell = Shell(tmp_path, tiny_bundle)
    shell.environment |= {
        "PHOTOSEARCH_LIBRARY": address,
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    process = shell.start("status", "--json")
    assert process.stderr is not None
    assert re.fullmatch(TOLD + r"\.\n", process.stderr.readline().decode())
    line.room = None
    output, errors = process.communicate()
    assert process.returncode == 0
    assert errors == b""
    assert json.loads(output)["photos"] == PHOTOS
    # What takes no time is not told of.
    again = shell("status", "--json")
    assert (again.returncode, again.stderr) == (0, b"")


def test_the_page_is_there_before_the_copy_is_and_says_so(
    line: Line, address: str, tiny_bundle: Path
) -> None:
    with served_here(address, tiny_bundle) as page:  # type: ignore[arg-type]
        assert page.ask("/").status == 200
        for target in ("/api/state", "/api/start"):
            answer = page.ask(target)
            assert answer.status == 503
            assert answer.headers["retry-after"] == "5"
            assert re.fullmatch(TOLD, answer.json["again"])
        assert re.fullmatch(TOLD, page.ask("/api/fetching").json["told"])
        line.room = None
        while page.ask("/api/fetching").json["told"] is not None:
            time.sleep(0.05)
        assert page.ask("/api/state").json["photos"] == PHOTOS


def test_the_api_says_when_to_ask_again(line: Line, address: str, tiny_bundle: Path) -> None:
    server = Served(address, tiny_bundle)  # type: ignore[arg-type]
    try:
        assert server.client.get("/healthz").status_code == 200
        answer = server.client.get("/v1/status")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert re.fullmatch(TOLD + "; ask again in a moment", answer.json()["error"])
        line.room = None
        while server.client.get("/v1/status").status_code == 503:
            time.sleep(0.05)
        assert server.client.get("/v1/status").json()["photos"] == PHOTOS
    finally:
        server.stop()


def test_what_is_wrong_is_told_before_anything_is_served(
    line: Line, address: str, tmp_path: Path, tiny_bundle: Path
) -> None:
    line.room = None
    shell = Shell(tmp_path, tiny_bundle)
    nothing = f"{address.partition('?')[0]}_not_there"
    result = shell("--library", nothing, "serve")
    assert result.returncode == 1
    assert b"does not exist; check the address" in result.stderr
    assert result.stdout == b""
