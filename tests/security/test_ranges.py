"""Numbers that anybody can give have a range, and what lies outside starts nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from fastapi.routing import APIRoute
from PIL import Image
from served import Served, served_here
from shell import Shell

from photosearch import Library, UsageError
from photosearch.capacity import most_workers, usual_workers
from photosearch.search.parse import parse
from photosearch.search.query import QueryError
from photosearch.ui.routes import ROUTERS


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    Image.new("RGB", (40, 40), "red").save(folder / "red.png")
    return folder


@pytest.mark.parametrize("workers", ["100000", "99999999999999999999"])
@pytest.mark.parametrize("command", ["index", "watch"])
def test_more_workers_than_the_machine_takes(
    shell: Shell, photos: Path, command: str, workers: str
) -> None:
    done = shell(command, photos, "--workers", workers)
    assert done.returncode == 2, done.stderr
    assert f"from 1 to {most_workers()}, which this machine can take" in done.stderr.decode()


def test_nothing_is_begun_before_the_range_is_checked(tiny_bundle: Path, photos: Path) -> None:
    with Library.open(photos.parent / "library", model=tiny_bundle) as library:
        for workers in (0, -1, most_workers() + 1):
            with pytest.raises(UsageError, match="this machine can take 1 to"):
                library.index([photos], workers=workers)
            with pytest.raises(UsageError, match="this machine can take 1 to"):
                library.watch([photos], workers=workers)
        assert library.status().photos == 0
        assert library.folders == []


def test_memory_counts_as_much_as_cores() -> None:
    cores = os.cpu_count() or 1
    assert most_workers(1 << 50) == 4 * cores
    assert most_workers(4 << 30) == min(4 * cores, 4)
    assert most_workers(1 << 20) == 1
    assert 1 <= usual_workers() <= min(cores, most_workers())


def test_a_weight_that_leaves_nothing_of_the_rest() -> None:
    assert parse("1000:cat 2:dog").terms[0].weight == 1000
    with pytest.raises(QueryError, match="a weight is at most 1000") as raised:
        parse(f"dog {'9' * 50}:cat")
    assert raised.value.position == 4


@pytest.fixture(scope="module")
def server(
    picture_library: Path, tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    library = shutil.copytree(picture_library, tmp_path_factory.mktemp("ranges") / "library")
    with served_here(library, tiny_bundle) as server:
        yield server


# Beyond what SQLite can have, and what JSON can.
NUMBERS = ("9" * 30, "-" + "9" * 30, str(1 << 63), "1e400", "NaN", "null", '"x"')


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_in_what_the_page_is_sent(server: Served, number: str) -> None:
    bodies = {
        "/api/albums/1/photos": f'{{"ids": [{number}], "there": true}}',
        "/api/rating": f'{{"ids": [1], "stars": {number}}}',
        "/api/keywords": f'{{"ids": [{number}], "add": ["x"]}}',
        "/api/keywords/of": f'{{"ids": [{number}]}}',
        "/api/marks": f'{{"marks": [{{"ids": [{number}], "stars": 1}}]}}',
        "/api/share/estimate": f'{{"ids": [1], "album": {number}, "side": {number}}}',
        "/api/share": f'{{"ids": [{number}], "quality": {number}}}',
        "/api/index": f'{{"folders": [{number}], "retry": {number}}}',
    }
    for target, body in bodies.items():
        sent = {"Content-Type": "application/json"}
        answer = server.ask(target, sent, body=body.encode())
        assert answer.status < 500, (target, answer.body)
        if answer.status == 422:
            assert isinstance(answer.json["error"], str)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert server.ask("/api/zip", form, body=f"ids={number}".encode()).status == 200


@pytest.mark.slow
def test_numbers_in_the_addresses_of_the_page(server: Served) -> None:
    routes = [
        route
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "GET" in (route.methods or ())
    ]
    assert len(routes) > 30
    for route in routes:
        for number in ("9" * 30, "-1", str(1 << 63)):
            path = re.sub(r"\{[^}]*\}", number, route.path)
            given = {one.name: number for one in route.dependant.query_params}
            answer = server.ask(f"{path}?{urlencode(given)}")
            assert answer.status < 500, (path, given, answer.body)
