"""The client that is made of the API's own description, and asks a real server."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from test_api import Served

from photosearch.client import Client, RefusedError

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_it_is_current() -> None:
    """`python docs/api_client.py` writes it anew."""
    spec = importlib.util.spec_from_file_location("api_client", ROOT / "docs" / "api_client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "photosearch" / "client.py").read_text(encoding="utf-8")
    assert module.formatted(module.client()) == written


@pytest.mark.slow
def test_it_asks_a_server(picture_library: Path, tiny_bundle: Path, pictures: Path) -> None:
    server = Served(picture_library, tiny_bundle, token="secret")
    try:
        client = Client(server.url, "secret")
        hits = list(client.pages(client.search, q="type:png", limit=2, sort="newest"))
        assert [hit["path"] for hit in hits] == [
            hit["path"] for hit in client.search(q="", type="png", sort="newest")["hits"]
        ]
        assert len(hits) == 5
        photo = client.photo(str(pictures / "coffee.png"))["photo_id"]
        assert client.original(photo) == (pictures / "coffee.png").read_bytes()
        assert client.thumbnail(photo)[:4] == b"RIFF"
        alike = list(client.pages(client.similar, photo, limit=2))
        assert len(alike) == 5
        by_picture = client.search_by_pictures([client.original(photo)], limit=1)
        assert by_picture["hits"][0]["photo_id"] == photo
        both = client.several_searches({"searches": [{"q": "type:png"}, {"q": "befor:1"}]})
        assert both["answers"][0]["total"] == 5
        assert "befor" in both["answers"][1]["error"]
        ((told, since),) = client.follow()
        assert [each["photo_id"] for each in told] == list(range(1, 7))
        assert list(client.follow(since)) == [([], since)]
        with pytest.raises(RefusedError, match=r"400: .*befor") as refused:
            client.search(q="befor:1")
        assert refused.value.answer["position"] == 0
        with pytest.raises(RefusedError, match="401"):
            Client(server.url, "other").status()
    finally:
        server.stop()


@pytest.fixture
def busy() -> Iterator[HTTPServer]:
    """Has too much to do for the first two requests."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(429 if len(asked) < 3 else 200)
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(b'{"error": "too many"}' if len(asked) < 3 else b'{"photos": 1}')

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_it_asks_again_when_there_is_too_much_to_do(busy: HTTPServer) -> None:
    url = f"http://127.0.0.1:{busy.server_port}"
    with pytest.raises(RefusedError, match="429: too many"):
        Client(url, tries=1).status()
    assert Client(url, tries=2).status() == {"photos": 1}


def test_it_needs_nothing_but_python(tmp_path: Path) -> None:
    copy = tmp_path / "client.py"
    copy.write_bytes((ROOT / "photosearch" / "client.py").read_bytes())
    code = "import client; client.Client('ftp://x')"
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(tmp_path)!r});{code}",
        ],
        capture_output=True,
        text=True,
    )
    assert "ValueError: ftp://x: is no address" in done.stderr
