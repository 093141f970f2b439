"""Gradio's page, with our own head in place of its."""

from __future__ import annotations

import re

from photosearch.serving.page_guard import App, Message, Receive, Scope, Send
from photosearch.ui.scripts import version

# In the page from the first byte, so that nothing is drawn unstyled and moved afterwards.
_HEAD = """<meta name="color-scheme" content="light dark">
<meta name="description" content="Find any photo on your own machine by describing it.">
<link rel="stylesheet" href="/ui/v/{version}/style.css">
<script src="/ui/v/{version}/early.js"></script>
<script type="module" src="/ui/v/{version}/app.js"></script>
"""
# With a window of our own there is nothing to install.
_INSTALLABLE = """<link rel="manifest" href="/manifest.webmanifest">
<link rel="apple-touch-icon" href="/icons/photosearch-maskable.png">
<meta name="theme-color" content="#fbfaf8" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#161513" media="(prefers-color-scheme: dark)">
"""
# What Gradio tells social networks of itself, with an address elsewhere, and its web app manifest.
_THEIRS = re.compile(
    r'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*|<link rel="manifest"[^>]*>\s*'
)


class Frame:
    """Middleware that rewrites the head of the page at "/"; an `installable` one says so there."""

    def __init__(self, app: App, *, installable: bool) -> None:
        self._app, self._installable = app, installable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def gather(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            page = body
            if start["status"] == 200 and body:
                page = reheaded(body.decode(), installable=self._installable).encode()
            kept = [
                (name, value)
                for name, value in start["headers"]
                if name.lower() not in (b"content-length", b"cache-control")
            ]
            length = (b"content-length", str(len(page)).encode())
            start["headers"] = [*kept, length, (b"cache-control", b"no-store")]
            await send(start)
            await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, gather)


def reheaded(page: str, *, installable: bool) -> str:
    """`page` with our styles and scripts in its head."""
    ours = _HEAD.format(version=version()) + _INSTALLABLE * installable
    return _THEIRS.sub("", page).replace("</head>", f"{ours}</head>", 1)
