"""What the catalogue's own names are: of cameras, keywords, people, albums, folders and files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.catalogue.albums import Album, albums
from index.catalogue.connection import Connection
from index.catalogue.functions import words_in
from index.catalogue.id_parts import IdParts
from index.catalogue.people import KnownPerson, known_people
from index.paths import separator_of, text_to_path

_DIGITS = str.maketrans("", "", "0123456789")
_NOTED = "(caption IS NOT NULL OR keywords <> '[]')"  # what an index has beside the ids


@dataclass(frozen=True)
class Names:
    """The names that a catalogue has, as they are written.

    `words` are those of file names and captions, folded and without digits. `texts` tells whether
    text was read in any photo. `folders` have photos in them; `roots` are those that were indexed.
    """

    cameras: tuple[str, ...]
    keywords: frozenset[str]
    people: tuple[KnownPerson, ...]
    albums: tuple[Album, ...]
    formats: frozenset[str]
    folders: tuple[str, ...]
    roots: tuple[str, ...]
    words: frozenset[str]
    texts: bool


def names_of(connection: Connection, files: WrittenNames, cameras: Sequence[str]) -> Names:
    """All names; less than a tenth of a second for 100,000 photos."""
    with connection.snapshot():
        folders, words, formats, keywords = files.read()
        return Names(
            tuple(cameras),
            frozenset(keywords),
            tuple(known_people(connection)),
            tuple(one for one in albums(connection) if one.name),
            frozenset(formats),
            tuple(sorted(map(text_to_path, folders))),
            tuple(text_to_path(path) for (path,) in connection.rows("SELECT path FROM folders")),
            frozenset(words),
            bool(connection.rows("SELECT 1 FROM readings WHERE text <> '' LIMIT 1")),
        )


# Of folders as they are in the catalogue; words, folded, those of files without digits; formats;
# and keywords.
_KINDS = 4
_Written = tuple[NDArray[np.int32], ...]


class WrittenNames:
    """The folders of photos, the words of their files' names and captions, their formats and their
    keywords, those of people too.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._parts: IdParts[_Written] = IdParts(connection, self._part, self._put)
        self._forget()

    def read(self) -> tuple[set[str], set[str], set[str], set[str]]:
        self._parts.renew(self._forget)
        folders, words, formats, keywords = (
            {name for name, count in zip(numbers, counts.tolist(), strict=False) if count}
            for numbers, counts in zip(self._numbers, self._counts, strict=True)
        )
        return folders, words, formats, keywords

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


def _folders(paths: Sequence[str]) -> Iterable[str]:
    if os.sep == "/":  # as in addresses, so that none has to be told from the others
        return {path.rpartition("/")[0] for path in paths}
    return {path.rpartition(separator_of(path))[0] for path in paths}
