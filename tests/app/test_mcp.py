"""The MCP server, used by the official client over stdin and stdout."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from on_a_thread import run
from PIL import Image

from photosearch import Library

pytestmark = pytest.mark.slow


@pytest.fixture
def call(
    tmp_path: Path, tiny_bundle: Path, photos: Path
) -> Callable[[Callable[[Client], Awaitable[None]]], None]:
    """Runs a conversation with the server of a library of six photos."""
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        for _ in library.index([photos], workers=1):
            pass
        library.saved.add("Cats", "a cat type:png", sort="oldest")
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "photosearch", "--library", str(tmp_path / "library"), "mcp"],
        env={"PHOTOSEARCH_MODEL": str(tiny_bundle), "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
    )

    def converse(talk: Callable[[Client], Awaitable[None]]) -> None:
        async def main() -> None:
            async with Client(parameters) as client:
                await talk(client)

        run(main())

    return converse


def said(result: Any) -> Any:
    assert not result.is_error, result.content
    return result.structured_content


def test_an_assistant_searches_and_looks(call: Any, photos: Path) -> None:
    async def talk(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools.keys() == {
            *("search", "similar", "photo", "people", "saved_searches", "status")
        }
        for tool in tools.values():
            assert tool.description
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint

        assert said(await client.call_tool("status", {}))["photos"] == 6
        assert said(await client.call_tool("people", {})) == {"version": 1, "people": []}
        found = said(await client.call_tool("search", {"query": "a cat type:png", "limit": 3}))
        assert [part["kind"] for part in found["understood"]] == ["like", "filter"]
        assert len(found["hits"]) == 3
        assert found["total"] == 5
        best = found["hits"][0]

        (saved,) = said(await client.call_tool("saved_searches", {}))["searches"]
        assert saved == {"name": "Cats", "text": "a cat type:png", "sort": "oldest"}
        again = said(await client.call_tool("search", {"saved": "cats"}))
        assert (again["query"], again["total"]) == ("a cat type:png", 5)
        fewer = said(await client.call_tool("search", {"saved": "cats", "query": '"chelsea"'}))
        assert fewer["query"] == 'a cat type:png "chelsea"'
        assert fewer["total"] == 1

        alike = said(await client.call_tool("similar", {"photo_id": best["photo_id"]}))
        assert len(alike["hits"]) == 5
        assert best["path"] not in [hit["path"] for hit in alike["hits"]]

        shown = await client.call_tool("photo", {"photo_id": best["photo_id"]})
        text, picture = shown.content
        assert json.loads(text.text)["path"] == best["path"]
        with Image.open(BytesIO(base64.b64decode(picture.data))) as image:
            width, height = image.size
        assert width / height == pytest.approx(best["width"] / best["height"], abs=0.02)
        for name in (best["photo_id"], f"photo:{best['photo_id']}", best["path"]):
            plain = await client.call_tool("photo", {"photo_id": name, "picture": False})
            assert len(plain.content) == 1
            assert json.loads(plain.content[0].text)["path"] == best["path"]
            assert said(await client.call_tool("similar", {"photo_id": name})) == alike

        for name, arguments, reason in (
            ("search", {"query": "befor:2020"}, "did you mean before:"),
            ("search", {"query": " "}, "empty"),
            ("search", {"query": str(photos / "nowhere.jpg")}, "not in the library"),
            ("search", {"saved": "Dogs"}, "no saved search of this name; known: Cats"),
            ("photo", {"photo_id": 999}, "no photo 999"),
            ("similar", {"photo_id": -1}, "no photo -1"),
            ("photo", {"photo_id": "photo:99999999999999999999"}, "too large for one"),
            ("photo", {"photo_id": "/etc/passwd"}, "no photo /etc/passwd"),
        ):
            refused = await client.call_tool(name, arguments)
            assert refused.is_error
            assert reason in refused.content[0].text

    call(talk)
