"""Photos that were taken on some days of many."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from index.catalogue.connection import Connection
from index.catalogue.records import FAVOURITES

# The index of dates finds each day at once. The sign comes after all that can follow a day.
_QUERY = f"""
    SELECT value, photos.id, content_id, coalesce(rating, 0), EXISTS (
        SELECT 1 FROM contents JOIN album_photos USING (digest)
        WHERE contents.id = content_id AND album_id = {FAVOURITES}
    )
    FROM json_each(?) CROSS JOIN metadata ON taken_at >= value AND taken_at < value || '~'
    JOIN photos ON photos.id = photo_id
    WHERE NOT missing ORDER BY value, taken_at, photos.id
"""


@dataclass(frozen=True)
class TakenPhoto:
    """A photo taken on a day "2019-05-03"; those of the same bytes have the same `content`.

    `rating` is 0 where it has none, and -1 where it was rejected.
    """

    day: str
    id: int
    content: int
    rating: int
    favourite: bool


def taken_on(connection: Connection, days: Iterable[str]) -> list[TakenPhoto]:
    """All photos that are not missing and were taken on one of these days, in that order."""
    return [
        TakenPhoto(day, photo, content, rating, bool(favourite))
        for day, photo, content, rating, favourite in connection.rows(
            _QUERY, [json.dumps(sorted(days))]
        )
    ]


def first_year(connection: Connection) -> int | None:
    """The year in which the oldest photo was taken; None where no photo says when."""
    ((oldest,),) = connection.rows("SELECT min(taken_at) FROM metadata")
    return int(oldest[:4]) if oldest else None
