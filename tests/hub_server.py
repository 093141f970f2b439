"""A hub of models on this machine: real HTTP, laid out and answering as the Hugging Face hub does.

Weights are redirected to another host, which serves parts of files; small files are not.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_LARGE = 100_000
_PIECE = 64 * 1024


class Hub:
    """Serves `files`, by "OWNER/NAME/FILE".

    cut: bytes after which each answer with weights breaks off; altered: weights are sent with one
    bit changed; whole: parts are not served; busy: what the next requests are answered with, each a
    status and its Retry-After. `asked` lists the method, path and range of each
    request, and `proxied` the hosts that it was asked for as a proxy.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: int | None = None
        self._most: int | None = None
        self._moved = threading.Condition()
        self.altered = False
        self.whole = False
        self.busy: list[tuple[int, str | None]] = []
        self.asked: list[tuple[str, str, str | None]] = []
        self.proxied: list[str] = []
        self.url = ""

    def add(self, repository: str, folder: Path) -> None:
        for path in folder.rglob("*"):
            if path.is_file():
                self.files[f"{repository}/{path.relative_to(folder).as_posix()}"] = (
                    path.read_bytes()
                )

    @contextmanager
    def holding(self, after: int) -> Iterator[None]:
        """No more of a file with weights than `after` bytes is sent, as by a slow network."""
        self._hold(after)
        try:
            yield
        finally:
            self._hold(None)

    def send_more(self) -> None:
        """Another piece while the rest is held."""
        assert self._most is not None
        self._hold(self._most + _PIECE)

    def _hold(self, after: int | None) -> None:
        with self._moved:
            self._most = after
            self._moved.notify_all()

    def wait_to_send(self, at: int) -> None:
        with self._moved:
            self._moved.wait_for(lambda: self._most is None or at < self._most)

    def ranges(self) -> list[str | None]:
        """Of the requests for weights."""
        return [part for method, path, part in self.asked if method == "GET" and "/cdn/" in path]


@contextmanager
def serving() -> Iterator[Hub]:
    hub = Hub()

    class Handler(_Handler):
        served = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        hub = self.served
        # A proxy is asked for whole addresses.
        host, path = urlsplit(self.path).netloc, urlsplit(self.path).path
        if host:
            hub.proxied.append(host)
        hub.asked.append((self.command, path, self.headers.get("Range")))
        if hub.busy:
            status, after = hub.busy.pop(0)
            self.send_response(status)
            if after is not None:
                self.send_header("Retry-After", after)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if path.startswith("/cdn/"):
            self._send(hub.files[path.removeprefix("/cdn/")])
            return
        owner, name, resolve, revision, file = path.lstrip("/").split("/", 4)
        data = hub.files.get(f"{owner}/{name}/{file}")
        if data is None or resolve != "resolve" or revision not in ("main", COMMIT):
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if len(data) < _LARGE:
            self.send_response(200)
            self.send_header(
                "ETag", f'"{hashlib.sha1(b"blob %d" % len(data) + bytes(1) + data).hexdigest()}"'
            )
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                self.wfile.write(data)
            return
        self.send_response(302)
        # Another host than the one that was asked.
        port = self.server.server_address[1]
        self.send_header("Location", f"http://localhost:{port}/cdn/{owner}/{name}/{file}")
        self.send_header("X-Linked-Etag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, data: bytes) -> None:
        hub = self.served
        if hub.altered:
            data = bytes([data[0] ^ 1]) + data[1:]
        wanted = self.headers.get("Range")
        start = 0
        if wanted is not None and not hub.whole:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        data = data[start:]
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        left = data if hub.cut is None else data[: hub.cut]
        try:
            for at in range(0, len(left), _PIECE):
                hub.wait_to_send(start + at)
                self.wfile.write(left[at : at + _PIECE])
        except OSError:  # who asked is gone
            self.close_connection = True
        if len(left) < len(data):
            self.close_connection = True
