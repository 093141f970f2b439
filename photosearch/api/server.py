"""The HTTP API, started and stopped."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from types import FrameType

from photosearch.errors import UsageError
from photosearch.serving.forced_exit import end_in_time
from photosearch.serving.hosts import is_loopback, open_port
from photosearch.serving.token_guard import Guard

DEFAULT_PORT = 7870


@dataclass(frozen=True)
class Listener:
    """An open port. `token` is None where none is asked for; `made_up` where nobody gave it."""

    socket: socket.socket
    host: str
    port: int
    token: str | None
    made_up: bool

    @property
    def url(self) -> str:
        # Only looked up here; what to listen on is the user's choice.
        names = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}  # noqa: S104
        host = names.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def listen(host: str, port: int, token: str | None) -> Listener:
    """Open the port. Where other machines can connect and no token is given, one is made up.

    Raises `UsageError` when the address cannot be used.
    """
    try:
        opened = open_port(host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"--host {host} --port {port}: {reason}; choose another address or port"
        ) from error
    made_up = token is None and not is_loopback(host)
    return Listener(
        opened,
        host,
        opened.getsockname()[1],
        secrets.token_urlsafe(24) if made_up else token,
        made_up,
    )


def serve(listener: Listener, path: str | None, model: str | None) -> None:
    """Answer until Ctrl-C. Raises `LibraryError` or `BundleError` before that."""
    import uvicorn

    from photosearch.api.app import create_app
    from photosearch.library import Library
    from photosearch.serving.library_thread import LibraryThread
    from photosearch.settings import read

    local = is_loopback(listener.host)
    faces = local or read(path, model=model).serve_faces
    library = LibraryThread(path, model, new=True, faces=faces)
    library.ask_now(Library.status)
    name = socket.gethostname()
    guarded = Guard(
        create_app(library),
        local=local,
        names=() if local else (listener.host, name, socket.getfqdn(), f"{name}.local"),
        token=listener.token,
    )
    config = uvicorn.Config(
        guarded,
        log_config=None,  # it goes to our log
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=2,
    )

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            end_in_time(128 + sig)
            super().handle_exit(sig, frame)

    Server(config).run([listener.socket])
