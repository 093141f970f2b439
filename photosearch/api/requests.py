"""What is noted of each request: its route, its status, its time; never what was asked."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from photosearch.logs import FIELDS
from photosearch.serving.token_guard import App, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)
# Called with the route, by its pattern, the status, and the seconds to the answer's last byte.
Noting: TypeAlias = Callable[[str, int, float], None]


def noting(app: App, each: Sequence[Noting]) -> App:
    """`app`, of whose requests each of these is told."""

    async def noted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, sent)
        finally:
            # By its pattern: a path names a photo, and each would be a route of its own.
            route = getattr(scope.get("route"), "path", "none")
            for note in each:
                note(route, status, time.perf_counter() - began)

    return noted


def to_log(route: str, status: int, seconds: float) -> None:
    """A line in the log."""
    told = {"route": route, "status": status, "ms": round(1000 * seconds, 1)}
    _log.info("%s %d, %.1f ms", route, status, 1000 * seconds, extra={FIELDS: told})
