"""What the catalogue's own names are: of cameras, keywords, people, albums, folders and files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from index.catalogue.albums import Album, albums
from index.catalogue.connection import Connection
from index.catalogue.feed import changed_after, last_place
from index.catalogue.functions import words_in
from index.catalogue.people import KnownPerson, known_people
from index.paths import separator_of, text_to_path

_DIGITS = str.maketrans("", "", "0123456789")
_AT_ONCE = 1 << 16  # paths read as one text, and ids in a part
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


def names_of(connection: Connection, files: FileNames, cameras: Sequence[str]) -> Names:
    """All names; less than a tenth of a second for 100,000 photos."""
    with connection.snapshot():
        folders, words, formats = files.read()
        captions = connection.rows(
            f"SELECT DISTINCT caption FROM metadata WHERE {_NOTED} AND caption IS NOT NULL"
        )
        for (caption,) in captions:
            words |= words_in(caption)
        return Names(
            tuple(cameras),
            frozenset(_keywords(connection)),
            tuple(known_people(connection)),
            tuple(one for one in albums(connection) if one.name),
            frozenset(formats),
            tuple(sorted(map(text_to_path, folders))),
            tuple(text_to_path(path) for (path,) in connection.rows("SELECT path FROM folders")),
            frozenset(words),
            bool(connection.rows("SELECT 1 FROM readings WHERE text <> '' LIMIT 1")),
        )


class FileNames:
    """The folders of photos, the words of their files' names, and their formats, in parts of so
    many ids: after a change only the parts are read again in which photos changed.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._place: str | None = None
        self._parts: dict[int, tuple[set[str], set[str], set[str]]] = {}

    def read(self) -> tuple[set[str], set[str], set[str]]:
        """Folders as they are in the catalogue; words, folded and without digits; and formats."""
        with self._connection.snapshot():
            changed: Sequence[int] | None = changed_after(self._connection, self._place, _AT_ONCE)
            self._place = last_place(self._connection)
            if changed is None:
                ((most,),) = self._connection.rows("SELECT coalesce(max(id), -1) FROM photos")
                self._parts = {}
                changed = range(0, most + 1, _AT_ONCE)
            for part in {photo // _AT_ONCE for photo in changed}:
                self._parts[part] = self._part(part * _AT_ONCE)
        every: tuple[set[str], set[str], set[str]] = set(), set(), set()
        for some in self._parts.values():
            for all_, each in zip(every, some, strict=True):
                all_ |= each
        return every

    def _part(self, first: int) -> tuple[set[str], set[str], set[str]]:
        within, bounds = "id >= ? AND id < ? AND NOT missing", [first, first + _AT_ONCE]
        # As one text, as in `Holding`; no path has a NUL.
        ((text,),) = self._connection.rows(
            f"SELECT group_concat(path, char(0)) FROM photos WHERE {within}",
            bounds,
        )
        if not text:
            return set(), set(), set()
        formats = self._connection.rows(
            f"SELECT DISTINCT format FROM photos WHERE {within}", bounds
        )
        # Most are IMG and a number: few are left, and taken apart.
        without_digits = set(text.translate(_DIGITS).split("\0"))
        # Also those at addresses, which have strokes on every system.
        stems = {path.rpartition(os.sep)[2].rpartition("/")[2] for path in without_digits}
        words = {word for stem in stems for word in words_in(re.sub(r"\.[^.]*$", "", stem))}
        return set(_folders(text.split("\0"))), words, {each for (each,) in formats}


def _folders(paths: Sequence[str]) -> Iterable[str]:
    if os.sep == "/":  # as in addresses, so that none has to be told from the others
        return {path.rpartition("/")[0] for path in paths}
    return {path.rpartition(separator_of(path))[0] for path in paths}


def _keywords(connection: Connection) -> Iterable[str]:
    """All keywords; who is in a photo is among them too."""
    rows = connection.rows(
        f"SELECT DISTINCT keywords FROM metadata WHERE {_NOTED} AND keywords <> '[]'"
    )
    return (value for (text,) in rows for value in json.loads(text))
