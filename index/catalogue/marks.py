"""What the user marks photos with: stars, and keywords added or removed.

Marks are kept by the hash of the bytes, as albums are, and apart from what was read. The table
`metadata` has what counts of both, so that whoever asks it need not know, and in `as_read` what was
read, where there are marks.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from index.catalogue.connection import Connection
from index.catalogue.functions import composed, folded
from index.catalogue.records import Mark
from index.paths import below

# Between the levels of a path of keywords.
LEVELS = "|"
_MARKED = "SELECT digest FROM own_ratings UNION SELECT digest FROM own_keywords"
_DIGESTS = (
    "SELECT photos.id, digest FROM photos JOIN contents ON contents.id = content_id "
    "WHERE digest IS NOT NULL AND photos.id IN (SELECT value FROM json_each(?))"
)


def keyword_key(keyword: str) -> str:
    """By which keywords are the same, however their accents and capitals are written."""
    return composed(keyword).casefold()


def holds(keyword: str, other: str) -> bool:
    """Whether `keyword` is `other`, or a path in which that stands: "Places|Rome" holds "Rome"."""
    inside, around = keyword_key(other), keyword_key(keyword)
    return f"{LEVELS}{inside}{LEVELS}" in f"{LEVELS}{around}{LEVELS}"


def counting(read: Iterable[str], mark: Mark) -> tuple[str, ...]:
    """The keywords that count: those `read`, each once, without what was removed, and those added.

    With a path that is removed goes its last level, unless that stands in another one; of one that
    is added each level is a keyword as well.
    """
    kept = [word for word in read if not any(holds(word, gone) for gone in mark.removed)]
    for path in mark.removed:
        last = path.rpartition(LEVELS)[2]
        if last != path and not any(LEVELS in word and holds(word, last) for word in kept):
            kept = [word for word in kept if keyword_key(word) != keyword_key(last)]
    for word in mark.added:
        kept += [*word.split(LEVELS), word]
    each: dict[str, str] = {}
    for word in kept:
        each.setdefault(keyword_key(word), word)
    return tuple(each.values())


def remarked(
    mark: Mark, read: Sequence[Sequence[str]], add: Sequence[str], remove: Sequence[str]
) -> Mark:
    """`mark` with other keywords; `read` is what the files of these bytes say.

    What a file says is not added, and what none says is not removed, so that who adds a keyword and
    then removes it has changed nothing.
    """
    added, removed = list(mark.added), list(mark.removed)
    for word in remove:
        added = [one for one in added if not holds(one, word)]
        removed = [one for one in removed if not holds(one, word)]
        if any(holds(one, word) for words in read for one in words):
            removed.append(word)
    for word in add:
        removed = [one for one in removed if not holds(word, one)]
        if keyword_key(word) in map(keyword_key, added):
            continue
        without = Mark(removed=tuple(removed))
        there = [any(holds(one, word) for one in counting(words, without)) for words in read]
        if not (there and all(there)):
            added.append(word)
    return Mark(mark.stars, tuple(added), tuple(removed))


class Marks:
    """The marks in a catalogue; `Catalogue.marks`. Raises as the catalogue does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lists: list[Any] | None = None
        self._words: list[tuple[str, str]] = []

    def of(self, photo_ids: Iterable[int]) -> dict[int, Mark]:
        """The marks of these photos; those that have none are left out."""
        with self._connection.snapshot():
            return _marks(self._connection.rows, photo_ids)

    def put(self, marks: Mapping[int, Mark]) -> None:
        """Give photos, by their ids, these marks in the place of those that they have.

        Their copies are given them too. A photo whose bytes were never hashed can have none.
        """
        with self._connection.write() as db:
            digests = db.execute(_DIGESTS, [_listed(marks)]).fetchall()
            wanted = {digest: marks[photo] for photo, digest in digests}
            for table in ("own_ratings", "own_keywords"):
                db.executemany(f"DELETE FROM {table} WHERE digest = ?", [(one,) for one in wanted])
            db.executemany(
                "INSERT INTO own_ratings (digest, stars) VALUES (?, ?)",
                [(one, mark.stars) for one, mark in wanted.items() if mark.stars is not None],
            )
            db.executemany(
                "INSERT OR IGNORE INTO own_keywords (digest, keyword, there) VALUES (?, ?, ?)",
                [
                    (one, composed(word), there)
                    for one, mark in wanted.items()
                    for there, words in ((1, mark.added), (0, mark.removed))
                    for word in words
                ],
            )
            copies = db.execute(
                "SELECT photos.id FROM photos WHERE content_id IN (SELECT content_id FROM photos "
                "WHERE id IN (SELECT value FROM json_each(?)))",
                [_listed(marks)],
            )
            make_count(db, [row[0] for row in copies.fetchall()])

    def read_keywords(self, photo_ids: Iterable[int]) -> dict[int, list[list[str]]]:
        """Of each photo the keywords that its file says, and those that its copies say.

        A photo of which nothing was read is left out.
        """
        found: dict[int, list[list[str]]] = defaultdict(list)
        for photo, words in self._connection.rows(
            "SELECT wanted.id, coalesce(json_extract(as_read, '$.keywords'), keywords) "
            "FROM photos AS wanted JOIN photos AS copy ON copy.content_id = wanted.content_id "
            "JOIN metadata ON metadata.photo_id = copy.id "
            "WHERE wanted.id IN (SELECT value FROM json_each(?))",
            [_listed(photo_ids)],
        ):
            found[photo].append(json.loads(words))
        return dict(found)

    def below(self, folder: str | None) -> list[int]:
        """Ids of the photos with marks that are not missing, in order of path.

        Of those at `folder` or below it, or of all.
        """
        within, bounds = ("1", []) if folder is None else below(folder)
        rows = self._connection.rows(
            "SELECT photos.id FROM photos JOIN contents ON contents.id = content_id "
            f"WHERE NOT missing AND digest IN ({_MARKED}) AND {within} ORDER BY path",
            bounds,
        )
        return [row[0] for row in rows]

    def keywords(self, start: str, limit: int) -> list[str]:
        """Up to `limit` of the keywords of all photos, of which a word begins with `start`.

        Those that begin with it themselves come first. Case and accents do not count.
        """
        lists = self._connection.distinct("metadata", "keywords")
        if lists is not self._lists:
            words = {word for text in lists if text != "[]" for word in json.loads(text)}
            alone = (word for word in words if LEVELS not in word)
            self._lists, self._words = lists, sorted((folded(word), word) for word in alone)
        wanted = folded(start)
        first = [word for plain, word in self._words if plain.startswith(wanted)]
        if wanted and len(first) < limit:
            first += [word for plain, word in self._words if f" {wanted}" in plain]
        return list(dict.fromkeys(first))[:limit]


def make_count(db: sqlite3.Connection, photo_ids: Sequence[int]) -> None:
    """Make of what was read of these photos, and of their marks, what counts."""
    rows = db.execute(
        "SELECT photos.id, rating, keywords, as_read FROM photos "
        "LEFT JOIN metadata ON photo_id = photos.id "
        "WHERE photos.id IN (SELECT value FROM json_each(?))",
        [_listed(photo_ids)],
    ).fetchall()
    marks = _marks(lambda *query: db.execute(*query).fetchall(), photo_ids)
    changed = []
    for photo, rating, keywords, before in rows:
        mark = marks.get(photo)
        if mark is None and before is None:
            continue
        read = {"rating": rating, "keywords": json.loads(keywords or "[]")}
        read = read if before is None else json.loads(before)
        as_read = None if mark is None else json.dumps(read)
        mark = mark or Mark()
        stars = read["rating"] if mark.stars is None else mark.stars or None
        words = read["keywords"] if mark == Mark(mark.stars) else counting(read["keywords"], mark)
        changed.append((photo, stars, json.dumps(words), as_read))
    db.executemany(
        "INSERT INTO metadata (photo_id, rating, keywords, as_read) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET rating = excluded.rating, keywords = excluded.keywords, "
        "as_read = excluded.as_read",
        changed,
    )


def make_count_of(db: sqlite3.Connection, content_id: int) -> None:
    """The same for the photos with these bytes, which may have got the marks of others."""
    rows = db.execute(
        "SELECT photos.id FROM photos JOIN contents ON contents.id = content_id "
        f"WHERE content_id = ? AND digest IN ({_MARKED})",
        [content_id],
    ).fetchall()
    make_count(db, [row[0] for row in rows])


def _marks(rows: Callable[..., list[tuple[Any, ...]]], photo_ids: Iterable[int]) -> dict[int, Mark]:
    """The marks of these photos, without those that have none."""
    of_photos = (
        "FROM photos JOIN contents ON contents.id = content_id JOIN {} AS own USING (digest) "
        "WHERE photos.id IN (SELECT value FROM json_each(?))"
    ).format
    wanted = [_listed(photo_ids)]
    stars = dict(rows(f"SELECT photos.id, stars {of_photos('own_ratings')}", wanted))
    words: dict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    query = f"SELECT photos.id, keyword, there {of_photos('own_keywords')} ORDER BY own.rowid"
    for photo, keyword, there in rows(query, wanted):
        words[photo][0 if there else 1].append(keyword)
    return {
        photo: Mark(stars.get(photo), *map(tuple, words.get(photo, ((), ()))))
        for photo in {*stars, *words}
    }


def _listed(photo_ids: Iterable[int]) -> str:
    return json.dumps([int(one) for one in photo_ids])
