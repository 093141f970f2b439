"""A catalogue that is carried to another machine: a copy of it, and other paths in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from index.catalogue.changes import count_up
from index.catalogue.connection import Connection
from index.catalogue.faces import TABLES
from index.errors import CatalogueError
from index.paths import path_to_text, text_to_path


class Portable:
    """Copies a catalogue, and changes its paths. Errors as in `Catalogue`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def copy_to(self, path: Path, *, with_faces: bool = True) -> None:
        """Write all of it, as it is at one moment, to a new file without a log.

        Nothing that was dropped is left in it, nor, unless `with_faces`, anything about faces.
        """
        self._connection.copy_to(path, () if with_faces else TABLES)

    def paths(self) -> Iterator[str]:
        """Every path in it that stands for itself: of photos, folders and problems."""
        for table in ("folders", "photos", "problems"):
            for rows in self._connection.batches(f"SELECT path FROM {table}", [], 4096):
                yield from (text_to_path(row[0]) for row in rows)

    def change_paths(self, changed: Callable[[str], str]) -> None:
        """Put `changed(path)` in the place of each path, in one transaction.

        Raises `CatalogueError` when two photos would have the same path.
        """

        def text(old: str) -> str:
            return path_to_text(changed(text_to_path(old)))

        with self._connection.write() as db:
            rows = db.execute("SELECT id, path, companions FROM photos").fetchall()
            new = {number: text(path) for number, path, _ in rows}
            if len(set(new.values())) < len(new):
                path = next(a for a, b in pairwise(sorted(new.values())) if a == b)
                raise CatalogueError(f"two photos would both be {text_to_path(path)}")
            # A path may be that of another photo until that one has its new path, too.
            db.execute("UPDATE photos SET path = char(0) || id")
            for number, _, companions in rows:
                beside = json.dumps([text(each) for each in json.loads(companions)])
                db.execute(
                    "UPDATE photos SET path = ?, companions = ? WHERE id = ?",
                    [new[number], beside, number],
                )
            for table, others in (
                ("folders", "added_at"),
                ("problems", "size, mtime_ns, reason, printed, seen_at"),
                ("others", "suffix, files"),
            ):
                rows = db.execute(f"SELECT path, {others} FROM {table}").fetchall()
                db.execute(f"DELETE FROM {table}")
                for path, *values in rows:
                    marks = ", ".join("?" * (len(values) + 1))
                    db.execute(
                        f"REPLACE INTO {table} (path, {others}) VALUES ({marks})",
                        [text(path), *values],
                    )
            count_up(db)
