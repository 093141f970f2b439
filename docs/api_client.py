"""Writes photosearch/client.py of the HTTP API's own description: python docs/api_client.py.

Each operation becomes a method, its parameters arguments. Filters of plugins are left out.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "photosearch" / "client.py"

_HEAD = '''\
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


{parameters}

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
'''

_TAIL = '''

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
    head = f"--{end}\\r\\n{told}\\r\\n\\r\\n"
    body = b"".join(head.encode() + file + b"\\r\\n" for file in files)
    return body + f"--{end}--\\r\\n".encode(), f"multipart/form-data; boundary={end}"
'''

# What a client says of itself by other means.
_HEADERS = ("accept-language", "if-none-match", "range", "if-range")
_FEW = 10
_TYPES = {"integer": "int", "boolean": "bool", "number": "float", "string": "str"}


def client() -> str:
    """The text of the module."""
    from photosearch.api.app import create_app
    from photosearch.api.pictures import Pictures

    # Only their routes are looked at, and nothing is asked of either.
    nothing: Any = object()
    described = create_app(nothing, Pictures(nothing, nothing)).openapi()
    operations = [
        (path, verb, operation)
        for path, each in sorted(described["paths"].items())
        for verb, operation in each.items()
    ]
    # Those of all searches, once; what else is asked has few parameters.
    asked = [{one["name"]: one for one in _query(each)} for _, _, each in operations]
    searches = [each for each in asked if len(each) > _FEW]
    names = set.intersection(*map(set, searches))
    shared = {name: each for name, each in searches[0].items() if name in names}
    head = _HEAD.replace("{parameters}", _shared(shared))
    return head + "".join(_method(*each, shared) for each in operations) + _TAIL


def _shared(parameters: dict[str, dict[str, Any]]) -> str:
    lines = [
        "class Parameters(TypedDict, total=False):",
        '    """What can be asked of every search."""',
        "",
    ]
    lines += [f"    {_typed(each)}" for each in parameters.values()]
    return "\n".join(lines) + "\n"


def _query(operation: dict[str, Any]) -> list[dict[str, Any]]:
    known = operation.get("parameters", ())
    return [each for each in known if each["in"] == "query" and each["name"] not in _HEADERS]


def _method(
    path: str, verb: str, operation: dict[str, Any], shared: dict[str, dict[str, Any]]
) -> str:
    # FastAPI puts the path behind the name of the function.
    name = operation["operationId"].removesuffix(re.sub(r"\W", "_", f"{path}_{verb}"))
    in_path = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"]
    in_query = _query(operation)
    several = {each["name"] for each in in_query} >= shared.keys()
    own = [each for each in in_query if not several or each["name"] not in shared]
    sent = list(operation.get("requestBody", {}).get("content", ()))
    answer = operation["responses"]["200"].get("content", {})
    is_json = "$ref" in answer.get("application/json", {}).get("schema", {})
    arguments = ["self", *(f"{each}: int | str" for each in in_path)]
    if sent:
        arguments.append("images: Sequence[bytes]" if "multipart" in sent[0] else "body: Any")
    arguments += ["*", *(f"{_typed(each)} = None" for each in own)] if own else []
    arguments += ["**parameters: Unpack[Parameters]"] if several else []
    lines = [
        f"\ndef {name.rstrip('_')}({', '.join(arguments)}) -> {'Any' if is_json else 'bytes'}:"
    ]
    said = textwrap.fill(operation.get("description", operation["summary"]), 90)
    lines.append(textwrap.indent(f'"""{said}"""', "    "))
    lines += [f"    {line}" for line in _body(path, verb, in_path, own, several, sent, is_json)]
    return textwrap.indent("\n".join(lines), "    ") + "\n"


def _typed(parameter: dict[str, Any]) -> str:
    """Left out it is not sent, and the server's own default counts."""
    schema = parameter["schema"]
    kinds = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    return f"{parameter['name']}: {_type(kinds[0])} | None"


def _type(schema: dict[str, Any]) -> str:
    if schema["type"] == "array":
        return f"Sequence[{_type(schema['items'])}]"
    return _TYPES[schema["type"]]


def _body(
    path: str,
    verb: str,
    in_path: list[str],
    own: list[dict[str, Any]],
    several: bool,
    sent: list[str],
    is_json: bool,
) -> Iterator[str]:
    address = path
    for name in in_path:
        address = address.replace(f"{{{name}}}", f"{{quote(str({name}), safe='')}}")
    given = [f'"{verb.upper()}"', f'{"f" if in_path else ""}"{address}"']
    if own or several:
        pairs = [f'"{each["name"]}": {each["name"]}' for each in own]
        pairs += ["**parameters"] if several else []
        given.append(f"{{{', '.join(pairs)}}}")
    if sent and "multipart" in sent[0]:
        yield 'form, kind = _form("images", images)'
        given += ["sent=form", "kind=kind"]
    elif sent:
        yield "sent = json.dumps(body).encode()"
        given += ["sent=sent", 'kind="application/json"']
    asked = f"self._ask({', '.join(given)})"
    yield f"return json.loads({asked})" if is_json else f"return {asked}"


def formatted(text: str) -> str:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(PAGE), "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    PAGE.write_text(formatted(client()), encoding="utf-8")
