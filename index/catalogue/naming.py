"""What the catalogue's own names are: of cameras, keywords, people, albums, folders and files."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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


# Folders as they are in the catalogue; words, folded, those of files without digits; formats; and
# keywords.
_Written = tuple[set[str], set[str], set[str], set[str]]


class WrittenNames:
    """The folders of photos, the words of their files' names and captions, their formats and their
    keywords, those of people too.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._parts: IdParts[_Written] = IdParts(connection, self._part, self._put)
        # Each with how many parts have it.
        self._counts: tuple[Counter[str], ...] = ()

    def read(self) -> tuple[set[str], set[str], set[str], set[str]]:
        self._parts.renew(self._forget)
        folders, words, formats, keywords = (set(counted) for counted in self._counts)
        return folders, words, formats, keywords

    def _forget(self) -> None:
        self._counts = (Counter(), Counter(), Counter(), Counter())

    def _put(self, before: _Written | None, after: _Written) -> None:
        for counted, was, now in zip(self._counts, before or (set[str](),) * 4, after, strict=True):
            counted.update(now - was)
            for name in was - now:
                counted[name] -= 1
                if not counted[name]:
                    del counted[name]

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
        return set(_folders(paths)), words, {each for (each,) in formats}, every


def _folders(paths: Sequence[str]) -> Iterable[str]:
    if os.sep == "/":  # as in addresses, so that none has to be told from the others
        return {path.rpartition("/")[0] for path in paths}
    return {path.rpartition(separator_of(path))[0] for path in paths}
