"""A photo is named the same way everywhere: by its id, as photo:ID, or by its path."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from on_a_thread import run
from shell import Shell, message

from photosearch import Library, PhotoIdError, UsageError
from photosearch.api.app import create_app
from photosearch.api.tools import create_server
from photosearch.cli import main
from photosearch.commands.photos import Photo
from photosearch.photo import photo_named

pytestmark = pytest.mark.slow

HUGE = "99999999999999999999"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (12, 12),
        ("12", 12),
        ("photo:12", 12),
        ("Photo:12", 12),
        ("./12", os.path.abspath("12")),
        ("photo:/a/b.jpg", "/a/b.jpg"),
        ("/a/../b.jpg", "/b.jpg"),
        (Path("/a/b.jpg"), "/a/b.jpg"),
        ("~/b.jpg", os.path.expanduser("~/b.jpg")),
        ("12.jpg", os.path.abspath("12.jpg")),
        ("\u0661\u0662", os.path.abspath("\u0661\u0662")),
        (str((1 << 63) - 1), (1 << 63) - 1),
    ],
)
def test_what_names_a_photo(name: int | str | Path, expected: int | str) -> None:
    assert photo_named(name) == expected


@pytest.mark.parametrize("name", [HUGE, f"photo:{HUGE}", int(HUGE), f"-{HUGE}", 1 << 63])
def test_a_number_that_is_no_id(name: int | str) -> None:
    with pytest.raises(PhotoIdError, match="too large for one"):
        photo_named(name)


@pytest.mark.parametrize("name", ["", " ", "photo:", "photo: "])
def test_nothing_names_no_photo(name: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        photo_named(name)


@pytest.fixture
def names(indexed: Shell) -> list[str]:
    """All names of one photo."""
    hit = json.loads(indexed("search", "--json", "a cat", "-n", "1").stdout)["hits"][0]
    return [str(hit["photo_id"]), f"photo:{hit['photo_id']}", hit["path"]]


COMMANDS: dict[str, Callable[[str], list[str]]] = {
    "similar": lambda name: ["similar", "--json", name],
    "why": lambda name: ["why", "--json", name, "a cat"],
    "show": lambda name: ["show", "--json", name],
    "search": lambda name: ["search", "--json", "--image", name],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_all_names(indexed: Shell, names: list[str], command: str) -> None:
    answers = []
    for name in names:
        result = indexed(*COMMANDS[command](name))
        assert result.returncode == 0, result.stderr
        answer = json.loads(result.stdout)
        for part in ("query", "understood"):
            answer.pop(part, None)
        answers.append(answer)
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("name", [HUGE, f"photo:{HUGE}"])
def test_every_command_refuses_what_is_no_id(indexed: Shell, name: str) -> None:
    for command in COMMANDS.values():
        assert "too large for one" in message(indexed(*command(name)), 2)
    if name.startswith("photo:"):
        text = message(indexed("search", f"a cat {name}"), 2)
        assert "too large for one" in text
        assert "^" in text


def test_the_library_takes_all_names(library: Library, photos: Path) -> None:
    list(library.index([photos], workers=1))
    path = photos / "coins.png"
    known = library.photos.about(path)
    for name in (known.file.id, str(known.file.id), f"photo:{known.file.id}", str(path)):
        assert library.photos.about(name) == known
        hits = library.photos.similar(name)
        assert len(hits) == 5
        assert known.file.id not in [hit.photo_id for hit in hits]
        assert library.photos.why(name, "a cat").path == str(path)
    for ask in (
        library.photos.about,
        library.photos.similar,
        lambda name: library.photos.why(name, "a cat"),
    ):
        with pytest.raises(PhotoIdError):
            ask(int(HUGE))
        with pytest.raises(UsageError):
            ask(4711)


def test_every_door_has_one_type_for_a_photo() -> None:
    context = click.Context(main)
    commands = {name: main.get_command(context, name) for name in main.list_commands(context)}
    taken = {
        name: parameter.type
        for name, command in commands.items()
        if command is not None
        for parameter in command.params
        if parameter.name in ("photo", "images")
    }
    assert taken.keys() == COMMANDS.keys()
    assert all(isinstance(each, Photo) for each in taken.values())

    described = "an id, photo:ID, or an absolute path"
    desk: Any = None
    for path, methods in create_app(desk).openapi()["paths"].items():
        if "{photo}" in path:
            (photo,) = (it for it in methods["get"]["parameters"] if it["name"] == "photo")
            assert photo["description"] == described, path
    shrinkers: Any = None
    tools = run(create_server(desk, shrinkers).list_tools())
    photos = [tool.input_schema["properties"].get("photo_id") for tool in tools]
    assert [it["description"] for it in photos if it is not None] == [described] * 2
