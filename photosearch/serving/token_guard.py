"""Who may ask over HTTP: programs that know the token, and pages of no other site."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from photosearch.serving.hosts import OwnHosts
from photosearch.serving.uploads import SEND, TooMuchError, Uploads, limited

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# All pictures to search with, together.
LARGEST_BODY = 64 << 20


class Guard:
    """Middleware that lets through what is allowed.

    `names` are those of this machine. A request that calls it by another comes from a page whose
    name was made to point here, and would read the library (DNS rebinding). With `token` each
    request must carry it, as `Authorization: Bearer TOKEN`, but for those of the paths `public`.
    """

    def __init__(
        self,
        app: App,
        *,
        local: bool,
        names: Iterable[str] = (),
        token: str | None = None,
        public: Iterable[str] = (),
    ) -> None:
        self._app, self._token = app, token
        self._public = frozenset(public)
        self._hosts = OwnHosts(names, local=local)
        self._uploads = Uploads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value for name, value in scope.get("headers", ())}
        refusal = self._refusal(headers, public=scope.get("path") in self._public)
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif refusal is not None:
            await _refuse(send, *refusal)
        elif scope["method"] == "POST":
            try:
                async with self._uploads.taken(int(headers.get("content-length") or LARGEST_BODY)):
                    await self._app(scope, limited(receive, LARGEST_BODY, SEND), send)
            except TooMuchError as error:
                await _refuse(send, 503, str(error))
        else:
            await self._app(scope, limited(receive, LARGEST_BODY), send)

    def _refusal(self, headers: dict[str, bytes], *, public: bool) -> tuple[int, str] | None:
        if headers.get("host", b"").decode("latin-1") not in self._hosts:
            return 421, "this server is not called that"
        if "origin" in headers or headers.get("sec-fetch-site", b"none") not in (
            b"none",
            b"same-origin",
        ):
            return 403, "pages of other sites may not ask this server"
        if self._token is not None and not public:
            kind, _, token = headers.get("authorization", b"").partition(b" ")
            right = hmac.compare_digest(token.strip(), self._token.encode())
            if kind.lower() != b"bearer" or not right:
                return 401, "send the token, as in: Authorization: Bearer TOKEN"
        length = headers.get("content-length", b"0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            return 413, f"that is larger than {LARGEST_BODY >> 20} MiB"
        return None


async def _refuse(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"error": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
