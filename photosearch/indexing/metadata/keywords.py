"""Keywords, and those that stand in others: Rome in Europe in Places."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from xml.parsers import expat

from photosearch.indexing.metadata import values

# Between the levels of a path, as Lightroom writes it. Others have a slash, which is in words too.
LEVELS = "|"


def keywords(flat: Iterable[str], paths: Iterable[list[str]] = ()) -> tuple[str, ...] | None:
    """All keywords, each once: those that stand alone, then each level of a path, and the path.

    One that stands alone may be a path, too.
    """
    alone: list[str] = []
    found: list[list[str]] = []
    for word in flat:
        levels = levels_of(word)
        if len(levels) > 1:
            found.append(levels)
        else:
            alone += levels
    found += paths
    for levels in found:
        alone += levels
    return values.words([*alone, *(LEVELS.join(levels) for levels in found if len(levels) > 1)])


def levels_of(path: str, mark: str = LEVELS) -> list[str]:
    return [level.strip() for level in path.split(mark) if level.strip()]


def categories(text: str) -> list[list[str]]:
    """The paths that ACDSee has ticked in its tree, which is XML in a text.

    What is damaged, or declares a document type, is left out.
    """
    reader = _Tree()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    with suppress(expat.ExpatError, _RefusedError, ValueError):
        parser.Parse(text.strip(), True)
    return reader.found


class _RefusedError(Exception):
    pass


# No tree of keywords is as deep.
_DEPTH = 32


class _Tree:
    def __init__(self) -> None:
        self.found: list[list[str]] = []
        self._names: list[str] = []
        self._ticked: list[bool] = []

    def refuse(self, *_: Any) -> None:
        raise _RefusedError

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._told()
        if len(self._names) >= _DEPTH:
            raise _RefusedError
        self._names.append("")
        self._ticked.append(name == "Category" and attributes.get("Assigned") == "1")

    def text(self, part: str) -> None:
        if self._names:
            self._names[-1] += part

    def end(self, name: str) -> None:
        self._told()
        self._names.pop()
        self._ticked.pop()

    def _told(self) -> None:
        """The innermost name is complete: others, or its end, follow."""
        if self._ticked and self._ticked[-1]:
            self._ticked[-1] = False
            self.found.append([name.strip() for name in self._names if name.strip()])
