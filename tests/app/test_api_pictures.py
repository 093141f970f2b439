"""The HTTP API: pictures of photos, a proxy in front, and how the server fares."""

from __future__ import annotations

import asyncio
import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import on_a_thread
import pytest
from optional import module
from PIL import Image
from test_api import Served

from photosearch import Library
from photosearch.api.app import create_app
from photosearch.serving.library_thread import LibraryThread

module("prometheus_client")
TOKEN = {"authorization": "Bearer secret"}


@pytest.fixture(scope="module")
def served(
    picture_library: Path, tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    options = ["--workers", "2", "--name", "photos.example", "--prefix", "/photos", "--metrics"]
    server = Served(picture_library, tiny_bundle, *options, token="secret")
    server.client.headers.update(TOKEN)
    yield server
    assert server.stop() in (0, 130)


@pytest.fixture(scope="module")
def coffee(served: Served, pictures: Path) -> str:
    """The address of a photo."""
    path = quote(str(pictures / "coffee.png"), safe="")
    return f"/v1/photos/{served.client.get(f'/v1/photos/{path}').json()['photo_id']}"


@pytest.mark.parametrize(("size", "longest"), [("thumbnail", 512), ("preview", 600)])
def test_small_pictures(served: Served, coffee: str, size: str, longest: int) -> None:
    answer = served.client.get(f"{coffee}/{size}")
    assert answer.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert max(image.size) == longest
    asked = {"if-none-match": f'"other", {answer.headers["etag"]}'}
    again = served.client.get(f"{coffee}/{size}", headers=asked)
    assert (again.status_code, again.content) == (304, b"")
    assert served.client.get(f"{coffee}/{size}", headers={"if-none-match": '"x"'}).content


def test_the_file_and_parts_of_it(served: Served, coffee: str, pictures: Path) -> None:
    content = (pictures / "coffee.png").read_bytes()
    whole = served.client.get(f"{coffee}/original")
    assert whole.content == content
    assert whole.headers["content-type"] == "image/png"
    tag = whole.headers["etag"]
    for wanted, first, last in (("100-199", 100, 199), ("-7", len(content) - 7, len(content) - 1)):
        part = served.client.get(f"{coffee}/original", headers={"range": f"bytes={wanted}"})
        assert part.status_code == 206
        assert part.content == content[first : last + 1]
        assert part.headers["content-range"] == f"bytes {first}-{last}/{len(content)}"
    for state, status in ((tag, 206), ('"older"', 200)):
        asked = {"range": "bytes=0-9", "if-range": state}
        assert served.client.get(f"{coffee}/original", headers=asked).status_code == status
    assert served.client.get(f"{coffee}/original", headers={"if-none-match": tag}).content == b""
    beyond = served.client.get(f"{coffee}/original", headers={"range": f"bytes={len(content)}-"})
    assert (beyond.status_code, beyond.json()) == (416, {"error": "There are no such bytes."})


def test_of_a_photo_that_is_not_there(served: Served) -> None:
    for size in ("thumbnail", "preview", "original"):
        answer = served.client.get(f"/v1/photos/4711/{size}")
        assert (answer.status_code, "no photo 4711" in answer.json()["error"]) == (404, True)


def test_a_proxy_in_front(served: Served, coffee: str) -> None:
    asked = {"host": "photos.example"}
    assert served.client.get(f"/photos{coffee}", headers=asked).status_code == 200
    described = served.client.get("/photos/openapi.json", headers=asked).json()
    assert described["servers"] == [{"url": "/photos"}]
    assert served.client.get(coffee, headers={"host": "elsewhere.example"}).status_code == 421


def test_only_health_is_told_without_the_token(served: Served, coffee: str) -> None:
    for path in ("/healthz", "/photos/healthz"):
        answer = httpx.get(f"{served.url}{path}")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    for path in ("/metrics", f"{coffee}/original", f"{coffee}/thumbnail", "/healthz/"):
        assert httpx.get(f"{served.url}{path}").status_code == 401


def test_requests_are_counted(served: Served, coffee: str) -> None:
    def counted() -> float:
        answer = served.client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        assert "photosearch_photos 6.0" in answer.text
        (found,) = re.findall(
            r'photosearch_requests_total\{route="/v1/saved",status="200"\} (\S+)', answer.text
        ) or ["0"]
        return float(found)

    before = counted()
    assert served.client.get("/v1/saved").status_code == 200
    assert counted() == before + 1
    # A photo is no row of its own.
    assert coffee not in served.client.get("/metrics").text


def test_of_too_many_some_are_told_to_come_back(picture_library: Path, tiny_bundle: Path) -> None:
    library = LibraryThread(picture_library, tiny_bundle, threads=2, most=2)
    app = create_app(library)
    free = threading.Event()

    def hold(_: Library) -> None:
        assert free.wait(60)

    async def crowd() -> None:
        held = [asyncio.ensure_future(library.ask(hold)) for _ in range(2)]
        await asyncio.sleep(0)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            refused = await client.get("/v1/status")
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/metrics")).status_code == 404
            free.set()
            await asyncio.gather(*held)
            assert (await client.get("/v1/status")).status_code == 200

    try:
        on_a_thread.run(crowd())
    finally:
        free.set()
        library.close()


@pytest.mark.parametrize("prefix", ["photos", "/a?b", "/a b", "/a//b"])
def test_prefixes_that_are_no_path(picture_library: Path, tiny_bundle: Path, prefix: str) -> None:
    from click.testing import CliRunner

    from photosearch.cli import main

    done = CliRunner().invoke(
        main, ["--library", str(picture_library), "serve", "--port", "0", "--prefix", prefix]
    )
    assert (done.exit_code, "is no path" in done.output) == (2, True)
