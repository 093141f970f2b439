"""The text that was read in photos, and finding words in it in spite of misread letters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from index.catalogue.connection import Connection
from index.catalogue.functions import folded
from index.paths import IN_FOLDER, text_to_path

_WORD = re.compile(r"\w+")
# Texts looked at closely for one search, those that share most with it first.
_CANDIDATES = 5000


class Readings:
    """What was read of the bytes of photos; `Catalogue.readings`. Raises as the catalogue does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def unread(self) -> list[tuple[int, str]]:
        """Bytes in which no text was looked for yet, by number, each with the path of a photo.

        Photos at addresses are left out, for nothing of their size is here.
        """
        return [
            (content, text_to_path(path))
            for content, path in self._connection.rows(
                f"SELECT content_id, min(path) FROM photos WHERE NOT missing AND {IN_FOLDER} "
                "AND content_id NOT IN (SELECT content_id FROM readings) GROUP BY 1 ORDER BY 2"
            )
        ]

    def put(self, texts: Mapping[int, str]) -> None:
        """Record what was read, "" where there is nothing, in one transaction.

        Bytes that were forgotten meanwhile are passed over.
        """
        with self._connection.write() as db:
            for content, text in texts.items():
                db.execute(
                    "INSERT INTO readings (content_id, text, folded) "
                    "SELECT id, ?, ? FROM contents WHERE id = ? "
                    "ON CONFLICT DO UPDATE SET text = excluded.text, folded = excluded.folded",
                    [text, plain(text), content],
                )

    def of(self, photo_id: int) -> str | None:
        """The text in a photo; None when nobody has looked for one."""
        rows = self._connection.rows(
            "SELECT text FROM readings JOIN photos USING (content_id) WHERE photos.id = ?",
            [photo_id],
        )
        return rows[0][0] if rows else None

    def counts(self) -> tuple[int, int]:
        """In how many photos that are not missing text was looked for, and in how many found.

        Photos at addresses do not count.
        """
        ((read, found),) = self._connection.rows(
            "SELECT count(*), count(nullif(text, '')) FROM readings "
            f"JOIN photos USING (content_id) WHERE NOT missing AND {IN_FOLDER}"
        )
        return int(read), int(found)


def reading(connection: Connection, text: str) -> list[int]:
    """Numbers of the bytes in which these words were read, in this order.

    Of a word of four letters one may differ, of one of eight or more two: added, left out or
    another. A word of three letters or more may also be a part of one that was read.
    """
    words = _WORD.findall(folded(text))
    if not words:
        return []
    # Every misread word still has three letters in a row, or begins or ends as it should.
    ask = " AND ".join(f"({' OR '.join(_trigrams(word))})" for word in words)
    rows = connection.rows(
        "SELECT rowid, folded FROM reading_words WHERE reading_words MATCH ? "
        f"ORDER BY rank LIMIT {_CANDIDATES}",
        [ask],
    )
    return [content for content, read in rows if _holds(read.split(), words)]


def plain(text: str) -> str:
    """The words without case and accents, with a blank on both sides of each."""
    return f" {' '.join(_WORD.findall(folded(text)))} "


def _trigrams(word: str) -> list[str]:
    padded = f" {word} "
    return [f'"{padded[start : start + 3]}"' for start in range(len(padded) - 2)]


def _holds(read: Sequence[str], words: Sequence[str]) -> bool:
    return any(
        all(_same(read[start + place], word) for place, word in enumerate(words))
        for start in range(len(read) - len(words) + 1)
    )


@lru_cache(maxsize=65536)
def _same(read: str, word: str) -> bool:
    if len(word) >= 3 and word in read:
        return True
    allowed = 0 if len(word) < 4 else 1 if len(word) < 8 else 2
    if read == word or not allowed or abs(len(read) - len(word)) > allowed:
        return read == word
    row = list(range(len(word) + 1))
    for number, letter in enumerate(read, 1):
        above, row = row, [number]
        for place, wanted in enumerate(word):
            row.append(min(above[place] + (letter != wanted), above[place + 1] + 1, row[-1] + 1))
        if min(row) > allowed:
            return False
    return row[-1] <= allowed
