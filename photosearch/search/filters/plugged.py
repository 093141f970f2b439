"""Filters that other packages bring: whether they can be taken in, and what they may do."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Any

from msgspec.structs import replace

from index.catalogue.conditions import Chosen, Condition, Either, Every, Not, Simple
from index.catalogue.records import Metadata, PhotoFile
from photosearch.errors import UsageError
from photosearch.plugins.announced import Announced
from photosearch.plugins.loading import PluginError, reason
from photosearch.search.filters.filter import Argument, Filter, Help, Read, Row
from photosearch.search.filters.world import World

# What the box, the command line, HTTP and Python call other things.
RESERVED = frozenset(
    {
        *(
            "accept_language",
            "all",
            "collapse",
            "conditions",
            "cursor",
            "everything",
            "given",
            "group",
        ),
        *("help", "image", "images", "json", "limit", "literal", "locale", "null", "of_box"),
        *("offset", "photo", "q", "saved", "sort", "text"),
    }
)


def checked(plugin: Announced, found: object, names: Set[str], arguments: Set[str]) -> Filter:
    """The filter, which blames its package for what it does wrong.

    `names` and `arguments` are those that are taken. Raises `PluginError`.
    """
    if not isinstance(found, Filter):
        raise PluginError(f"{plugin.value} is no Filter")
    mine = (found.name, *found.aliases)
    if not all(re.fullmatch(r"[a-z]{2,}", name) for name in mine):
        raise PluginError("its names may have small letters only, two or more")
    _check_parts(found)
    asked = [one.name for one in found.arguments]
    if not all(name.isidentifier() for name in asked):
        raise PluginError("its arguments have to be called as in Python")
    for what, words, taken in (("name", mine, names), ("argument", asked, arguments)):
        for word in words:
            if word in taken | RESERVED or words.count(word) > 1:
                raise PluginError(f"the {what} {word} is taken")
    return replace(found, read=_Blamed(plugin, found))


def _check_parts(one: Filter) -> None:
    if not callable(one.read):
        raise PluginError("`read` has to be a function")
    if not isinstance(one.help, Help) or not all(isinstance(text, str) for text in one.help):
        raise PluginError("`help` has to be a Help")
    kinds = {"examples": str, "choices": str, "guide": Row, "arguments": Argument}
    for name, kind in kinds.items():
        parts: Any = getattr(one, name)
        if not isinstance(parts, tuple) or not all(isinstance(part, kind) for part in parts):
            raise PluginError(f"`{name}` has to be a tuple of {kind.__name__}")
    if not isinstance(one.metavar, str) or not one.examples:
        raise PluginError("it needs a metavar and an example")
    meant = {argument.means for argument in one.arguments}
    if "" not in meant and not (one.choices and meant.issuperset(one.choices)):
        raise PluginError("it needs an argument for its values")


class _Blamed:
    """Reads a filter's values, and says whose fault it is when that goes wrong."""

    def __init__(self, plugin: Announced, one: Filter) -> None:
        self._read, self._name = one.read, one.name
        self._package = f"{plugin.package} {plugin.version}".strip()

    def __call__(self, value: str, world: World) -> Read:
        try:
            found = self._read(value, world)
            if not isinstance(found, Read):
                found = Read(found, f"{self._name} {value}")
            return Read(self._allowed(found.condition), str(found.said), bool(found.seasonal))
        except ValueError:
            raise  # the value makes no sense
        except Exception as error:
            raise ValueError(self._blame(error)) from error

    def _allowed(self, condition: object) -> Condition:
        """The condition, if it is one of the index's; SQL of others would know its tables."""
        match condition:
            case Not(inner):
                return Not(self._allowed(inner))
            case Either(several):
                return Either(tuple(map(self._allowed, several)))
            case Every(several):
                return Every(tuple(map(self._allowed, several)))
            case Chosen(name, holds):
                return Chosen(f"{self._package}: {name}", self._watched(holds))
            case Simple() if type(condition).__module__.startswith("index."):
                return condition
        raise TypeError("it made no condition of index.catalogue.conditions")

    def _watched(self, holds: Any) -> Any:
        def asked(file: PhotoFile, metadata: Metadata) -> bool:
            try:
                return bool(holds(file, metadata))
            except Exception as error:
                raise UsageError(f"{self._name}: {self._blame(error)}") from error

        return asked

    def _blame(self, error: Exception) -> str:
        return f"{self._package}, which brings this filter, failed ({reason(error)})"
