"""File paths as SQLite text, and back.

A file name need not be text: on POSIX it is bytes, on Windows any 16-bit units. Python shows what
does not decode as lone surrogates, which SQLite cannot store. Here each stands as one private-use
character; a name that really holds such a character has it escaped, so that every path comes back.
"""

from __future__ import annotations

import os
import re

from index.catalogue.functions import composed

_SURROGATES = range(0xD800, 0xE000)
# U+10F000 to U+10F7FF, near the end of the last private-use plane, and the escape after them.
_SHIFT = 0x10F000 - _SURROGATES.start
_ESCAPE = chr(_SURROGATES.stop + _SHIFT)

_TO_TEXT: dict[int, str] = {code: chr(code + _SHIFT) for code in _SURROGATES}
_TO_TEXT |= {code + _SHIFT: _ESCAPE + chr(code + _SHIFT) for code in _SURROGATES}
_TO_TEXT[ord(_ESCAPE)] = _ESCAPE * 2

# A letter alone would be a drive of Windows.
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.ASCII)
# The SQL for the same, of the column `path`.
IN_FOLDER = "path NOT GLOB '[a-z]*://*'"

_STANDS_FOR = re.compile(f"{_ESCAPE}(.)|([\U0010f000-\U0010f7ff])", re.DOTALL)


def is_address(path: str | os.PathLike[str]) -> bool:
    """Whether a photo there is in no folder, as at s3://bucket/photos/one.jpg."""
    # Most paths begin with a stroke, which is quicker to see.
    text = os.fspath(path)
    return text[:1] not in "/\\~." and _ADDRESS.match(text) is not None


def separator_of(path: str) -> str:
    """What stands between the names in this path: the system's, or a stroke in an address."""
    return "/" if is_address(path) else os.sep


def start_below(folder: str) -> str:
    """What every path below `folder` begins with."""
    separator = separator_of(folder)
    return folder.rstrip(separator) + separator


def is_within(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or below it, as far as their names tell."""
    return path == folder or path.startswith(start_below(folder))


def folder_sql() -> str:
    """The SQL for the folder that the column `path` is in, with a separator at its end."""
    # What is left when all after the last separator is taken off.
    folder = f"rtrim(path, replace(path, '{os.sep}', ''))"
    if os.sep == "/":
        return folder
    return f"CASE WHEN {IN_FOLDER} THEN {folder} ELSE rtrim(path, replace(path, '/', '')) END"


def path_to_text(path: str) -> str:
    """The text that stands for `path` in the catalogue; nearly every path stands for itself."""
    return path if path.isascii() else path.translate(_TO_TEXT)


def text_to_path(text: str) -> str:
    """The path that `path_to_text` turned into `text`."""
    return text if text.isascii() else _STANDS_FOR.sub(_original, text)


def beyond_ascii(text: str) -> str:
    """The SQL for whether a text is not all ASCII; of paths there is an index of those."""
    return f"length({text}) <> length(CAST({text} AS BLOB))"


def below(folder: str) -> tuple[str, list[str]]:
    """An SQL condition on the column `path`, being `folder` or below it, and its parameters."""
    start = path_to_text(start_below(folder))
    # What goes on after the separator sorts before the character that follows the separator.
    bounds = [path_to_text(folder), start, start[:-1] + chr(ord(start[-1]) + 1)]
    return "(path = ? OR (path >= ? AND path < ?))", bounds


def below_in_any_form(folder: str) -> tuple[str, list[str]]:
    """As `below`, however the accents in either are written; they may be letters of their own.

    Only paths beyond ASCII, which have an index of their own, are looked at in Python.
    """
    exactly, bounds = below(folder)
    if folder.isascii():
        return exactly, bounds
    alike = exactly.replace("path", "composed(path)")
    return f"({beyond_ascii('path')} AND {alike})", [composed(bound) for bound in bounds]


def _original(match: re.Match[str]) -> str:
    return match[1] or chr(ord(match[2]) - _SHIFT)
