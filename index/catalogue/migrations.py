"""Bringing a catalogue to the present schema: which steps there are, and taking those it lacks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from index.catalogue.first_schema_steps import (
    add_albums,
    add_changes,
    add_contents,
    add_frames,
    add_live_ids,
    add_metadata_state,
    add_readings,
    add_saved_searches,
    create_tables,
)
from index.catalogue.schema_steps import (
    add_face_answers,
    add_faces,
    add_feed,
    add_filter_indexes,
    add_looks,
    add_marks,
    add_others,
    add_people,
    add_sources_of_dates,
    add_verdicts,
    cover_words,
    fold_readings_again,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

_SET = "photosearch.catalogue"
# In the header of the SQLite file, by which tools can tell whose it is: "phot".
_APPLICATION_ID = 0x70686F74

Step = Callable[["Database"], None]
STEPS: tuple[Step, ...] = (
    create_tables,
    add_contents,
    add_changes,
    add_metadata_state,
    add_live_ids,
    add_albums,
    add_saved_searches,
    add_readings,
    add_frames,
    add_filter_indexes,
    cover_words,
    add_sources_of_dates,
    add_others,
    add_looks,
    fold_readings_again,
    add_marks,
    add_verdicts,
    add_people,
    add_faces,
    add_face_answers,
    add_feed,
)


def applied_steps(connection: sqlite3.Connection) -> set[str] | None:
    """Names of the steps already taken; None when the file holds tables, but not a catalogue's.

    Reads what sqlite-utils recorded without importing it: a search needs no more than this, and
    sqlite-utils imports pandas wherever that is installed.
    """
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    names = set()
    if "_sqlite_migrations" in tables:
        query = "SELECT name FROM _sqlite_migrations WHERE migration_set = ?"
        names = {row[0] for row in connection.execute(query, [_SET])}
    return names if names or not tables else None


def known_steps() -> set[str]:
    return {step.__name__ for step in STEPS}


def migrate(
    db: Database, steps: Sequence[Step] | None = None, *, before: Callable[[], None] | None = None
) -> None:
    """Take the steps that are pending: all, or none if one fails or the process dies.

    With `steps` only those, the first of all. `before` is called first, while no other process can
    write, if any step is pending and others were taken.
    """
    from sqlite_utils import Migrations

    migrations = Migrations(_SET)
    for step in STEPS if steps is None else steps:
        migrations()(step)
    with db.atomic():
        # The first statement writes, so that of two processes the second waits for the first.
        db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        if before is not None:
            # Another process may have taken them while this one waited.
            applied = applied_steps(db.conn)
            if applied and known_steps() - applied:
                before()
        migrations.apply(db)
