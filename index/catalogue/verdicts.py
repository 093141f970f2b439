"""Which photos are right for a query, and which are wrong: what the user said of what was found.

They are kept by the query's words and the hash of the bytes, so they hold for any model, and stay
when files are moved. Beside them stands, for each bundle, the layer that was learned from them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from index.catalogue.connection import Connection
from index.catalogue.recording import now
from index.catalogue.records import Verdict

_VERDICTS = (
    "SELECT query, locale, {photo}, fits FROM verdicts JOIN contents USING (digest) "
    "JOIN photos ON content_id = contents.id"
).format


class Verdicts:
    """The verdicts in a catalogue; `Catalogue.verdicts`. Raises as the catalogue does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._layer: tuple[tuple[int, int], str, bytes | None] | None = None

    def all(self) -> list[Verdict]:
        """In the order of queries, one for all copies of a photo; those whose photo is here."""
        rows = self._connection.rows(
            f"{_VERDICTS(photo='min(photos.id)')} GROUP BY query, digest "
            "ORDER BY query COLLATE NOCASE, fits DESC, given_at, 3"
        )
        return [Verdict(query, photo, bool(fits), locale) for query, locale, photo, fits in rows]

    def of(self, photo_ids: Iterable[int]) -> list[Verdict]:
        """Those on these photos."""
        rows = self._connection.rows(
            f"{_VERDICTS(photo='photos.id')} WHERE photos.id IN (SELECT value FROM json_each(?)) "
            "ORDER BY photos.id, query",
            [_listed(photo_ids)],
        )
        return [Verdict(query, photo, bool(fits), locale) for query, locale, photo, fits in rows]

    def put(self, query: str, fits: Mapping[int, bool | None], locale: str = "") -> None:
        """Say of photos, by their ids, whether they are right for a query; None takes it back.

        A photo whose bytes were never hashed can have none.
        """
        with self._connection.write() as db:
            digests = db.execute(
                "SELECT photos.id, digest FROM photos JOIN contents ON contents.id = content_id "
                "WHERE digest IS NOT NULL AND photos.id IN (SELECT value FROM json_each(?))",
                [_listed(fits)],
            ).fetchall()
            for photo, digest in digests:
                db.execute("DELETE FROM verdicts WHERE query = ? AND digest = ?", [query, digest])
                if fits[photo] is not None:
                    db.execute(
                        "INSERT INTO verdicts (query, digest, fits, locale, given_at) "
                        "VALUES (?, ?, ?, ?, ?)",
                        [query, digest, int(bool(fits[photo])), locale, now()],
                    )

    def count(self) -> int:
        """How many there are of photos that are here."""
        query = "SELECT count(*) FROM verdicts JOIN contents USING (digest)"
        return int(self._connection.rows(query)[0][0])

    def layer(self, bundle_id: str) -> bytes | None:
        """What was learned for a bundle; None where nothing is switched on."""
        edition = self._connection.edition
        if self._layer is None or self._layer[:2] != (edition, bundle_id):
            query = "SELECT layer FROM tunings WHERE bundle_id = ?"
            rows = self._connection.rows(query, [bundle_id])
            self._layer = edition, bundle_id, bytes(rows[0][0]) if rows else None
        return self._layer[2]

    def learned_from(self, bundle_id: str) -> int:
        """How many verdicts the layer of a bundle was learned from; 0 where there is none."""
        query = "SELECT verdicts FROM tunings WHERE bundle_id = ?"
        rows = self._connection.rows(query, [bundle_id])
        return int(rows[0][0]) if rows else 0

    def put_layer(self, bundle_id: str, layer: bytes, verdicts: int) -> None:
        """Switch on what was learned from so many verdicts."""
        with self._connection.write() as db:
            db.execute(
                "REPLACE INTO tunings (bundle_id, layer, verdicts, made_at) VALUES (?, ?, ?, ?)",
                [bundle_id, layer, verdicts, now()],
            )

    def drop_layer(self, bundle_id: str) -> bool:
        """Switch it off; whether there was any."""
        with self._connection.write() as db:
            gone = db.execute("DELETE FROM tunings WHERE bundle_id = ?", [bundle_id])
            return gone.rowcount > 0


def forget_verdicts(db: sqlite3.Connection) -> None:
    """Drop verdicts on bytes that are not recorded any more, and all that was learned from them."""
    gone = db.execute(
        "DELETE FROM verdicts WHERE digest NOT IN "
        "(SELECT digest FROM contents WHERE digest IS NOT NULL)"
    )
    if gone.rowcount:
        db.execute("DELETE FROM tunings")


def _listed(photo_ids: Iterable[int]) -> str:
    return json.dumps([int(one) for one in photo_ids])
