"""The HTTP API for programs that go on: cursors, many searches at once, and what has changed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import on_a_thread
import pytest
from known_library import make_library

from index import Catalogue, FileStamp, NewPhoto
from photosearch import Library, UsageError
from photosearch.api import bulk, schemas
from photosearch.api.app import create_app
from photosearch.encoders import open_encoder
from photosearch.serving.library_thread import BusyError, LibraryThread

COUNT = 240
Ask = Callable[..., httpx.Response]


@pytest.fixture
def library(tmp_path: Path, tiny_bundle: Path) -> Path:
    make_library(tmp_path / "library", tiny_bundle, COUNT)
    return tmp_path / "library"


@pytest.fixture
def ask(library: Path, tiny_bundle: Path) -> Iterator[Ask]:
    """A request to the application, in this process."""
    thread = LibraryThread(library, tiny_bundle)
    app = create_app(thread)

    def request(method: str, path: str, **options: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, path, **options)

        return on_a_thread.run(asked())

    yield request
    thread.close()


def come_and_go(library: Path, bundle: Path, ids: list[int], number: int) -> None:
    """Photos of `ids` are dropped, and as many others come, alike and of all dates."""
    encoder = open_encoder(bundle)
    rows = np.random.default_rng(number).normal(size=(30, encoder.dim))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    with Library.open(library) as it:
        paths = [file.path for file in it.photos.files(ids)]
        for path in paths:
            it.forget(path)
    with Catalogue.open(library) as catalogue:
        new = [
            NewPhoto(f"/new/{number}-{n}.jpg", FileStamp(9000 + n, number), 4, 3, "JPEG")
            for n in range(len(rows))
        ]
        catalogue.record(encoder.bundle_id, new, rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    "view",
    [
        {"q": "a cat", "everything": True},
        {"has_gps": True, "sort": "oldest"},
        {"q": "a cat has:gps", "sort": "newest", "everything": True},
        {"q": "a cat", "collapse": True, "everything": True, "limit": 17},
    ],
)
def test_pages_go_on_where_they_were(
    ask: Ask, library: Path, tiny_bundle: Path, view: dict[str, Any]
) -> None:
    """What is there all along is told once, whatever comes and goes between two pages."""
    with Library.open(library, model=tiny_bundle) as it:
        before = {
            hit.photo_id for hit in it.search(str(view.get("q", "has:gps")), limit=1000,
                                              everything=bool(view.get("everything")))
        }  # fmt: skip
    params = {"limit": 30} | view
    told: list[int] = []
    dropped: set[int] = set()
    cursor = None
    while True:
        answer = ask("GET", "/v1/search", params=params | ({"cursor": cursor} if cursor else {}))
        page = schemas.Found.model_validate(answer.json())
        ids = [hit.photo_id for hit in page.hits]
        told += ids
        cursor = page.next
        assert (cursor is not None) == page.more
        if cursor is None:
            break
        if len(told) < 100:
            # Among those told of, the last of the page, and some that are not told of yet.
            rest = sorted(before - set(told) - dropped)
            gone = [*told[:5], ids[-1], ids[-2], *rest[:5]]
            dropped |= set(gone)
            come_and_go(library, tiny_bundle, gone, len(told))
    stayed = before - dropped
    assert sorted(one for one in told if one in stayed) == sorted(stayed)
    assert len(dropped) > 20


def test_cursors_are_of_their_search(ask: Ask) -> None:
    first = ask("GET", "/v1/search", params={"q": "has:gps", "limit": 5}).json()
    whole = ask("GET", "/v1/search", params={"q": "has:gps", "limit": 12}).json()
    more = {"q": "has:gps", "limit": 7, "cursor": first["next"]}
    second = ask("GET", "/v1/search", params=more).json()
    assert first["hits"] + second["hits"] == whole["hits"]
    other = ask("GET", "/v1/photos/3/similar", params={"limit": 5}).json()
    again = {"limit": 5, "cursor": other["next"]}
    assert len(ask("GET", "/v1/photos/3/similar", params=again).json()["hits"]) == 5
    cursors = [other["next"], "x", "", "é", first["next"][:-3], "AAAA" * 40]
    for cursor in [*cursors, first["next"]]:
        params = {"q": "has:gps -screenshot", "cursor": cursor}
        answer = ask("GET", "/v1/search", params=params)
        assert (answer.status_code, "cursor: is none" in answer.json()["error"]) == (400, True)


def test_many_searches_at_once(ask: Ask) -> None:
    searches = [
        {"q": "a cat", "limit": 3},
        {"q": "befor:2020"},
        {"q": "", "place": ["Rome", "Ostia"], "limit": 2, "sort": "newest"},
        {"saved": "none"},
        {"year": "never"},
    ]
    answer = ask("POST", "/v1/searches", json={"searches": searches})
    several = schemas.Several.model_validate(answer.json())
    kinds = [type(each).__name__ for each in several.answers]
    assert kinds == ["Found", "Refused", "Found", "Refused", "Refused"]
    alone = ask("GET", "/v1/search", params=searches[2]).json()
    # A cursor goes on with a single search as well.
    assert answer.json()["answers"][2] == alone
    assert answer.json()["answers"][1]["position"] == 0
    for wrong, name in (
        ({"searches": []}, "searches"),
        ({"searches": [{"q": "a"}] * (bulk.MOST + 1)}, "searches"),
        ({"searches": [{"q": "a", "limit": bulk.MOST_HITS + 1}]}, "searches.0.limit"),
        ({"searches": [{"q": "a", "befor": "2020"}]}, "searches.0.befor"),
    ):
        refused = ask("POST", "/v1/searches", json=wrong)
        assert (refused.status_code, refused.json()["error"].split(":")[0]) == (400, name)


def test_what_has_begun_is_not_refused_for_others(library: Path, tiny_bundle: Path) -> None:
    async def crowd() -> None:
        thread = LibraryThread(library, tiny_bundle, most=1)
        body = bulk.Searches.model_validate({"searches": [{"q": "has:gps"}] * 5})
        # Each takes its turn, and so others come in between and are counted as well.
        first, second = await asyncio.gather(
            bulk.answered(thread, body, ""),
            thread.ask(Library.status),
            return_exceptions=True,
        )
        assert isinstance(first, list)
        assert all("error" not in each for each in first)
        assert type(second).__name__ == "BusyError"
        await asyncio.to_thread(thread.close)

    on_a_thread.run(crowd())


def test_a_program_follows(ask: Ask, library: Path, tiny_bundle: Path) -> None:
    place, told = None, []
    while True:
        asked = {"limit": 100} | ({"since": place} if place else {})
        page = schemas.Changes.model_validate(ask("GET", "/v1/changes", params=asked).json())
        told += [each.photo_id for each in page.changes]
        place = page.next
        if not page.more:
            break
    assert told == list(range(1, COUNT + 1))
    now = ask("GET", "/v1/changes", params={"since": "now"}).json()
    assert (now["changes"], now["next"]) == ([], place)
    with Library.open(library) as it:
        it.marks.rate([7], 2)
        it.forget(it.photos.files([9])[0].path)
        with pytest.raises(UsageError, match="ask for at least 1"):
            it.photos.changes(limit=0)
    after = ask("GET", "/v1/changes", params={"since": place}).json()
    assert [(each["photo_id"], each["state"]) for each in after["changes"]] == [
        (7, "here"),
        (9, "dropped"),
    ]
    lost = ask("GET", "/v1/changes", params={"since": place[:-1] + "x"})
    assert (lost.status_code, "without since" in lost.json()["error"]) == (410, True)


def test_a_place_is_the_same_at_every_server_of_the_library(
    library: Path, tiny_bundle: Path
) -> None:
    """One with several workers and one that only reads, asked by turns while photos change."""
    servers = [
        LibraryThread(library, tiny_bundle, threads=3),
        LibraryThread(library, tiny_bundle, readonly=True),
    ]
    apps = [create_app(each) for each in servers]

    async def asked(number: int, since: str) -> dict[str, Any]:
        transport = httpx.ASGITransport(apps[number % 2])
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            answer = await client.get("/v1/changes", params={"since": since, "limit": 3})
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    async def follow() -> None:
        place = (await asked(0, "now"))["next"]
        changed, told, number = [], [], 0
        for round_ in range(6):
            with Library.open(library) as it:
                some = range(10 * round_ + 1, 10 * round_ + 8)
                for file in it.photos.files(some):
                    it.forget(file.path)
            changed += some
            more = True
            while more:
                page = await asked(number, place)
                # Wherever one asks, the same follows.
                assert await asked(number + 1, place) == page
                told += [each["photo_id"] for each in page["changes"]]
                place, more, number = page["next"], page["more"], number + 1
        assert told == changed

    try:
        on_a_thread.run(follow())
    finally:
        for each in servers:
            each.close()


def test_who_is_refused_is_told_how_long_others_take(library: Path, tiny_bundle: Path) -> None:
    async def crowd() -> list[int]:
        thread = LibraryThread(library, tiny_bundle, most=4)
        # Of answers that take no time, a second is the least.
        told = [await refused(thread)]
        thread._usual = 5.2
        told.append(await refused(thread))
        thread._usual = 1000.0
        told.append(await refused(thread))
        await asyncio.to_thread(thread.close)
        return told

    async def refused(thread: LibraryThread) -> int:
        go_on = threading.Event()
        waiting = [asyncio.ensure_future(thread.ask(lambda _: go_on.wait(60))) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError) as error:
            await thread.ask(Library.status)
        go_on.set()
        await asyncio.gather(*waiting)
        return error.value.seconds

    assert on_a_thread.run(crowd()) == [1, 21, 60]
