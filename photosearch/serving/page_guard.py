"""Who may ask the server for what. Every request passes here before anything else sees it.

- The name by which the server is called must be ours: a page elsewhere whose name was made to point
  here (DNS rebinding) calls it by its own.
- Other sites' pages may link to the first page and get nothing else.
- Of Gradio's own routes only those that draw the page are reachable.
- A session is needed, which begins with the password where other machines can connect, and with the
  secret of the link that is opened where other users of this machine can.
- The browser is told to load nothing from anywhere else.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from html import escape
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from photosearch.serving.hosts import OwnHosts, is_loopback
from photosearch.serving.own_secret import OwnerKey
from photosearch.serving.uploads import SEND, TooMuchError, Uploads, limited

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SESSION_SECONDS = 12 * 3600.0
COOKIE, DEVICE = "photosearch", "photosearch-device"
_DEVICE_SECONDS = 365 * 24 * 3600
# The most callers and devices that are remembered.
_REMEMBERED = 4096
# A query picture; everything else that is sent here is far smaller.
LARGEST_UPLOAD = 64 << 20
LARGEST_BODY = 1 << 20
UPLOAD_PATH = "/api/by-picture"

# Gradio draws the page with these. Its routes for files, uploads, proxies and events are not among
# them: the page's own scripts use /api, and the page has no events that run on the server.
_GRADIO = ("/theme.css", "/favicon.ico")
_GRADIO_BELOW = ("/assets/", "/static/")
_MANIFEST = "/manifest.webmanifest"
_OURS_BELOW = ("/api/", "/ui/", "/icons/")
# A browser asks for the manifest and its icons without a cookie; they say nothing of the library.
# And another start of the window has a secret of its own.
_OPEN = ("/login", "/favicon.ico", _MANIFEST, "/api/show")
_OPEN_BELOW = ("/icons/",)

# Gradio's page has scripts and styles in it.
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    # With "no-referrer" a form's Origin would be "null", which is refused.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Sessions:
    """Browsers that gave the password, each by a random name; one that is idle is forgotten.

    After a wrong password the next try from there is refused for a while, twice as long each time.
    Who `caller` names is kept out, and nobody else.
    """

    lasting = False
    cookie = COOKIE

    def __init__(self, password: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._password = password.encode()
        self._clock = clock
        self._until: dict[str, float] = {}
        # How often each caller got it wrong, and until when it is refused; the latest last.
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._devices: OrderedDict[str, None] = OrderedDict()

    def caller(self, address: str, device: str | None) -> str:
        """Who asks: a device that gave the password once, or else an address."""
        if device in self._devices:
            return f"device {device}"
        try:
            number = ip_address(address)
        except ValueError:
            return address
        if isinstance(number, IPv4Address):
            return str(number)
        if number.ipv4_mapped is not None:
            return str(number.ipv4_mapped)
        # Whoever has one IPv6 address has as many neighbouring ones as they like.
        return str(IPv6Network((number, 64), strict=False))

    def wait(self, caller: str) -> float:
        """Seconds until it may try another password."""
        return max(0.0, self._wrong.get(caller, (0, 0.0))[1] - self._clock())

    def begin(self, password: str, caller: str) -> str | None:
        """The name of a new session, None for a wrong password or one that comes too soon."""
        if self.wait(caller):
            return None
        if not hmac.compare_digest(password.encode("utf-8", "surrogatepass"), self._password):
            wrong = self._wrong.pop(caller, (0, 0.0))[0] + 1
            until = self._clock() + min(0.5 * 2.0 ** min(wrong, 20), 300.0)
            self._wrong[caller] = wrong, until
            while len(self._wrong) > _REMEMBERED:
                self._wrong.popitem(last=False)
            return None
        self._wrong.pop(caller, None)
        now = self._clock()
        self._until = {name: until for name, until in self._until.items() if until > now}
        name = secrets.token_urlsafe(32)
        self._until[name] = now + SESSION_SECONDS
        return name

    def new_device(self) -> str:
        """A random name for a device that gave the password."""
        name = secrets.token_urlsafe(32)
        self._devices[name] = None
        while len(self._devices) > _REMEMBERED:
            self._devices.popitem(last=False)
        return name

    def known(self, name: str | None) -> bool:
        """Whether there is such a session; using it keeps it alive."""
        if name is None or self._until.get(name, 0.0) <= self._clock():
            self._until.pop(name or "", None)
            return False
        self._until[name] = self._clock() + SESSION_SECONDS
        return True

    def cookies(self, session: str) -> tuple[str, ...]:
        """The headers that make a browser remember its session, and that it knew the password."""
        kept = "Path=/; HttpOnly; SameSite=Strict; Max-Age="
        return (
            f"{DEVICE}={self.new_device()}; {kept}{_DEVICE_SECONDS}",
            f"{COOKIE}={session}; {kept}{int(SESSION_SECONDS)}",
        )


class Guard:
    """Middleware that lets through what is allowed. `names` are host names of this machine.

    Without `sessions` whoever can connect is let in.
    """

    def __init__(
        self,
        app: App,
        *,
        host: str,
        names: Iterable[str] = (),
        sessions: Sessions | OwnerKey | None = None,
    ) -> None:
        self._app = app
        self._hosts = OwnHosts(names, local=is_loopback(host))
        self._sessions = sessions
        self._uploads = Uploads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # Nothing here uses web sockets.
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = _headers(scope)
        path, method = scope["path"], scope["method"]
        send = _hardened(send)
        refusal = self._refusal(path, method, headers)
        if refusal is not None:
            await _answer(send, *refusal)
            return
        if self._sessions is not None:
            known = self._sessions.known(_cookie(headers, self._sessions.cookie))
            if path == "/" and method == "GET" and not (known and _token(scope) is None):
                await self._welcome(scope, headers, send, known=known)
                return
            if not known and path not in _OPEN and not path.startswith(_OPEN_BELOW):
                await _answer(send, 401, "Open the first page and give the password.")
                return
        limit = LARGEST_UPLOAD if path == UPLOAD_PATH else LARGEST_BODY
        length = int(headers.get("content-length") or 0)
        if length > limit:
            await _answer(send, 413, f"That is larger than {limit >> 20} MiB.")
            return
        if path != UPLOAD_PATH:
            await self._app(scope, limited(receive, limit), send)
            return
        try:
            async with self._uploads.taken(length or limit):
                await self._app(scope, limited(receive, limit, SEND), send)
        except TooMuchError as error:
            await _answer_busy(send, error)

    def _refusal(self, path: str, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if host not in self._hosts:
            return 421, "This server is not called that."
        if not _is_served(path):
            return 404, "There is no such page."
        if method not in ("GET", "HEAD", "POST"):
            return 405, "This method is not used here."
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            return 400, "The length is not a number."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, "Another site may not ask for this."
        site = headers.get("sec-fetch-site", "none")
        if site not in ("same-origin", "none"):
            # A link to the first page, clicked somewhere else, does no harm.
            linked = path == "/" and method == "GET"
            if not (linked and headers.get("sec-fetch-mode") == "navigate"):
                return 403, "Another site may not ask for this."
        return None

    async def _welcome(
        self, scope: Scope, headers: dict[str, str], send: Send, *, known: bool
    ) -> None:
        """Begin a session for a link with the password in it, or ask for the password."""
        assert self._sessions is not None
        # The password must not stay in the address bar and the history.
        query = without_token(scope.get("query_string", b""))
        if known:
            await redirect(send, f"/{query}")
            return
        token = _token(scope)
        address = (scope.get("client") or ("", 0))[0]
        caller = self._sessions.caller(address, device_of(headers))
        name = self._sessions.begin(token, caller) if token else None
        if name is None:
            await redirect(send, f"/login{query}")
        elif headers.get("sec-fetch-site") == "cross-site":
            # From the file that was opened: a redirect would count as its, and come without cookie.
            await _lead(send, f"/{query}", cookies=self._sessions.cookies(name))
        else:
            await redirect(send, f"/{query}", cookies=self._sessions.cookies(name))


def _token(scope: Scope) -> str | None:
    """The password in the address, which may be empty."""
    asked = scope.get("query_string", b"").decode("latin-1")
    given = parse_qs(asked, keep_blank_values=True).get("token")
    return given[0] if given else None


def without_token(query: bytes) -> str:
    """The query of an address from its "?" on, written anew without the password; "" for none."""
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    kept = urlencode([(name, value) for name, value in given if name != "token"])
    return f"?{kept}" if kept else ""


def device_of(headers: dict[str, str]) -> str | None:
    """The device that a request comes from, by its cookie."""
    return _cookie(headers, DEVICE)


def _cookie(headers: dict[str, str], name: str) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return morsel.value if morsel else None


async def _lead(send: Send, to: str, *, cookies: Iterable[str]) -> None:
    """As `redirect`, by a page of ours."""
    body = f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(to)}">'.encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    headers += [(b"set-cookie", cookie.encode()) for cookie in cookies]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def redirect(send: Send, to: str, *, cookies: Iterable[str] = ()) -> None:
    headers = [(b"location", to.encode()), (b"content-length", b"0")]
    headers += [(b"set-cookie", cookie.encode()) for cookie in cookies]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _is_served(path: str) -> bool:
    if ".." in path or "\\" in path or "\0" in path or "//" in path:
        return False
    return (
        path in ("/", "/login", _MANIFEST, *_GRADIO)
        or path.startswith(_GRADIO_BELOW)
        or path.startswith(_OURS_BELOW)
    )


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def _answer(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _answer_busy(send: Send, error: TooMuchError) -> None:
    """As JSON: by this status alone the page would take the server to be away."""
    body = json.dumps({"error": str(error)}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", b"60"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _hardened(send: Send) -> Send:
    """Adds our headers to every answer, in place of the application's own of these names."""
    ours = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]

    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            theirs = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.decode("latin-1").lower() not in _HEADERS
                and not name.lower().startswith(b"access-control-")
            ]
            message["headers"] = [*theirs, *ours]
        await send(message)

    return hardened
