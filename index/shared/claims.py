"""Who changes which folders of an archive for longer: several machines may, each its own.

A claim is a row, and beside it a lock that the server frees when the connection ends, however that
ends; a row without its lock is of somebody who is gone.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from index.errors import CatalogueError
from index.paths import is_within, path_to_text, text_to_path
from index.shared.archive import check_may_write, is_made
from index.shared.server import Server

if TYPE_CHECKING:
    import psycopg

    from index.safety.lock import Holder

# Seconds to wait for others that claim something at the same time.
_PATIENCE = 30.0
# Whether a row's lock is held; it stands in two numbers of 32 bits.
_IS_HELD = """
    EXISTS (
        SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
            AND (classid::bigint << 32 | objid::bigint) = archive_writers.id
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
"""


class Claim:
    """Of one process, on some folders and all below them, or on the whole archive.

    Raises `CatalogueError` when the server cannot be reached or does not allow it.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._server: Server | None = None
        self._id = 0

    def take(self, folders: Sequence[str], holder: Holder) -> Holder | None:
        """Claim `folders`, or all where there are none. Who has one of them, where somebody has."""
        server = Server(self._address, _PATIENCE)
        try:
            if not is_made(server):
                raise CatalogueError(
                    f"{self._address}: there is no catalogue here any more; index a folder first"
                )
            check_may_write(server)
            other = self._taken(server, folders, holder)
        except BaseException:
            server.close()
            raise
        if other is not None:
            server.close()
            return other
        self._server = server
        return None

    def leave(self) -> None:
        if self._server is not None:
            # Where it is lost, so is the claim.
            with suppress(CatalogueError), self._server.writing() as cursor:
                cursor.execute("DELETE FROM archive_writers WHERE id = %s", [self._id])
            self._server.close()
            self._server = None

    def _taken(self, server: Server, folders: Sequence[str], holder: Holder) -> Holder | None:
        with server.writing() as cursor:
            # One after another, so that of two only one finds nobody.
            cursor.execute("LOCK TABLE archive_writers IN SHARE ROW EXCLUSIVE MODE")
            other = _other(cursor, folders)
            if other is not None:
                return other
            self._id = secrets.randbits(62)
            cursor.execute(
                "INSERT INTO archive_writers (id, folders, host, pid, command, since) "
                "VALUES (%s, %s, %s, %s, %s, %s)",
                [self._id, list(map(path_to_text, folders)), *_row(holder)],
            )
            cursor.execute("SELECT pg_advisory_lock(%s)", [self._id])
        return None


def _all(cursor: psycopg.Cursor[Any]) -> list[tuple[list[str], Holder]]:
    """The folders that are claimed, and by whom."""
    from index.safety.lock import Holder

    rows = cursor.execute(
        f"SELECT folders, pid, host, command, since FROM archive_writers WHERE {_IS_HELD}"
    ).fetchall()
    return [(list(map(text_to_path, folders)), Holder(*row)) for folders, *row in rows]


def _other(cursor: psycopg.Cursor[Any], folders: Sequence[str]) -> Holder | None:
    """Who is in the way. Those who are gone are forgotten."""
    cursor.execute(f"DELETE FROM archive_writers WHERE NOT {_IS_HELD}")
    for theirs, holder in _all(cursor):
        if not folders or not theirs:
            return holder
        if any(is_within(a, b) or is_within(b, a) for a in folders for b in theirs):
            return holder
    return None


def _row(holder: Holder) -> list[str | int]:
    return [holder.host, holder.pid, holder.command, holder.since]
