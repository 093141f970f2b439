"""What the user says of people: by what name to show them, who is the same, and in what group.

In the files people are names, and they stay as they are there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from index.catalogue.connection import Connection


@dataclass(frozen=True)
class OwnPerson:
    """Somebody of whom the user said something.

    `names` are those by which they go, by their keys (see `place_key`); no two people share one.
    `above` is the group that they are in, as "Family|Grandparents", "" for none, and None where the
    files' own counts.
    """

    name: str
    names: Mapping[str, str] = field(default_factory=dict)
    above: str | None = None
    hidden: bool = False


class OwnPeople:
    """`Catalogue.own_people`. Raises as the catalogue does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[OwnPerson]:
        return own_people(self._connection)

    def put(self, people: Iterable[OwnPerson], without: Collection[str] = ()) -> None:
        """Put people in the place of all who have one of their names, or one with a key of
        `without`, in one transaction.
        """
        new = list(people)
        keys = {*without, *(key for one in new for key in one.names)}
        with self._connection.write() as db:
            db.executemany(
                "DELETE FROM people WHERE id IN (SELECT person_id FROM people_names WHERE key = ?)",
                [(key,) for key in keys],
            )
            for one in new:
                _insert(db, one)


def own_people(connection: Connection) -> list[OwnPerson]:
    """In the order in which they came."""
    names: dict[int, dict[str, str]] = {}
    for person, key, name in connection.rows(
        "SELECT person_id, key, name FROM people_names ORDER BY person_id, rowid"
    ):
        names.setdefault(person, {})[key] = name
    return [
        OwnPerson(name, names.get(number, {}), above, bool(hidden))
        for number, name, above, hidden in connection.rows(
            "SELECT id, name, above, hidden FROM people ORDER BY id"
        )
    ]


def _insert(db: sqlite3.Connection, one: OwnPerson) -> None:
    made = db.execute(
        "INSERT INTO people (name, above, hidden) VALUES (?, ?, ?)",
        [one.name, one.above, int(one.hidden)],
    )
    db.executemany(
        "INSERT INTO people_names (key, name, person_id) VALUES (?, ?, ?)",
        [(key, name, made.lastrowid) for key, name in one.names.items()],
    )
