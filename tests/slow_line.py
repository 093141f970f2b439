"""A network between photosearch and a PostgreSQL server: far, cut, or swallowing what is sent."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PIECE = 4096


class Line:
    """Passes on what comes at a port of this machine to a server's socket.

    `delay` is how many seconds anything takes in one direction. With `room` so many bytes come from
    the server, and no more until it is None. `turns` counts how often the server was waited for.
    """

    def __init__(self, server: Path, user: str) -> None:
        self.delay = 0.0
        self.turns = 0
        self.room: int | None = None
        self._server, self._user = server, user
        self._open: list[socket.socket] = []
        self._is_cut = self._swallows = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def address(self, database: str) -> str:
        port = self._listener.getsockname()[1]
        return f"postgresql://{self._user}@127.0.0.1:{port}/{database}?sslmode=disable"

    def swallow(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self._swallows = True

    def cut(self) -> None:
        """End all connections, and let none be made until it is mended."""
        self._is_cut = True
        self._end()

    def mend(self) -> None:
        self._end()  # what was swallowed is lost
        self._is_cut = self._swallows = False
        self.room = None

    def close(self) -> None:
        self._listener.close()
        self._end()

    def _end(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server))
            self._open += [client, server]
            waiting = threading.Event()
            self._pump(client, server, waiting, ours=True)
            self._pump(server, client, waiting, ours=False)

    def _pump(
        self, source: socket.socket, to: socket.socket, waiting: threading.Event, *, ours: bool
    ) -> None:
        """Pass on what one says to the other, as late as it comes, for as long as it does."""
        under_way: queue.Queue[tuple[float, bytes]] = queue.Queue()

        def read() -> None:
            with suppress(OSError):
                while data := source.recv(_PIECE):
                    if ours and not waiting.is_set():
                        self.turns += 1
                        waiting.set()
                    elif not ours:
                        waiting.clear()
                    under_way.put((time.monotonic() + self.delay, data))
            under_way.put((time.monotonic() + self.delay, b""))

        def write() -> None:
            with suppress(OSError):
                while True:
                    when, data = under_way.get()
                    time.sleep(max(0.0, when - time.monotonic()))
                    while self._swallows or (not ours and self.room is not None and self.room <= 0):
                        if to.fileno() < 0:
                            return
                        time.sleep(0.01)
                    if not ours and self.room is not None:
                        self.room -= len(data)
                    if not data:
                        to.shutdown(socket.SHUT_WR)
                        return
                    to.sendall(data)

        for each in (read, write):
            threading.Thread(target=each, daemon=True).start()


@contextmanager
def line_to(server: Path, user: str) -> Iterator[Line]:
    """A line to the server at a socket; nothing of it is left."""
    line = Line(server, user)
    try:
        yield line
    finally:
        line.close()
