"""Comparing texts in SQL, whatever their case and accents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from index.catalogue.conditions.condition import Sql
from index.catalogue.functions import folded
from index.paths import beyond_ascii

if TYPE_CHECKING:
    from index.catalogue.connection import Connection

# Letters of a text with which paths are compared at first; SQLite limits them to 50,000.
_LIKE = 200


def one_of(connection: Connection, column: str, wanted: Callable[[str], bool]) -> Sql:
    """That `column` has a value which is `wanted`: there are few, so Python looks at each."""
    values = [value for value in connection.distinct("metadata", column) if wanted(value)]
    # As one parameter, because their number is limited.
    return (
        f"SELECT photo_id FROM metadata WHERE {column} IN (SELECT value FROM json_each(?))",
        [json.dumps(values, ensure_ascii=False)],
    )


def in_paths(text: str, part: str, wanted: str) -> Sql:
    """Photos with `wanted` in a part of the path, where `text`, which is in that, has to be.

    SQLite's LIKE looks quickly for ASCII letters of either case, and says which paths to look at;
    paths that are not ASCII have an index of their own, and are all looked at.
    """
    holds = f"instr({folding(part)}, ?) > 0"
    alike, pattern = like(text)
    return (
        f"SELECT id FROM photos WHERE path {alike} AND {holds} UNION ALL "
        f"SELECT id FROM photos WHERE {beyond_ascii('path')} AND {holds}",
        [pattern, *[folded(wanted)] * 2],
    )


def like(text: str) -> tuple[str, str]:
    """LIKE for ASCII texts that may have this one in them, whichever way slashes lean; its pattern.

    Only with a letter to escape, since SQLite then compares a third more slowly.
    """
    plain = folded(text)[:_LIKE]
    marked = re.sub(r"[%_!]", r"!\g<0>", plain)
    sql = "LIKE ?" if marked == plain else "LIKE ? ESCAPE '!'"
    return sql, f"%{marked.replace('/', '_')}%"


def folding(text: str) -> str:
    """The SQL for a text folded: by SQLite itself where it is ASCII, which is far quicker."""
    return f"CASE WHEN {beyond_ascii(text)} THEN folded({text}) ELSE lower({text}) END"
