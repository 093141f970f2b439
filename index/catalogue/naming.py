"""What the catalogue's own names are: of cameras, keywords, people, albums, folders and files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from msgspec import Struct

from index.catalogue.albums import Album, albums
from index.catalogue.connection import Connection
from index.catalogue.file_names import FileNames
from index.catalogue.functions import words_in
from index.catalogue.people import KnownPerson, known_people
from index.paths import text_to_path

_NOTED = "(caption IS NOT NULL OR keywords <> '[]')"  # what an index has beside the ids


class Names(Struct, frozen=True):
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
    """All names; what takes longest, those of files, is kept beside the catalogue."""
    with connection.snapshot():
        folders, words = files.read()
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
            frozenset(_formats(connection)),
            tuple(sorted(map(text_to_path, folders))),
            tuple(text_to_path(path) for (path,) in connection.rows("SELECT path FROM folders")),
            frozenset(words),
            bool(connection.rows("SELECT 1 FROM readings WHERE text <> '' LIMIT 1")),
        )


def _formats(connection: Connection) -> Iterable[str]:
    """Those of photos that are there, each looked up behind the one before."""
    rows = connection.rows(
        """
        WITH RECURSIVE each(format) AS (
            SELECT min(format) FROM photos
            UNION ALL
            SELECT (SELECT min(format) FROM photos WHERE format > each.format) FROM each
            WHERE each.format IS NOT NULL
        )
        SELECT format FROM each WHERE EXISTS
            (SELECT 1 FROM photos WHERE photos.format = each.format AND NOT missing)
        """
    )
    return (each for (each,) in rows)


def _keywords(connection: Connection) -> Iterable[str]:
    """All keywords; who is in a photo is among them too."""
    rows = connection.rows(
        f"SELECT DISTINCT keywords FROM metadata WHERE {_NOTED} AND keywords <> '[]'"
    )
    return (value for (text,) in rows for value in json.loads(text))
