"""What is noted of photos: camera, lens, rating, caption, keywords, albums, and text read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct

from index.catalogue.conditions.condition import Simple, Sql
from index.catalogue.conditions.texts import folding, in_paths, like, one_of
from index.catalogue.functions import folded
from index.catalogue.people import called, counted_people, known_people
from index.catalogue.readings import reading
from index.paths import beyond_ascii

if TYPE_CHECKING:
    from index.catalogue.connection import Connection

# What is left of a path without everything up to its last separator.
NAME = "replace(path, rtrim(path, replace(replace(path, '/', ''), '\\', '')), '')"


class Made(Simple, Struct, frozen=True):
    """Whose `camera` or `lens` has this text in its name, whatever its case.

    Where one has exactly this name, only that one: a Pixel 6 is not a Pixel 6 Pro.
    """

    @property
    def is_of_rows(self) -> bool:
        return True

    by: str
    text: str

    def query(self, connection: Connection) -> Sql:
        if self.by not in ("camera", "lens"):
            raise ValueError(f"photos are made by a camera or a lens, not by {self.by!r}")
        wanted = folded(self.text)
        if any(folded(name) == wanted for name in connection.distinct("metadata", self.by)):
            return one_of(connection, self.by, lambda name: folded(name) == wanted)
        return one_of(connection, self.by, lambda name: wanted in folded(name))


class Rated(Simple, Struct, frozen=True):
    """Rated from `least` to `most` stars; a photo without a rating has none, 0."""

    @property
    def is_of_rows(self) -> bool:
        return not self.least <= 0 <= self.most

    least: int
    most: int

    def query(self, connection: Connection) -> Sql:
        rated = "SELECT photo_id FROM metadata WHERE rating"
        if self.least <= 0 <= self.most:  # which a photo is of which nothing is known
            others = f"{rated} < ? OR rating > ?"
            return f"SELECT id FROM photos WHERE id NOT IN ({others})", [self.least, self.most]
        return f"{rated} BETWEEN ? AND ?", [self.least, self.most]


class Saying(Simple, Struct, frozen=True):
    """With this text in its file name, caption or keywords, whatever its case and accents.

    Or with these words in the text that was read in it, of which letters may be misread.
    """

    text: str

    def query(self, connection: Connection) -> Sql:
        named, values = in_paths(self.text, NAME, self.text)
        alike, pattern = like(self.text)
        sql = (
            f"{named} UNION ALL SELECT photo_id FROM metadata "
            "WHERE (caption IS NOT NULL OR keywords <> '[]') AND ("
            f"(caption {alike} OR {beyond_ascii('caption')}) "
            f"AND instr({folding('caption')}, ?) > 0 OR keywords <> '[]' "
            # As JSON keywords are ASCII, with a backslash where they are not or have quotes in
            # them.
            f"AND (keywords {alike} OR instr(keywords, '\\') > 0) AND "
            f"EXISTS (SELECT 1 FROM json_each(keywords) WHERE instr({folding('value')}, ?) > 0)) "
            "UNION ALL SELECT id FROM photos WHERE content_id IN (SELECT value FROM json_each(?))"
        )
        said = [pattern, folded(self.text)] * 2
        return sql, [*values, *said, json.dumps(reading(connection, self.text))]


class Noting(Simple, Struct, frozen=True):
    """With each of these folded words, as a whole one, in its file name, caption, or text read.

    All of them stand in one of the three.
    """

    words: tuple[str, ...]

    def query(self, connection: Connection) -> Sql:
        # The longest word decides which photos are looked at closely.
        longest, words = max(self.words, key=len), " ".join(self.words)
        alike, pattern = like(longest)
        both = "(path {} OR {}) AND has_words({}, ?)"
        ask = " AND ".join(f'" {word} "' for word in self.words)
        return (
            f"SELECT id FROM photos WHERE {both.format(alike, beyond_ascii('path'), NAME)} "
            "UNION ALL SELECT photo_id FROM metadata "
            "WHERE (caption IS NOT NULL OR keywords <> '[]') AND caption IS NOT NULL "
            f"AND (caption {alike} OR {beyond_ascii('caption')}) AND has_words(caption, ?) "
            "UNION ALL SELECT id FROM photos WHERE content_id IN "
            "(SELECT rowid FROM reading_words WHERE reading_words MATCH ?)",
            [pattern, words, pattern, words, ask],
        )


class InAlbum(Simple, Struct, frozen=True):
    """In the album of this id."""

    album: int

    def query(self, connection: Connection) -> Sql:
        return (
            "SELECT photos.id FROM photos JOIN contents ON contents.id = content_id "
            "JOIN album_photos USING (digest) WHERE album_id = ?",
            [self.album],
        )


class InAlbumCalled(Simple, Struct, frozen=True):
    """In the album of this name, whatever its case and accents."""

    name: str

    def query(self, connection: Connection) -> Sql:
        wanted = folded(self.name.strip())
        albums = connection.rows("SELECT id, name FROM albums WHERE name <> ''")
        ids = [album for album, name in albums if folded(name) == wanted]
        return (
            "SELECT photos.id FROM photos JOIN contents ON contents.id = content_id "
            "JOIN album_photos USING (digest) "
            "WHERE album_id IN (SELECT value FROM json_each(?))",
            [json.dumps(ids)],
        )


class Showing(Simple, Struct, frozen=True):
    """Of this person, whatever the case and accents of the name.

    Where nobody has exactly this name, of all in the group of this name, or else of everybody with
    these words in theirs: a first name.
    """

    person: str

    def query(self, connection: Connection) -> Sql:
        chosen = called(known_people(connection), self.person)
        ids = [photo for one in chosen for photo in one.ids.tolist()]
        return "SELECT value FROM json_each(?)", [json.dumps(ids)]


class Peopled(Simple, Struct, frozen=True):
    """With so many people in it, from `least` to `most`, as far as that is said of the photo."""

    least: int
    most: int | None = None

    def query(self, connection: Connection) -> Sql:
        ids, counts = counted_people(connection)
        if self.least > 0:
            fit = counts >= self.least
            if self.most is not None:
                fit &= counts <= self.most
            return "SELECT value FROM json_each(?)", [json.dumps(ids[fit].tolist())]
        beyond = ids[counts > self.most] if self.most is not None else ids[:0]
        return (
            "SELECT id FROM photos WHERE id NOT IN (SELECT value FROM json_each(?))",
            [json.dumps(beyond.tolist())],
        )


class Read(Simple, Struct, frozen=True):
    """In which text was read."""

    def query(self, connection: Connection) -> Sql:
        return (
            "SELECT photos.id FROM readings JOIN photos USING (content_id) WHERE text <> ''",
            [],
        )


class Tagged(Simple, Struct, frozen=True):
    """With this keyword, whatever its case and accents; or with one below it, as "Places|Rome"."""

    @property
    def is_of_rows(self) -> bool:
        return True

    keyword: str

    def query(self, connection: Connection) -> Sql:
        # With marks about it each level of a path looks alike, and so does a part of the path.
        held = f"instr('|' || {folding('value')} || '|', ?) > 0"
        wanted = folded(self.keyword.strip())
        return (
            "SELECT photo_id FROM metadata WHERE keywords <> '[]' "
            "AND (caption IS NOT NULL OR keywords <> '[]') "
            f"AND EXISTS (SELECT 1 FROM json_each(keywords) WHERE {held} OR {held})",
            # Some write paths with slashes; they are in other keywords, too.
            [f"|{wanted}|", f"|{wanted.replace('/', '|')}|"],
        )
