"""Whether a catalogue is whole: SQLite's own checks, rows that lead nowhere, damaged vectors."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from index.catalogue.changes import count_up
from index.catalogue.connection import Connection
from index.catalogue.contents import drop_unused, new_content
from index.catalogue.embedded import VECTOR
from index.errors import CatalogueError
from index.paths import below, text_to_path
from index.safety.rows import OFF, BadRows, bad_rows

_DIGEST = 32  # bytes of a BLAKE3 hash
_ROWS = 4096

_WITHOUT_CONTENT = "content_id NOT IN (SELECT id FROM contents)"
_WITHOUT_PHOTO = "photo_id NOT IN (SELECT id FROM photos)"
_BAD_DIGEST = f"digest IS NOT NULL AND length(digest) <> {_DIGEST}"


class Orphans(Struct, frozen=True):
    """How many rows lead nowhere.

    `vectors` and `photos` whose content is not there, `metadata` whose photo is not; `unused` are
    contents that no photo has, such as an index run leaves that was killed; `digests` are no
    hashes; and `others` are rows of all other tables that refer to something that is not there.
    """

    vectors: int
    photos: int
    metadata: int
    unused: int
    digests: int
    others: int


class BadVectors(Struct, frozen=True):
    """Rows of vectors that no search can use, and how many there are by what is wrong with them."""

    rows: tuple[int, ...]
    reasons: dict[str, int]


class Health:
    """Looks through all of a catalogue, and mends it. Errors as in `Catalogue`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def faults(self) -> list[str]:
        """What SQLite finds wrong with the file, in its words; empty when it is sound.

        Raises `CatalogueError` when it is so damaged that SQLite cannot even look.
        """
        found = [str(row[0]) for row in self._connection.rows("PRAGMA integrity_check")]
        if found != ["ok"]:
            return found
        return ["the index of words differs from the texts"] if self._words_differ() else []

    def _words_differ(self) -> bool:
        """SQLite's own check of an index of words writes, and so is not for a mere look."""
        rows = self._connection.rows
        rows("DROP TABLE IF EXISTS temp.words_by_text")
        rows(
            "CREATE VIRTUAL TABLE temp.words_by_text "
            "USING fts5vocab('main', 'reading_words', 'instance')"
        )
        try:
            indexed = rows("SELECT DISTINCT doc FROM temp.words_by_text ORDER BY 1")
        except CatalogueError as error:
            if not error.damaged:
                raise
            return True
        # It goes by three letters.
        texts = "SELECT content_id FROM readings WHERE length(folded) >= 3 ORDER BY 1"
        return indexed != rows(texts)

    def rebuild_indexes(self) -> None:
        """Make SQLite's indexes anew from its tables, which mends those that differ from them."""
        with self._connection.write() as db:
            db.execute("REINDEX")
            db.execute("INSERT INTO reading_words (reading_words) VALUES ('rebuild')")

    def orphans(self) -> Orphans:
        def count(table: str, condition: str) -> int:
            query = f"SELECT count(*) FROM {table} WHERE {condition}"
            return int(self._connection.rows(query)[0][0])

        with self._connection.snapshot():
            return Orphans(
                count("embeddings", _WITHOUT_CONTENT),
                count("photos", _WITHOUT_CONTENT),
                count("metadata", _WITHOUT_PHOTO),
                count("contents", "id NOT IN (SELECT content_id FROM photos)"),
                count("contents", _BAD_DIGEST),
                sum(
                    row[0] not in ("embeddings", "photos", "metadata")
                    for row in self._connection.rows("PRAGMA foreign_key_check")
                ),
            )

    def settle_orphans(self) -> None:
        """Drop what leads nowhere; photos without a content get one, to be embedded again."""
        with self._connection.write() as db:
            settle(db)
            count_up(db)

    def outside(self) -> list[str]:
        """Paths of the photos that are shown and lie in no known folder."""
        query = "SELECT path FROM photos WHERE NOT missing"
        bounds: list[str] = []
        for (folder,) in self._connection.rows("SELECT path FROM folders"):
            within, limits = below(text_to_path(folder))
            query += f" AND NOT {within}"
            bounds += limits
        return [text_to_path(row[0]) for row in self._connection.rows(query, bounds)]

    def bad_rows(self, separator: str = os.sep, *, addresses: bool = True) -> BadRows:
        """The rows that say what cannot be, such as a path that leads nowhere.

        Without `addresses` that of a photo which is in no folder is one.
        """
        return bad_rows(self._connection, separator, addresses=addresses)

    def drop_rows(self, rows: Mapping[str, Sequence[int]]) -> None:
        """Drop rows by their numbers, and what belongs to them alone."""
        with self._connection.write() as db:
            for table, numbers in rows.items():
                db.executemany(f"DELETE FROM {table} WHERE rowid = ?", [(one,) for one in numbers])
            settle(db)
            count_up(db)

    def bad_vectors(self, widths: Mapping[str, int]) -> BadVectors:
        """The vectors that cannot be right.

        `widths` are those of known bundles; those of another must be as wide as most of its own.
        """
        rows: list[int] = []
        reasons: Counter[str] = Counter()
        with self._connection.snapshot():
            usual = {
                bundle: (count, size)
                for bundle, size, count in self._connection.rows(
                    "SELECT bundle_id, length(vector), count(*) FROM embeddings "
                    "GROUP BY 1, 2 ORDER BY 3, 2"
                )
            }
            sizes = {bundle: size for bundle, (_, size) in usual.items()}
            sizes |= {bundle: width * VECTOR.itemsize for bundle, width in widths.items()}
            for batch in self._connection.batches(
                "SELECT rowid, bundle_id, vector FROM embeddings", [], _ROWS
            ):
                for bundle in {row[1] for row in batch}:
                    fitting = []
                    for row, owner, vector in batch:
                        if owner != bundle:
                            continue
                        size = len(vector)
                        if not size or size != sizes[bundle] or size % VECTOR.itemsize:
                            rows.append(row)
                            reasons["of a wrong length"] += 1
                        else:
                            fitting.append((row, vector))
                    if not fitting:
                        continue
                    flat = np.frombuffer(b"".join(vector for _, vector in fitting), VECTOR)
                    values = flat.reshape(len(fitting), -1).astype(np.float32)
                    finite = np.asarray(np.isfinite(values).all(axis=1))
                    lengths = np.linalg.norm(np.where(finite[:, None], values, 0), axis=1)
                    unit = np.abs(lengths - 1) <= OFF
                    for (row, _), is_finite, is_unit in zip(fitting, finite, unit, strict=True):
                        if not (is_finite and is_unit):
                            rows.append(row)
                            reasons["not of length 1" if is_finite else "not finite"] += 1
        return BadVectors(tuple(rows), dict(reasons))

    def drop_vectors(self, bad: BadVectors) -> None:
        """Forget those vectors; the next index run makes them again."""
        with self._connection.write() as db:
            for row in bad.rows:
                db.execute("DELETE FROM embeddings WHERE rowid = ?", [row])
            count_up(db)


def settle(db: sqlite3.Connection) -> None:
    """Drop what leads nowhere, within a transaction; photos without a content get one."""
    db.execute(f"DELETE FROM embeddings WHERE {_WITHOUT_CONTENT}")
    db.execute(f"DELETE FROM metadata WHERE {_WITHOUT_PHOTO}")
    db.execute(f"UPDATE contents SET digest = NULL WHERE {_BAD_DIGEST}")
    for (photo,) in db.execute(f"SELECT id FROM photos WHERE {_WITHOUT_CONTENT}").fetchall():
        db.execute("UPDATE photos SET content_id = ? WHERE id = ?", [new_content(db, None), photo])
    while lost := db.execute("PRAGMA foreign_key_check").fetchall():
        for table, number, *_ in lost:
            db.execute(f"DELETE FROM {table} WHERE rowid = ?", [number])
    drop_unused(db)
