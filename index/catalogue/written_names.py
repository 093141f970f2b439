"""Folders, keywords, and words of file names and captions, kept from one process to the next."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.catalogue import id_parts
from index.catalogue.connection import Connection
from index.catalogue.functions import words_in
from index.catalogue.id_parts import IdParts
from index.paths import separator_of
from index.safety.whole import write_whole

# Beside the catalogue: made of it, and may be deleted.
FILE_NAME = "names.json"
# Of another layout nothing is read.
_LAYOUT = 1
# Of so many parts the file is written after each change, and of more when a share of them changed.
_FEW, _SHARE = 64, 8
_DIGITS = str.maketrans("", "", "0123456789")
_NOTED = "(caption IS NOT NULL OR keywords <> '[]')"  # what an index has beside the ids

# Of folders as they are in the catalogue; words, folded, those of files without digits; formats;
# and keywords.
_KINDS = 4
_Written = tuple[NDArray[np.int32], ...]


class WrittenNames:
    """The folders of photos, the words of their files' names and captions, their formats and their
    keywords, those of people too.

    Of a catalogue of more than one part they are kept in a file, by which a process that begins
    need not read all paths: that takes a tenth of a second for 100,000.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._file = connection.path.with_name(FILE_NAME)
        self._parts: IdParts[_Written] = IdParts(connection, self._part, self._put)
        # Parts that were read and not kept.
        self._unkept = 0
        self._forget()

    @staticmethod
    def discard(folder: Path) -> None:
        """Delete what is kept in a library's folder, where something in it is to be forgotten."""
        with suppress(OSError):
            (folder / FILE_NAME).unlink()

    def read(self) -> tuple[set[str], set[str], set[str], set[str]]:
        if self._parts.place is None:
            self._take_kept()
        self._unkept += self._parts.renew(self._forget)
        count = len(self._parts.parts)
        if self._unkept and (count <= _FEW or self._unkept * _SHARE >= count):
            self._keep()
            self._unkept = 0
        folders, words, formats, keywords = map(set, self._present())
        return folders, words, formats, keywords

    def _present(self) -> list[list[str]]:
        """The names that any part has, of each kind in the order of their numbers."""
        return [
            [name for name, count in zip(numbers, counts.tolist(), strict=False) if count]
            for numbers, counts in zip(self._numbers, self._counts, strict=True)
        ]

    def _forget(self) -> None:
        # Each name has a number, of which the parts are made, and is in so many of these.
        self._numbers: list[dict[str, int]] = [{} for _ in range(_KINDS)]
        self._counts = [np.zeros(0, np.int32) for _ in range(_KINDS)]

    def _put(self, before: _Written | None, after: _Written) -> None:
        for kind, numbers in enumerate(self._numbers):
            more = len(numbers) - len(self._counts[kind])
            if more > 0:
                room = np.zeros(more + len(numbers), np.int32)
                self._counts[kind] = np.concatenate([self._counts[kind], room])
            if before is not None:
                self._counts[kind][before[kind]] -= 1
            self._counts[kind][after[kind]] += 1

    def _part(self, first: int, end: int) -> _Written:
        bounds = [first, end]
        within = "id >= ? AND id < ? AND NOT missing"
        # As one text, as in `Holding`; no path has a NUL.
        ((text,),) = self._connection.rows(
            f"SELECT group_concat(path, char(0)) FROM photos WHERE {within}",
            bounds,
        )
        formats = self._connection.rows(
            f"SELECT DISTINCT format FROM photos WHERE {within}", bounds
        )
        paths = text.split("\0") if text else []
        # Most are IMG and a number: few are left, and taken apart.
        without_digits = set(text.translate(_DIGITS).split("\0")) if text else ()
        # Also those at addresses, which have strokes on every system.
        stems = {path.rpartition(os.sep)[2].rpartition("/")[2] for path in without_digits}
        words = {word for stem in stems for word in words_in(re.sub(r"\.[^.]*$", "", stem))}
        noted = f"FROM metadata WHERE photo_id >= ? AND photo_id < ? AND {_NOTED}"
        for (caption,) in self._connection.rows(f"SELECT DISTINCT caption {noted}", bounds):
            words |= words_in(caption or "")
        keywords = self._connection.rows(f"SELECT DISTINCT keywords {noted}", bounds)
        every = {value for (text,) in keywords for value in json.loads(text)}
        found = set(_folders(paths)), words, {each for (each,) in formats}, every
        return tuple(
            np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int32)
            for numbers, names in zip(self._numbers, found, strict=True)
        )

    def _take_kept(self) -> None:
        """What the file says; nothing where there is none, or it is damaged."""
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            kept = json.loads(self._file.read_bytes())
            if kept["layout"] != [_LAYOUT, id_parts.AT_ONCE]:
                return
            numbers = [{str(name): n for n, name in enumerate(names)} for names in kept["names"]]
            parts = {
                int(part): tuple(np.array(each, np.int32) for each in written)
                for part, written in kept["parts"].items()
            }
            sizes = [len(each) for each in numbers]
            for written in parts.values():
                for each, size in zip(written, sizes, strict=True):
                    if each.ndim != 1 or np.any((each < 0) | (each >= size)):
                        return
            if len(numbers) == _KINDS:
                self._forget()
                self._numbers = numbers
                self._parts.restore(str(kept["place"]), parts)

    def _keep(self) -> None:
        parts = self._parts.parts
        if self._connection.readonly or len(parts) < 2:
            return
        # Names that no photo has any more are not to be found in it.
        numbers = [np.cumsum(counts > 0) - 1 for counts in self._counts]
        kept: dict[str, Any] = {
            "layout": [_LAYOUT, id_parts.AT_ONCE],
            "place": self._parts.place,
            "names": self._present(),
            "parts": {
                part: [now[each].tolist() for now, each in zip(numbers, written, strict=True)]
                for part, written in parts.items()
            },
        }
        # It only saves time.
        with suppress(OSError):
            write_whole(self._file, json.dumps(kept).encode(), sync=False)


def _folders(paths: Sequence[str]) -> Iterable[str]:
    if os.sep == "/":  # as in addresses, so that none has to be told from the others
        return {path.rpartition("/")[0] for path in paths}
    return {path.rpartition(separator_of(path))[0] for path in paths}
