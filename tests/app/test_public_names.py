"""What other programs get of us, and need: exported, documented, and as the documents say."""

from __future__ import annotations

import ast
import builtins
import doctest
import importlib
import inspect
import re
import shutil
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import pytest

import photosearch
from photosearch import Library

OURS = ("photosearch", "index")
# Handed on as they are; what they are made of is not for callers.
OPAQUE = {"Condition", "Encoder"}
GUIDE = Path(__file__).parents[2] / "docs" / "api.md"
PYTHON = GUIDE.read_text(encoding="utf-8").split("\n## Python\n")[1].split("\n## ")[0]


def parts() -> dict[str, type]:
    """The library, and its parts, by the heading below which each is documented."""
    found: dict[str, type] = {"Library": Library}
    for name, function in public(Library).items():
        if isinstance(inspect.getattr_static(Library, name), cached_property):
            text = function.__annotations__["return"]
            found[f"library.{name}"] = named(function.__module__, text)
    return found


def named(module: str, name: str) -> Any:
    """What `name` means in a module, also when it is imported for type checkers only."""
    space = vars(importlib.import_module(module))
    if name in space:
        return space[name]
    found = imported(module).get(name)
    return getattr(importlib.import_module(found[0]), found[1]) if found else vars(builtins)[name]


def imported(module: str) -> dict[str, tuple[str, str]]:
    """The names that a module takes from others, with the module and the name there."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def home(module: str, name: str) -> str:
    """The module that defines what is called `name` in another; "" where it is none of ours."""
    if not module.startswith(OURS):
        return ""
    importlib.import_module(module)
    if name in imported(module):
        return home(*imported(module)[name])
    return module if name in vars(sys.modules[module]) else ""


def public(cls: type) -> dict[str, Any]:
    """The functions, properties and parts of a class that are for all, by name."""
    members = {}
    ours = (base for base in reversed(cls.__mro__) if base.__module__.startswith(OURS))
    for name, member in (each for base in ours for each in vars(base).items()):
        function = member
        if isinstance(member, property):
            function = member.fget
        elif isinstance(member, classmethod):
            function = member.__func__
        elif isinstance(member, cached_property):
            function = member.func
        if not name.startswith("_") and inspect.isfunction(function):
            members[name] = function
    return members


def of_members(cls: type) -> Iterator[tuple[str, str]]:
    """The annotations of its public members, each with the module in which it stands."""
    for function in public(cls).values():
        for text in function.__annotations__.values():
            yield function.__module__, text


def of_values(cls: type) -> Iterator[tuple[str, str]]:
    """Those of the fields and properties of what a caller gets."""
    for base in cls.__mro__:
        if not base.__module__.startswith(OURS):
            continue
        for name, text in vars(base).get("__annotations__", {}).items():
            if not name.startswith("_"):
                yield base.__module__, text
        for name, function in public(base).items():
            if isinstance(inspect.getattr_static(base, name), property):
                yield function.__module__, function.__annotations__["return"]


def reachable() -> dict[str, Any]:
    """The types, and aliases of types, of ours that one meets from the library on, by name."""
    found: dict[str, Any] = {}
    waiting = [(*each, True) for part in parts().values() for each in of_members(part)]
    while waiting:
        module, text, given = waiting.pop()
        for node in ast.walk(ast.parse(text)):
            defined = isinstance(node, ast.Name) and home(module, node.id)
            if not defined or not isinstance(node, ast.Name) or node.id in found:
                continue
            meant = named(defined, node.id)
            # A caller that gets one of a few strings has no need of a name for them.
            if isinstance(meant, ModuleType) or (get_origin(meant) is Literal and not given):
                continue
            found[node.id] = meant
            if node.id in OPAQUE:
                continue
            if isinstance(meant, type):
                waiting += [(*each, False) for each in of_values(meant)]
            elif isinstance(meant, str):
                waiting.append((defined, meant, given))
            else:
                waiting += [
                    (each.__module__, each.__name__, given)
                    for each in get_args(meant)
                    if isinstance(each, type)
                ]
    return found


def test_public_names_are_sorted_and_exist() -> None:
    assert photosearch.__all__ == sorted(set(photosearch.__all__))
    for name in photosearch.__all__:
        assert getattr(photosearch, name) is not None
    assert set(photosearch._MODULES) < set(photosearch.__all__)


@pytest.mark.slow
def test_all_that_the_library_takes_and_gives_is_exported() -> None:
    found = reachable()
    assert {"Hit", "HitGroup", "Failed", "PhotoFile", "Place", "Sort", "Picture"} < set(found)
    left_out = {
        name: meant
        for name, meant in found.items()
        if name not in photosearch.__all__ or getattr(photosearch, name) is not meant
    }
    assert not left_out


def documented() -> dict[str, dict[str, list[str] | None]]:
    """What docs/api.md has below each heading: the members with their parameters, if any."""
    sections: dict[str, dict[str, list[str] | None]] = {}
    for heading, text in re.findall(r"^### `(\S+)`\n(.*?)(?=^###|\Z)", PYTHON, re.M | re.S):
        rows = re.findall(r"^\| `(?:Library\.)?(\w+)(?:\((.*?)\))?` \|", text, re.MULTILINE)
        calls = re.findall(r"^\| `(?:Library\.)?(\w+)\(", text, re.MULTILINE)
        sections[heading] = {
            name: re.findall(r"(\w+)(?:=[^,]+)?(?:,|$)", arguments) if name in calls else None
            for name, arguments in rows
        }
    return sections


def test_every_public_member_is_documented_with_its_parameters() -> None:
    expected: dict[str, dict[str, list[str] | None]] = {}
    for heading, part in parts().items():
        members = expected[heading] = {}
        for name, function in public(part).items():
            names = list(inspect.signature(function).parameters)[1:]  # without self, or cls
            is_value = isinstance(inspect.getattr_static(part, name), property | cached_property)
            members[name] = None if is_value else names
    assert documented() == expected
    for part in parts().values():
        assert all(function.__doc__ for function in public(part).values())


def test_every_public_name_is_documented() -> None:
    named = set(re.findall(r"`(?:library\.)?(\w+)", PYTHON)) | set(re.findall(r"\w+Error", PYTHON))
    assert set(photosearch.__all__) <= named


@pytest.mark.slow
def test_the_examples_do_what_they_say(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On six pictures, with the model that comes along."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PHOTOSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.delenv("PHOTOSEARCH_MODEL", raising=False)
    shutil.copytree(pictures, tmp_path / "Pictures")
    blocks = re.findall(r"^```pycon\n(.*?)^```", PYTHON, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 1
    assert "```python" not in PYTHON, "an example that nobody runs"
    test = doctest.DocTestParser().get_doctest("".join(blocks), {}, GUIDE.name, str(GUIDE), 0)
    said: list[str] = []
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, tried = doctest.DocTestRunner(optionflags=options).run(test, out=said.append)
    assert tried > 10
    assert not failed, "".join(said)
