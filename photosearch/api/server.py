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
# Questions for each worker that may wait: about a second's worth of searches.
_WAITING = 64


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


@dataclass(frozen=True)
class Serving:
    """How requests are answered: by so many `workers` at a time.

    `names` are by what a proxy in front may call the server, `prefix` the part of the path that it
    puts before ours. With `metrics` requests are counted, and with `log_requests` each has a line
    in the log. With `readonly` nothing in the library's folder is changed.
    """

    workers: int = 1
    names: tuple[str, ...] = ()
    prefix: str = ""
    metrics: bool = False
    log_requests: bool = False
    readonly: bool = False


def serve(listener: Listener, path: str | None, model: str | None, how: Serving) -> None:
    """Answer until Ctrl-C. Raises `LibraryError`, `BundleError`, `UsageError` before that."""
    import uvicorn

    from photosearch.api.app import create_app
    from photosearch.api.health import PATH
    from photosearch.api.metrics import Metrics
    from photosearch.api.pictures import Pictures
    from photosearch.api.requests import noting, to_log
    from photosearch.delivery.thumbnails import Thumbnails
    from photosearch.indexing.limits import limits_by
    from photosearch.serving.clusters import ClusterMaker
    from photosearch.serving.library_thread import LibraryThread
    from photosearch.serving.shrinking import Shrinkers
    from photosearch.settings import library_folder, read

    local = is_loopback(listener.host)
    settings = read(path, model=model)
    metrics = Metrics() if how.metrics else None
    library = LibraryThread(
        path,
        model,
        new=not how.readonly,
        readonly=how.readonly,
        threads=how.workers,
        most=how.workers * _WAITING,
        # Behind a proxy others ask, whatever address they come from.
        faces=(local and not how.names) or settings.serve_faces,
    )
    library.begin(lambda _: None)
    folder = library_folder(path)
    shrinkers = Shrinkers(limits=limits_by(settings, 2))
    thumbnails = Thumbnails(folder, shrinkers, keeping=not how.readonly)
    app = create_app(library, Pictures(thumbnails, shrinkers), metrics, how.prefix)
    notes = ([metrics.note] if metrics else []) + ([to_log] if how.log_requests else [])
    name = socket.gethostname()
    own = () if local else (listener.host, name, socket.getfqdn(), f"{name}.local")
    guarded = Guard(
        app,
        local=local,
        names=(*own, *how.names),
        token=listener.token,
        public=(how.prefix + PATH, PATH),
    )
    config = uvicorn.Config(
        # Who is refused is told of as well.
        noting(guarded, notes) if notes else guarded,
        log_config=None,  # it goes to our log
        log_level="warning",
        access_log=False,
        server_header=False,
        # Nothing here goes by the address of who asks, so what a proxy says of it is not read.
        proxy_headers=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=2,
    )

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            end_in_time(128 + sig)
            super().handle_exit(sig, frame)

    clusters = ClusterMaker(folder, model)
    try:
        Server(config).run([listener.socket])
    finally:
        clusters.close()
