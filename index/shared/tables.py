"""The catalogue's tables as PostgreSQL has them: the same rows, each with when it last changed.

A row is known by its number in SQLite, which is the same in every copy, since nobody writes but on
top of all that was written before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

Row = tuple[Any, ...]

# The column that has the number of a row where it is no column of the catalogue's own.
_ROW = "archive_row"
# The column that has the number of the change by which a row came to be as it is.
VERSION = "archive_version"
# Tables of which the names begin so are not the catalogue's.
OURS = "archive_"
# SQLite's type, PostgreSQL's, and the name by which that is copied.
_TYPES = {
    "INTEGER": ("bigint", "int8"),
    "TEXT": ("text", "text"),
    "REAL": ("double precision", "float8"),
    "BLOB": ("bytea", "bytea"),
}
# So many keys are fetched at a time.
_KEYS = 10_000
# To count more rows than this takes longer than it is worth; the server knows about how many.
_MANY = 100_000
# PostgreSQL has no texts with the character 0 in them. It stands as a private one and "0", and that
# as itself and "1".
_ESCAPE = "\U0010f801"


@dataclass(frozen=True)
class Table:
    """A table: the columns' names and SQLite's types. `key` is the first column in PostgreSQL."""

    name: str
    key: str
    columns: tuple[tuple[str, str], ...]

    @property
    def sqlite_key(self) -> str:
        return "rowid" if self.key == _ROW else self.key

    @property
    def _all(self) -> tuple[tuple[str, str], ...]:
        return ((self.key, "INTEGER"), *self.columns)

    @property
    def _names(self) -> str:
        return ", ".join(f'"{name}"' for name, _ in self._all)

    def local_rows(
        self, local: sqlite3.Connection, which: str = "NOT NULL", parameters: Sequence[Any] = ()
    ) -> sqlite3.Cursor:
        """The rows of the copy, the key first; `which` is a condition on that."""
        names = ", ".join([self.sqlite_key, *(f'"{name}"' for name, _ in self.columns)])
        key = self.sqlite_key
        query = f'SELECT {names} FROM "{self.name}" WHERE {key} {which} ORDER BY {key}'
        return local.execute(query, parameters)

    def local_keys(
        self, local: sqlite3.Connection, which: str, parameters: Sequence[Any] = ()
    ) -> set[int]:
        """The keys of the same rows."""
        query = f'SELECT {self.sqlite_key} FROM "{self.name}" WHERE {self.sqlite_key} {which}'
        return {key for (key,) in local.execute(query, parameters)}

    def put_local(self, local: sqlite3.Connection, rows: Iterable[Row]) -> None:
        """Put rows into the copy, in which none of these numbers may be."""
        names = ", ".join([self.sqlite_key, *(f'"{name}"' for name, _ in self.columns)])
        marks = ", ".join("?" * (len(self.columns) + 1))
        local.executemany(f'INSERT INTO "{self.name}" ({names}) VALUES ({marks})', rows)

    def drop_local(self, local: sqlite3.Connection, keys: Iterable[int]) -> None:
        local.executemany(
            f'DELETE FROM "{self.name}" WHERE {self.sqlite_key} = ?', ((key,) for key in keys)
        )

    def few_rows(self, cursor: psycopg.Cursor[Any], after: int) -> Callable[[], list[Row]]:
        """Ask for the rows that came to be as they are after a version; what gives them, once all
        that is asked at the same time has come.
        """
        asked = cursor.connection.cursor(binary=True)
        asked.execute(f'SELECT {self._names} FROM "{self.name}" WHERE {VERSION} > %s', [after])
        return lambda: [tuple(map(_whole, row)) for row in asked.fetchall()]

    # What follows is read as it comes, and has to be left before anything else is asked, also where
    # it is not read to its end.

    def shared_rows(
        self, cursor: psycopg.Cursor[Any], after: int | None = None
    ) -> AbstractContextManager[Iterator[Row]]:
        """The rows of the archive, or those that came to be as they are after a version."""
        return self._copied(cursor, "" if after is None else f"WHERE {VERSION} > {after:d}")

    def next_rows(
        self, cursor: psycopg.Cursor[Any], key: int, version: int, count: int
    ) -> AbstractContextManager[Iterator[Row]]:
        """So many rows of the archive that are as they were at a version: those after a key."""
        where = f'WHERE "{self.key}" > {key:d} AND {VERSION} <= {version:d}'
        return self._copied(cursor, f'{where} ORDER BY "{self.key}" LIMIT {count:d}')

    @contextmanager
    def _copied(self, cursor: psycopg.Cursor[Any], which: str) -> Iterator[Iterator[Row]]:
        query = f'COPY (SELECT {self._names} FROM "{self.name}" {which}) TO STDOUT (FORMAT BINARY)'
        texts = [at for at, (_, kind) in enumerate(self._all) if kind == "TEXT"]
        with cursor.copy(query) as copy:
            copy.set_types([_TYPES[kind][1] for _, kind in self._all])
            yield (
                tuple(map(_whole, row))
                if any(row[at] is not None and _ESCAPE in row[at] for at in texts)
                else row
                for row in copy.rows()
            )

    def put_few(self, cursor: psycopg.Cursor[Any], rows: Iterable[Row], version: int) -> None:
        """As `put_shared`, among what is sent at once."""
        marks = ", ".join(["%s"] * (len(self.columns) + 2))
        query = f'INSERT INTO "{self.name}" ({self._names}, {VERSION}) VALUES ({marks})'
        for row in rows:
            cursor.execute(query, (*map(_without_zero, row), version))

    def put_shared(self, cursor: psycopg.Cursor[Any], rows: Iterable[Row], version: int) -> None:
        """Put rows into the archive, in which none of these numbers may be."""
        query = f'COPY "{self.name}" ({self._names}, {VERSION}) FROM STDIN (FORMAT BINARY)'
        with cursor.copy(query) as copy:
            copy.set_types([*(_TYPES[kind][1] for _, kind in self._all), "int8"])
            for row in rows:
                copy.write_row((*map(_without_zero, row), version))

    def drop_shared(self, cursor: psycopg.Cursor[Any], keys: list[int]) -> None:
        cursor.execute(f'DELETE FROM "{self.name}" WHERE "{self.key}" = ANY(%s)', [keys])

    def make(self, cursor: psycopg.Cursor[Any]) -> None:
        """Make it in the archive as it is here; what is granted of it, and its rows, stay."""
        there = {
            name
            for (name,) in cursor.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) "
                "AND attnum > 0 AND NOT attisdropped",
                [f'"{self.name}"'],
            )
        }
        if not there:
            cursor.execute(
                f'CREATE TABLE "{self.name}" ("{self.key}" bigint PRIMARY KEY, '
                f"{VERSION} bigint NOT NULL)"
            )
            cursor.execute(f'CREATE INDEX ON "{self.name}" ({VERSION})')
            self._grant(cursor)
            there = {self.key, VERSION}
        wanted = {name: _TYPES[kind][0] for name, kind in self._all}
        for name in there - {*wanted, VERSION}:
            cursor.execute(f'ALTER TABLE "{self.name}" DROP COLUMN "{name}"')
        for name in [name for name in wanted if name not in there]:
            cursor.execute(f'ALTER TABLE "{self.name}" ADD COLUMN "{name}" {wanted[name]}')

    def _grant(self, cursor: psycopg.Cursor[Any]) -> None:
        """Grant of a new table what was granted of the archive's others."""
        grants = cursor.execute(
            "SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, "
            "privilege_type FROM pg_class, aclexplode(relacl) "
            "WHERE oid = 'archive_head'::regclass AND grantee <> relowner"
        ).fetchall()
        for role, right in grants:  # both as the server writes them
            cursor.execute(f'GRANT {right} ON "{self.name}" TO {role}')


def counted(cursor: psycopg.Cursor[Any], tables: Sequence[Table]) -> list[int]:
    """How many rows each table of the archive has; of many about how many."""
    return _asked(
        cursor,
        f"SELECT CASE WHEN reltuples > {_MANY} THEN reltuples::bigint ELSE "
        '(SELECT count(*) FROM "{0}") END FROM pg_class WHERE oid = to_regclass(\'"{0}"\')',
        tables,
    )


def count_changed(cursor: psycopg.Cursor[Any], tables: Sequence[Table], after: int) -> int:
    """How many rows came to be as they are after a version."""
    query = f'SELECT count(*) FROM "{{0}}" WHERE {VERSION} > {after:d}'
    return sum(_asked(cursor, query, tables))


def _asked(cursor: psycopg.Cursor[Any], query: str, tables: Sequence[Table]) -> list[int]:
    """What a query gives for each table, by its name."""
    each = ", ".join(f"({query.replace('{0}', table.name)})" for table in tables)
    ((numbers,),) = cursor.execute(f"SELECT ARRAY[{each}]::bigint[]").fetchall()
    return [int(number or 0) for number in numbers]


@contextmanager
def outdated_keys(
    cursor: psycopg.Cursor[Any], tables: Sequence[Table], after: int
) -> Iterator[Iterator[tuple[Table, list[int]]]]:
    """The keys of the rows that are not as they were at a version, or not there any more: some of a
    table at a time. To be left before anything else is asked.
    """
    parts = [
        part
        for number, table in enumerate(tables)
        for part in (
            f'SELECT {number}, "{table.key}" FROM "{table.name}" WHERE {VERSION} > {after:d}',
            f'SELECT {number}, "row" FROM archive_removed WHERE "table" = \'{table.name}\' '
            f"AND version > {after:d}",
        )
    ]
    query = " UNION ALL ".join(parts)
    with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy:
        copy.set_types(["int4", "int8"])
        found = copy.rows()
        yield (
            (tables[number], [key for _, key in some])
            for many in iter(lambda: list(islice(found, _KEYS)), [])
            for number, some in groupby(many, itemgetter(0))
        )


def tables_of(local: sqlite3.Connection) -> list[Table]:
    """The catalogue's tables in a copy, but for those that SQLite makes of others."""
    names = local.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
        r"AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE '\_sqlite\_%' ESCAPE '\' "
        "AND substr(name, 1, ?) <> ? ORDER BY name",
        [len(OURS), OURS],
    )
    return [_table(local, name) for (name,) in names.fetchall()]


def _table(local: sqlite3.Connection, name: str) -> Table:
    columns = local.execute(
        "SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid", [name]
    ).fetchall()
    keys = [(column, kind) for column, kind, place in columns if place]
    # SQLite's own name for the number of a row.
    key = keys[0][0] if len(keys) == 1 and keys[0][1] == "INTEGER" else _ROW
    return Table(name, key, tuple((each, kind) for each, kind, _ in columns if each != key))


def _without_zero(value: Any) -> Any:
    if isinstance(value, str) and ("\0" in value or _ESCAPE in value):
        return value.replace(_ESCAPE, f"{_ESCAPE}1").replace("\0", f"{_ESCAPE}0")
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str) and _ESCAPE in value:
        return value.replace(f"{_ESCAPE}0", "\0").replace(f"{_ESCAPE}1", _ESCAPE)
    return value
