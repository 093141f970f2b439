"""Gradio's own files, which browsers are told to keep: a changed one has another name."""

from __future__ import annotations

from photosearch.serving.page_guard import App, Message, Receive, Scope, Send

BELOW = "/assets/"
_KEPT = b"private, max-age=31536000, immutable"


class KeptFiles:
    """Middleware. Gradio says nothing of how long its files stay the same, so that browsers ask
    for some hundred of them again and again.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                headers = [each for each in message["headers"] if each[0] != b"cache-control"]
                message["headers"] = [*headers, (b"cache-control", _KEPT)]
            await send(message)

        ours = scope["type"] == "http" and scope["path"].startswith(BELOW)
        await self._app(scope, receive, kept if ours else send)
