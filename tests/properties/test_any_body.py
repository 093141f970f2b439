"""Any body and any parameter: what the page and the API are sent is taken, or refused as such."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from hypothesis import example, given
from hypothesis import strategies as st
from known_library import make_library

from photosearch.api.app import create_app
from photosearch.serving.library_thread import LibraryThread
from photosearch.ui.context import Context
from photosearch.ui.errors import HANDLERS
from photosearch.ui.routes import ROUTERS

# What would start processes, or end them.
_LEFT_OUT = {"/api/index", "/api/watch", "/api/reading", "/api/download", "/api/models/use"}
_LEFT_OUT |= {"/api/by-picture", "/api/quit", "/api/doctor", "/api/share", "/api/zip"}
ROUTES = sorted(
    {
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.path not in _LEFT_OUT
        for method in route.methods
    }
)
NUMBERS = st.integers(-2, 5) | st.sampled_from((1 << 31, 1 << 63, 1 << 64, -1))
TEXTS = st.text(max_size=8) | st.sampled_from(
    ("a cat", "\0", "\ud800", "in:Rome", "../..", "1e999")
)
KEYS = st.sampled_from(
    ("ids", "id", "photos", "name", "text", "query", "q", "album", "stars", "add", "remove", "path",
     "sort", "limit", "offset", "order", "to", "marks", "secret", "model", "start", "end")
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXTS, inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, colours: Path) -> Path:
    folder = tmp_path_factory.mktemp("bodies") / "library"
    make_library(folder, colours, 12)
    return folder


@pytest.fixture(scope="module")
def page(library: Path, colours: Path) -> Iterator[TestClient]:
    app = FastAPI(exception_handlers=HANDLERS)
    with closing(Context.open(library, colours)) as context:
        app.state.context, app.state.sessions = context, None
        for router in ROUTERS:
            app.include_router(router)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client


@pytest.fixture(scope="module")
def api(library: Path, colours: Path) -> Iterator[TestClient]:
    app = create_app(LibraryThread(library, colours))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.slow
@given(st.sampled_from(ROUTES), NUMBERS, VALUES, st.dictionaries(KEYS, TEXTS | NUMBERS, max_size=3))
@example(("POST", "/api/rating"), 1, {"ids": [1 << 64], "stars": 3}, {})
@example(("POST", "/api/forget"), 1, {"\ud800": None}, {})
def test_what_the_page_is_sent(
    page: TestClient,
    route: tuple[str, str],
    number: int,
    body: object,
    parameters: dict[str, str | int],
) -> None:
    method, path = route
    for part in ("photo_id", "album", "name", "number", "key", "seconds"):
        path = path.replace(f"{{{part}}}", str(number))
    sent = {} if method == "GET" else {"content": json.dumps(body).encode()}
    said = {key: str(one).encode("utf-8", "replace").decode() for key, one in parameters.items()}
    headers = {"Content-Type": "application/json"}
    answer = page.request(method, path, params=said, headers=headers, **sent)
    assert answer.status_code < 500, (method, path, body, said, answer.text)


@given(st.binary(max_size=30), st.sampled_from(("application/json", "text/plain", "a/b;c=", "")))
@example(b"\x80", "text/plain")
def test_bytes_that_are_no_json(page: TestClient, content: bytes, kind: str) -> None:
    answer = page.post("/api/rating", content=content, headers={"Content-Type": kind})
    assert 400 <= answer.status_code < 500


@pytest.mark.slow
@given(
    st.sampled_from(("/v1/search", "/v1/photos/1", "/v1/photos/{}", "/v1/similar/{}", "/v1/saved")),
    NUMBERS,
    st.dictionaries(KEYS | st.sampled_from(("rating", "near", "in", "date")), TEXTS | NUMBERS),
)
def test_what_the_api_is_asked(
    api: TestClient, path: str, number: int, parameters: dict[str, str | int]
) -> None:
    said = {key: str(one).encode("utf-8", "replace").decode() for key, one in parameters.items()}
    answer = api.get(path.format(number), params=said)
    assert answer.status_code < 500, (path, said, answer.text)
