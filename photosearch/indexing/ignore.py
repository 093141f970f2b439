"""`.photosearchignore`: files that say which photos to leave out, in the syntax of `.gitignore`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Self

from photosearch.indexing.globs import Glob, glob
from photosearch.regular_file import NotRegularError, open_regular

NAME = ".photosearchignore"
_MOST_BYTES = 1 << 20


class IgnoreRules:
    """What holds in one folder: its own ignore file and those of all folders above it.

    As in git, the nearest file with a word on a path decides, in it the last line that fits, and
    nothing below a folder that is left out is looked at.
    """

    def __init__(self, files: tuple[tuple[str, list[Glob]], ...] = ()) -> None:
        self._files = files  # the nearest first

    @classmethod
    def above(cls, path: str) -> tuple[Self, str | None]:
        """The rules for `path` by the files above it, and the file that leaves `path` out, if any.

        They count also where only a folder far below them is indexed: what is left out must not
        depend on where a run starts.

        Raises `OSError`, whose `filename` is the ignore file, when one cannot be read.
        """
        way = [path]
        while (parent := os.path.dirname(way[-1])) != way[-1]:
            way.append(parent)
        rules = cls()
        for folder, child in zip(way[:0:-1], way[-2::-1], strict=True):
            rules, _ = rules.inside(folder)
            if ignoring := rules.decides(child, is_folder=child != path or os.path.isdir(path)):
                return rules, ignoring
        return rules, None

    def inside(self, folder: str) -> tuple[Self, list[str]]:
        """The rules in `folder`, for which these are the rules outside; and faults of its file.

        Raises `OSError`, whose `filename` is the ignore file, when there is one that cannot be
        read.
        """
        text = _read(os.path.join(folder, NAME))
        if text is None:
            return self, []
        lines, faults = _parse(text)
        return type(self)(((folder, lines), *self._files)), faults

    def decides(self, path: str, *, is_folder: bool) -> str | None:
        """The ignore file that leaves `path` out, or None. Folders above `path` are not asked."""
        for file, line in self._fitting(path, is_folder):
            return file if line.left_out else None
        return None

    def takes_back(self, path: str) -> bool:
        """Whether the folder at `path`, which is left out by its name, is taken back in.

        By a line that begins its name: that a line of stars fits it too is no word on it.
        """
        for _, line in self._fitting(path, True):
            return not line.left_out and line.last[:1] not in ("*", "?", "[", "")
        return False

    def _fitting(self, path: str, is_folder: bool) -> Iterator[tuple[str, Glob]]:
        """The lines that fit `path` with their files, first the one that decides."""
        for folder, lines in self._files:
            name = path[len(folder.rstrip(os.sep)) + 1 :].replace(os.sep, "/")
            for line in reversed(lines):
                if line.fits(name, is_folder=is_folder):
                    yield os.path.join(folder, NAME), line


def _read(path: str) -> str | None:
    """The text of an ignore file; None where there is none. Raises `OSError`."""
    try:
        with open_regular(path) as file:
            content = file.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError, NotRegularError):
        return None
    if len(content) > _MOST_BYTES:
        raise OSError(0, "is larger than 1 MB", path)
    # Names that are not UTF-8 are in it as the bytes they are.
    return content.decode("utf-8-sig", "surrogateescape")


def _parse(text: str) -> tuple[list[Glob], list[str]]:
    """The lines of an ignore file; what is wrong with those that are no patterns."""
    lines: list[Glob] = []
    faults: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            found = glob(line.rstrip("\r"))
        except ValueError:
            faults.append(f"line {number} is not a pattern that can be used: {line.strip()}")
        else:
            lines += [found] if found is not None else []
    return lines, faults
