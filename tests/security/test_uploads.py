"""All that is sent at once shares a budget, which is given back; who comes late waits."""

from __future__ import annotations

import asyncio
import http.client
import io
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from on_a_thread import run
from PIL import Image
from served import Served, served_here

from photosearch.serving import uploads
from photosearch.serving.uploads import TooMuchError, Uploads


def picture() -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", (300, 300), os.urandom(270_000)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def server(
    picture_library: Path, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    monkeypatch.setattr(uploads, "MOST", 600_000)  # two of these pictures
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with served_here(picture_library, tiny_bundle) as server:
        yield server


def test_in_turn_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST", 10)
    began: list[int] = []

    async def send(budget: Uploads, size: int) -> None:
        async with budget.taken(size):
            began.append(size)
            await asyncio.sleep(0)

    async def all_at_once() -> None:
        budget = Uploads()
        async with budget.taken(10):
            # The small ones would fit before the large one, which would then wait for ever.
            waiting = [asyncio.create_task(send(budget, size)) for size in (9, 1, 2, 8)]
            await asyncio.sleep(0)
            assert began == []
        await asyncio.gather(*waiting)
        assert began == [9, 1, 2, 8]
        with pytest.raises(ValueError, match="broken off"):
            async with budget.taken(10):
                raise ValueError("broken off")
        async with budget.taken(10):
            monkeypatch.setattr(uploads, "WAIT", 0.0)
            with pytest.raises(TooMuchError, match="Try again"):
                await send(budget, 1)
        await send(budget, 10)

    run(all_at_once())


@pytest.mark.slow
def test_pictures_that_are_sent_at_once(
    server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(6) as pool:
        sent = pool.map(lambda _: server.ask("/api/by-picture?name=a.png", body=picture()), [0] * 6)
        assert [answer.status for answer in sent] == [200] * 6

    # Two that say how much they will send, and go on sending.
    slow = [http.client.HTTPConnection("127.0.0.1", server.port) for _ in range(2)]
    for connection in slow:
        connection.putrequest("POST", "/api/by-picture")
        connection.putheader("content-length", "300000")
        connection.endheaders(b"x" * 1000)
    monkeypatch.setattr(uploads, "WAIT", 0.5)
    refused = server.ask("/api/by-picture", body=picture())
    assert refused.status == 503
    assert "Too many pictures are being sent at once" in refused.json["error"]
    assert server.ask("/api/search?q=a+cat").status == 200
    assert server.post("/api/suggest", {}).status != 503
    for connection in slow:
        connection.close()
    monkeypatch.setattr(uploads, "WAIT", 60.0)
    assert server.ask("/api/by-picture", body=picture()).status == 200
    assert not [path for path in tmp_path.glob("photosearch-*") if path.is_dir()]


@pytest.mark.slow
def test_one_that_never_ends(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photosearch.serving.page_guard.SEND", 0.2)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest("POST", "/api/by-picture")
    connection.putheader("content-length", "300000")
    connection.endheaders(b"x" * 1000)
    answer = connection.getresponse()
    assert answer.status == 400
    assert b"did not arrive whole" in answer.read()
    connection.close()
