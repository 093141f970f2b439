"""Which files photos are, and of what form."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct

from index.catalogue.conditions.condition import Simple, Sql
from index.catalogue.conditions.texts import in_paths
from index.paths import below_in_any_form, is_address, path_to_text

if TYPE_CHECKING:
    from index.catalogue.connection import Connection

_SHAPES = {
    "portrait": "height > width",
    "landscape": "width > height",
    "square": "width = height",
    # Few are so long, and an index tells which. No phone's screen is 2.4 times as long as wide, and
    # no video 2.8 times.
    "panorama": (
        "id IN (SELECT id FROM photos WHERE max(width, height) >= 2 * min(width, height)) AND "
        "CASE format WHEN 'VIDEO' THEN width >= 2.8 * height ELSE width >= 2.4 * height OR EXISTS "
        "(SELECT 1 FROM metadata WHERE photo_id = photos.id AND camera IS NOT NULL) END"
    ),
}


class InFolder(Simple, Struct, frozen=True):
    """In this folder or below: an absolute path, or the name of one or more folders in a path."""

    folder: str

    def query(self, connection: Connection) -> Sql:
        if is_address(self.folder):
            sql, bounds = below_in_any_form(self.folder.rstrip("/"))
            return f"SELECT id FROM photos WHERE {sql}", list(bounds)
        if os.path.isabs(self.folder):
            sql, bounds = below_in_any_form(os.path.normpath(self.folder))
            return f"SELECT id FROM photos WHERE {sql}", list(bounds)
        # A part of the path: whole names of folders, so that "art" does not find "party".
        parts = path_to_text(self.folder.replace("\\", "/").strip("/"))
        return in_paths(parts, "replace(path, '\\', '/')", f"/{parts}/")


class OfFormat(Simple, Struct, frozen=True):
    """Of one of these formats, as the catalogue names them: "JPEG"."""

    @property
    def is_of_rows(self) -> bool:
        return True

    formats: tuple[str, ...]

    def query(self, connection: Connection) -> Sql:
        marks = ", ".join("?" * len(self.formats))
        return f"SELECT id FROM photos WHERE format IN ({marks})", list(self.formats)


class Sized(Simple, Struct, frozen=True):
    """Of `least` or more and fewer than `below` "bytes" or "pixels"; None is without bound."""

    @property
    def is_of_rows(self) -> bool:
        return True

    of: str
    least: int
    below: int | None = None

    def query(self, connection: Connection) -> Sql:
        column = {"bytes": "size", "pixels": "width * height"}[self.of]
        sql, values = f"SELECT id FROM photos WHERE {column} >= ?", [self.least]
        if self.below is None:
            return sql, values
        return f"{sql} AND {column} < ?", [*values, self.below]


class Shaped(Simple, Struct, frozen=True):
    """As seen: "portrait", "landscape", "square", or "panorama".

    A panorama is twice as long as wide or more, and nothing else that is: screenshots of phones
    are, the ones that scroll even more, and videos for the cinema. So an upright one has to say
    which camera took it, and one across has to be longer than a screen or say so too.
    """

    @property
    def is_of_rows(self) -> bool:
        return self.shape != "panorama"

    shape: str

    def query(self, connection: Connection) -> Sql:
        return f"SELECT id FROM photos WHERE {_SHAPES[self.shape]}", []


class Screenshot(Simple, Struct, frozen=True):
    """A still that is called as systems call what a screen shows.

    A camera is not looked at: some phones write their own name into these, too.
    """

    @property
    def is_of_rows(self) -> bool:
        return True

    def query(self, connection: Connection) -> Sql:
        return "SELECT id FROM photos WHERE format <> 'VIDEO' AND is_screenshot(path)", []
