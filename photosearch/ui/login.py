"""The page that asks for the password, without scripts, and the session that begins with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from photosearch.serving import page_guard
from photosearch.serving.own_secret import OwnerKey
from photosearch.ui.scripts import accepted_language

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>photosearch</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; }}
body {{ display: grid; place-items: center; min-height: 90vh; }}
form {{ display: grid; gap: .75rem; width: min(20rem, 90vw); }}
input, button {{ font: inherit; padding: .6rem .8rem; }}
input, button {{ border: 1px solid #888; border-radius: .5rem; }}
button {{ background: #0f766e; color: #fff; border: 0; }}
</style>
</head>
<body>
<form method="post" action="/login{query}">
<h1>photosearch</h1>
<label for="password">{label}</label>
<input id="password" name="password" type="password" autocomplete="current-password" autofocus>
<button>{button}</button>
<p role="alert">{message}</p>
</form>
</body>
</html>
"""

router = APIRouter()


@router.get("/login")
async def ask(request: Request) -> Response:
    state = request.app.state
    query = _query(request)
    if state.sessions is None:
        return _to(f"/{query}")
    accepted = request.headers.get("accept-language", "")
    page = login_page(state.texts, accepted, query=query, by_link=state.sessions.lasting)
    return HTMLResponse(page)


@router.post("/login")
async def login(request: Request, password: str = Form("")) -> Response:
    state = request.app.state
    query = _query(request)
    if state.sessions is None:
        return _to(f"/{query}")
    sessions: page_guard.Sessions | OwnerKey = state.sessions
    address = request.client.host if request.client else ""
    caller = sessions.caller(address, page_guard.device_of(dict(request.headers)))
    name = sessions.begin(password, caller)
    if name is None:
        wait = max(1, math.ceil(sessions.wait(caller)))
        accepted = request.headers.get("accept-language", "")
        page = login_page(state.texts, accepted, query=query, wait=wait, by_link=sessions.lasting)
        return HTMLResponse(page, 429, {"retry-after": str(wait)})
    response = _to(f"/{query}")
    for cookie in sessions.cookies(name):
        response.headers.append("set-cookie", cookie)
    return response


def _query(request: Request) -> str:
    """What was asked for of the first page, from the "?" on, written anew for a header."""
    return page_guard.without_token(request.scope.get("query_string", b""))


def _to(path: str) -> Response:
    return Response(status_code=303, headers={"location": path})


def login_page(
    texts: Mapping[str, Mapping[str, str]],
    accepted: str,
    *,
    query: str = "",
    wait: int = 0,
    by_link: bool = False,
) -> str:
    """The page in the first language of the header `accepted` that `texts` has. `query`, from its
    "?" on, is where it leads afterwards.

    With `wait` a password was wrong, and in so many seconds another may be tried. `by_link` tells
    that the secret is in the link that photosearch opens.
    """
    language = accepted_language(texts, accepted)
    said = texts[language]
    message = said["login.wrong"].format(seconds=wait) if wait else ""
    if by_link:
        message = said["login.link"]
    return _PAGE.format(
        language=language,
        query=escape(query),
        label=escape(said["login.password"]),
        button=escape(said["login.open"]),
        message=escape(message),
    )
