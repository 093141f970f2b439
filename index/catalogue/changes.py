"""What changed since when: by it a file of vectors that is a little behind can still be used.

SQLite's own triggers keep the list, so that nothing that writes can forget to.
"""

from __future__ import annotations

import sqlite3

import numpy as np
from numpy.typing import NDArray

from index.catalogue.connection import Connection


def count_up(db: sqlite3.Connection) -> None:
    """Begin another generation; in the transaction that changes what can be found."""
    db.execute(
        """
        UPDATE state SET value = CASE key
            WHEN 'generation' THEN value + 1 ELSE lower(hex(randomblob(16)))
        END WHERE key IN ('generation', 'revision')
        """
    )
    db.execute(
        """
        INSERT INTO generations (generation, revision)
        SELECT a.value + 0, b.value FROM state AS a, state AS b
        WHERE a.key = 'generation' AND b.key = 'revision'
        """
    )


def changed_since(
    connection: Connection, generation: int, revision: str
) -> NDArray[np.int64] | None:
    """Ids, rising, of the photos that were added, changed or removed after a generation.

    None when this catalogue never was at that generation and revision, or has forgotten it.
    """
    known = connection.rows("SELECT revision FROM generations WHERE generation = ?", [generation])
    if known != [(revision,)]:
        return None
    rows = connection.rows(
        "SELECT photo_id FROM changes WHERE generation > ? ORDER BY photo_id", [generation]
    )
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))


def forget_changes(db: sqlite3.Connection, generation: int) -> None:
    """Forget what changed up to a generation, of which everything that is derived now is."""
    db.execute("DELETE FROM changes WHERE generation <= ?", [generation])
    db.execute("DELETE FROM generations WHERE generation < ?", [generation])
