"""The server started, told where it is, and stopped."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from photosearch.errors import PhotosearchError, UsageError
from photosearch.serving.hosts import is_loopback, open_port
from photosearch.serving.own_secret import PAGE, own_secret, page_with

if TYPE_CHECKING:
    from photosearch.ui.context import DesktopWindow

DEFAULT_PORT = 7860
# Tried in turn when the default one is in use.
_PORTS = 20
_START_SECONDS = 60.0


@dataclass(frozen=True)
class Address:
    """Where a server listens. `password` is None where only this machine can connect; `key` is what
    its owner is known by then, None where whoever uses this machine is let in.
    """

    host: str
    port: int
    password: str | None
    key: str | None = None

    @property
    def url(self) -> str:
        """Where a browser finds it, without the password."""
        # Only looked up here; what to listen on is the user's choice.
        names = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}  # noqa: S104
        host = names.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    @property
    def link(self) -> str:
        """What to open in a browser."""
        secret = self.password or self.key
        return self.url if secret is None else f"{self.url}?token={quote(secret)}"

    def to_launch(self, folder: Path) -> str | None:
        """What a browser may be started with, which all users of this machine see; the file that
        leads to the link is in the library's `folder`. None where it cannot be there.
        """
        return self.url if self.link == self.url else page_with(self.link, folder)


class Server:
    """The pages of one library, served from a thread. Use as a context manager."""

    def __init__(self, context: Any, listener: socket.socket, address: Address) -> None:
        self._context, self._listener, self.address = context, listener, address
        self._uvicorn: Any = None
        self._thread: threading.Thread | None = None
        # Ctrl-C in a thread's join() can make Python 3.11 take a running thread for one that ended.
        self._ended = threading.Event()

    @classmethod
    def bind(
        cls,
        path: str | os.PathLike[str] | None = None,
        model: str | os.PathLike[str] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        password: str | None = None,
        workers: int | None = None,
        window: DesktopWindow | None = None,
        open_to_this_machine: bool = False,
    ) -> Self:
        """Open the library and the port; the default port, or one of the next, when none is given.

        Where other machines can connect and no password is given, one is made up. Where only this
        one can, its other users are kept out unless it is `open_to_this_machine`.

        Raises `UsageError` when the address cannot be used; `LibraryError`; `BundleError`.
        """
        from photosearch.ui.context import Context

        listener = _listen(host, port)
        if password is None and not is_loopback(host):
            password = secrets.token_urlsafe(18)
        try:
            context = Context.open(
                path, model, workers=workers, local=is_loopback(host), window=window
            )
        except BaseException:
            listener.close()
            raise
        is_open = password is not None or open_to_this_machine
        key = None if is_open else own_secret(context.folder, PAGE)
        return cls(context, listener, Address(host, listener.getsockname()[1], password, key))

    @property
    def folder(self) -> Path:
        """That of the library."""
        folder: Path = self._context.folder
        return folder

    def __enter__(self) -> Self:
        import uvicorn

        from photosearch.ui.app import create_app

        app = create_app(
            self._context,
            host=self.address.host,
            names=_names(self.address.host),
            password=self.address.password,
            key=self.address.key,
        )
        config = uvicorn.Config(
            app,
            log_config=None,  # it goes to our log
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=2,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._serve, args=(self._uvicorn.run,), name="photosearch-server"
        )
        self._thread.start()
        started = time.monotonic()
        while not self._uvicorn.started:
            if self._ended.is_set() or time.monotonic() - started > _START_SECONDS:
                self.__exit__(None, None, None)
                raise PhotosearchError("the server does not start; its log tells why")
            time.sleep(0.02)
        return self

    def _serve(self, run: Callable[[list[socket.socket]], None]) -> None:
        try:
            run([self._listener])
        finally:
            self._ended.set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            self._uvicorn.should_exit = True
            self._ended.wait()
            self._thread.join()
        self._listener.close()
        self._context.close()

    def wait(self, until: Callable[[], bool] = lambda: False) -> None:
        """Return when the server ends, or `until` says so; Ctrl-C raises `KeyboardInterrupt`."""
        while not self._ended.is_set() and not until():
            time.sleep(0.1)


def _listen(host: str, port: int | None) -> socket.socket:
    wanted = [port] if port is not None else range(DEFAULT_PORT, DEFAULT_PORT + _PORTS)
    reason = ""
    for number in wanted:
        try:
            return open_port(host, number)
        except OSError as error:
            reason = error.strerror or str(error)
    if port is not None:
        raise UsageError(f"--host {host} --port {port}: {reason}; choose another with --port")
    raise UsageError(f"--host {host}: {reason}; give --host an address of this machine")


def _names(host: str) -> list[str]:
    """Names by which the server may be called; other machines use the machine's own."""
    if is_loopback(host):
        return []
    name = socket.gethostname()
    return [host, name, socket.getfqdn(), f"{name}.local"]
