"""What the catalogue's own names are: of cameras, keywords, people, albums, folders and files."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from index.catalogue.albums import Album, albums
from index.catalogue.connection import Connection
from index.catalogue.people import KnownPerson, known_people
from index.catalogue.written_names import WrittenNames
from index.paths import text_to_path


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


def names_of(connection: Connection, written: WrittenNames, cameras: Sequence[str]) -> Names:
    """All names; what takes longest, those that are `written`, is kept beside the catalogue."""
    with connection.snapshot():
        folders, words, formats, keywords = written.read()
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
