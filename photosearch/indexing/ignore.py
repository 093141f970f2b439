"""`.photosearchignore`: files that say which photos to leave out, in the syntax of `.gitignore`."""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections.abc import Iterator
from typing import Self

NAME = ".photosearchignore"
_MOST_BYTES = 1 << 20

# Whether what fits is left out, what fits, and the last name in the line.
_Line = tuple[bool, re.Pattern[str], str]


class IgnoreRules:
    """What holds in one folder: its own ignore file and those of all folders above it.

    As in git, the nearest file with a word on a path decides, in it the last line that fits, and
    nothing below a folder that is left out is looked at.
    """

    def __init__(self, files: tuple[tuple[str, list[_Line]], ...] = ()) -> None:
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
        for file, left_out, _ in self._fitting(path, is_folder):
            return file if left_out else None
        return None

    def takes_back(self, path: str) -> bool:
        """Whether the folder at `path`, which is left out by its name, is taken back in.

        By a line that begins its name: that a line of stars fits it too is no word on it.
        """
        for _, left_out, last in self._fitting(path, True):
            return not left_out and last[:1] not in ("*", "?", "[", "")
        return False

    def _fitting(self, path: str, is_folder: bool) -> Iterator[tuple[str, bool, str]]:
        """The lines that fit `path`, first the one that decides: file, whether it leaves out,
        last name.
        """
        for folder, lines in self._files:
            name = path[len(folder.rstrip(os.sep)) + 1 :].replace(os.sep, "/")
            # A regular expression's dot does not stand for a line break, which no line of the file
            # can hold anyway; and no name holds a NUL.
            name = name.replace("\n", "\0")
            for left_out, pattern, last in reversed(lines):
                if _fits(pattern, name, is_folder):
                    yield os.path.join(folder, NAME), left_out, last


def _fits(pattern: re.Pattern[str], name: str, is_folder: bool) -> bool:
    """Whether a line names just this file or folder, and not one above it.

    pathspec's expressions are for whole paths and fit what is below a folder too; then a group has
    the separator after that folder. Its own way of joining several lines relies on that, and is not
    git's where a folder is taken back in.
    """
    if any(match.lastgroup is None for match in pattern.finditer(name)):
        return True
    return is_folder and any(
        match.lastgroup is not None and match.end() == len(name) + 1
        for match in pattern.finditer(f"{name}/")
    )


def _read(path: str) -> str | None:
    """The text of an ignore file; None where there is none. Raises `OSError`."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None  # opening a pipe would wait for ever
    if status.st_size > _MOST_BYTES:
        raise OSError(0, "is larger than 1 MB", path)
    # Names that are not UTF-8 are in it as the bytes they are.
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        return file.read()


def _parse(text: str) -> tuple[list[_Line], list[str]]:
    """The lines of an ignore file; what is wrong with those that are no patterns."""
    from pathspec import GitIgnoreSpec

    lines: list[_Line] = []
    faults: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", FutureWarning)  # of `re`, on "[[:alpha:]]"
                spec = GitIgnoreSpec.from_lines([line.rstrip("\r")], backend="simple")
        except (ValueError, re.error, FutureWarning):
            faults.append(f"line {number} is not a pattern that can be used: {line.strip()}")
        else:
            # A comment has neither.
            lines += [
                (p.include, p.regex, line.strip().rstrip("/").rpartition("/")[2].lstrip("!\\"))
                for p in spec.patterns
                if p.regex and p.include is not None
            ]
    return lines, faults
