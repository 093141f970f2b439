"""A client of the HTTP API, for other programs: `python docs/api_client.py` wrote it.

It needs nothing but Python, so that this one file may be copied to where photosearch is not.

    client = Client("http://127.0.0.1:7870", token)
    for hit in client.pages(client.search, q="dogs on a beach", before="2021"):
        print(hit["score"], hit["path"])
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypedDict, Unpack, cast
from urllib.parse import quote, urlencode


class RefusedError(Exception):
    """Why the server gave no answer: its `status`, and what it said, `answer`."""

    def __init__(self, status: int, answer: dict[str, Any]) -> None:
        super().__init__(f"{status}: {answer.get('error', 'no reason was given')}")
        self.status, self.answer = status, answer


class Parameters(TypedDict, total=False):
    """What can be asked of every search."""

    limit: int | None
    offset: int | None
    cursor: str | None
    collapse: bool | None
    on: str | None
    before: str | None
    after: str | None
    since: str | None
    until: str | None
    year: str | None
    month: str | None
    file_date: bool | None
    place: Sequence[str] | None
    near: str | None
    area: str | None
    folder: Sequence[str] | None
    type: Sequence[str] | None
    shape: Sequence[str] | None
    video: bool | None
    screenshot: bool | None
    favourite: bool | None
    size: Sequence[str] | None
    camera: Sequence[str] | None
    lens: Sequence[str] | None
    rating: str | None
    has_gps: bool | None
    has_date: bool | None
    has_text: bool | None
    person: Sequence[str] | None
    people: str | None
    album: Sequence[str] | None
    keyword: Sequence[str] | None
    words: Sequence[str] | None


class Client:
    """Asks the server at `url`. A server that has too much to do is asked again, up to `tries`.

    Every method raises `RefusedError`, and `OSError` where the server cannot be reached.
    """

    def __init__(
        self, url: str, token: str | None = None, *, tries: int = 5, timeout: float = 60.0
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url}: is no address of a server; give one such as http://HOST:7870")
        self._url, self._tries, self._timeout = url.rstrip("/"), tries, timeout
        self._token = token

    def pages(self, ask: Callable[..., Any], *given: Any, **parameters: Any) -> Iterator[Any]:
        """All hits of `search` or `similar`, page after page."""
        cursor = None
        while True:
            page = ask(*given, **parameters, cursor=cursor)
            yield from page["hits"]
            cursor = page["next"]
            if cursor is None:
                return

    def follow(self, since: str | None = None) -> Iterator[tuple[list[dict[str, Any]], str]]:
        """What has changed since then, up to now: some changes, and what is `since` after them.

        Keep that when you have taken these in; also after none, for a place grows old.
        """
        while True:
            page = self.changes(since=since, limit=1000)
            since = page["next"]
            yield page["changes"], page["next"]
            if not page["more"]:
                return

    def _ask(
        self,
        method: str,
        path: str,
        parameters: dict[str, Any] | None = None,
        *,
        sent: bytes | None = None,
        kind: str | None = None,
    ) -> bytes:
        """The bytes of an answer."""
        given = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in (parameters or {}).items()
            if value is not None
        }
        url = f"{self._url}{path}" + (f"?{urlencode(given, doseq=True)}" if given else "")
        headers = {} if kind is None else {"Content-Type": kind}
        # Of http and https alone, which was looked at above.
        request = urllib.request.Request(url, sent, headers, method=method)  # noqa: S310
        if self._token is not None:
            # Not to whom the server may send us on.
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        for left in range(self._tries - 1, -1, -1):
            try:
                with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                    return cast(bytes, answer.read())
            except urllib.error.HTTPError as error:
                with error:
                    told = error.read()
                if error.code != 429 or not left:
                    raise RefusedError(error.code, _said(told)) from None
                wait = error.headers.get("Retry-After", "")
                # A proxy may give a date instead.
                time.sleep(int(wait) if wait.isdecimal() else 1)
        raise ValueError("tries: is 0; give at least 1")

    def health(self) -> bytes:
        """That the server answers, also while it has too much to do for more searches."""
        return self._ask("GET", "/healthz")

    def metrics(self) -> bytes:
        """Numbers in the text format of Prometheus, where the server was started with --metrics."""
        return self._ask("GET", "/metrics")

    def changes(self, *, since: str | None = None, limit: int | None = None) -> Any:
        """Which photos came, changed or went, for programs that follow; first all of them."""
        return json.loads(self._ask("GET", "/v1/changes", {"since": since, "limit": limit}))

    def people(self) -> Any:
        """Who is in the photos, by name, those who are in most first."""
        return json.loads(self._ask("GET", "/v1/people"))

    def photo(self, photo: int | str) -> Any:
        """All that is known of a photo."""
        return json.loads(self._ask("GET", f"/v1/photos/{quote(str(photo), safe='')}"))

    def original(self, photo: int | str) -> bytes:
        """The file itself, or the bytes of it that the header Range asks for."""
        return self._ask("GET", f"/v1/photos/{quote(str(photo), safe='')}/original")

    def preview(self, photo: int | str) -> bytes:
        """A picture of at most 2048 pixels a side, as WebP."""
        return self._ask("GET", f"/v1/photos/{quote(str(photo), safe='')}/preview")

    def similar(self, photo: int | str, **parameters: Unpack[Parameters]) -> Any:
        """The photos that look most like one, without itself."""
        return json.loads(
            self._ask("GET", f"/v1/photos/{quote(str(photo), safe='')}/similar", {**parameters})
        )

    def thumbnail(self, photo: int | str) -> bytes:
        """A picture of at most 512 pixels a side, as WebP."""
        return self._ask("GET", f"/v1/photos/{quote(str(photo), safe='')}/thumbnail")

    def saved(self) -> Any:
        """The saved searches."""
        return json.loads(self._ask("GET", "/v1/saved"))

    def search(
        self,
        *,
        q: str | None = None,
        sort: str | None = None,
        group: str | None = None,
        everything: bool | None = None,
        saved: str | None = None,
        locale: str | None = None,
        **parameters: Unpack[Parameters],
    ) -> Any:
        """Photos that fit a text and filters, best first."""
        return json.loads(
            self._ask(
                "GET",
                "/v1/search",
                {
                    "q": q,
                    "sort": sort,
                    "group": group,
                    "everything": everything,
                    "saved": saved,
                    "locale": locale,
                    **parameters,
                },
            )
        )

    def search_by_pictures(
        self,
        images: Sequence[bytes],
        *,
        q: str | None = None,
        sort: str | None = None,
        group: str | None = None,
        everything: bool | None = None,
        saved: str | None = None,
        locale: str | None = None,
        **parameters: Unpack[Parameters],
    ) -> Any:
        """Photos that are like pictures sent along, and fit a text and filters."""
        form, kind = _form("images", images)
        return json.loads(
            self._ask(
                "POST",
                "/v1/search",
                {
                    "q": q,
                    "sort": sort,
                    "group": group,
                    "everything": everything,
                    "saved": saved,
                    "locale": locale,
                    **parameters,
                },
                sent=form,
                kind=kind,
            )
        )

    def several_searches(self, body: Any) -> Any:
        """Many searches in one request: an answer to each, in their order, or why there is none."""
        sent = json.dumps(body).encode()
        return json.loads(self._ask("POST", "/v1/searches", sent=sent, kind="application/json"))

    def status(self) -> Any:
        """What the library holds."""
        return json.loads(self._ask("GET", "/v1/status"))

    def understand(self, *, q: str | None = None, locale: str | None = None) -> Any:
        """What a text is taken for, without searching."""
        return json.loads(self._ask("GET", "/v1/understand", {"q": q, "locale": locale}))


def _said(answer: bytes) -> dict[str, Any]:
    try:
        said = json.loads(answer)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _form(name: str, files: Sequence[bytes]) -> tuple[bytes, str]:
    """Files as a form, and its type."""
    end = uuid.uuid4().hex
    told = f'Content-Disposition: form-data; name="{name}"; filename="{name}"'
    head = f"--{end}\r\n{told}\r\n\r\n"
    body = b"".join(head.encode() + file + b"\r\n" for file in files)
    return body + f"--{end}--\r\n".encode(), f"multipart/form-data; boundary={end}"
