"""When photos were taken."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from index.catalogue.conditions.condition import Simple, Sql

if TYPE_CHECKING:
    from index.catalogue.connection import Connection

# Local time, as everywhere.
_FILE_DATE = "strftime('%Y-%m-%dT%H:%M:%S', mtime_ns / 1000000000, 'unixepoch', 'localtime')"


class Dated(Simple):
    """About the date of a photo.

    With `of_file` it is about the file's time of change, as this machine's clock had it, and only
    about photos that do not say when they were taken.
    """

    __slots__ = ()

    @property
    def is_of_rows(self) -> bool:
        return True

    of_file: bool

    def query(self, connection: Connection) -> Sql:
        if self.of_file:
            return _of_files(*self.holds(_FILE_DATE))
        sql, values = self.holds("taken_at")
        return f"SELECT photo_id FROM metadata WHERE {sql}", values

    @abstractmethod
    def holds(self, moment: str) -> Sql:
        """The SQL that is true of the right dates in the column `moment`, and its parameters."""


class Taken(Dated, Struct, frozen=True):
    """Taken at or after `start` and before `end`: ISO 8601 dates or times; None is no bound.

    A less exact date has to lie between them as a whole: a photo of 1985 is not known to be of
    July 1985.
    """

    start: str | None
    end: str | None
    of_file: bool = False

    def holds(self, moment: str) -> Sql:
        sql = [f"{moment} IS NOT NULL"]
        values: list[Any] = []
        if self.start is not None:
            # The first day of a year is also where a date begins that is no more than that year.
            start = self.start.removesuffix("T00:00:00")
            for length in (10, 7):
                start = start.removesuffix("-01") if len(start) == length else start
            sql.append(f"{moment} >= ?")
            values.append(start)
        if self.end is not None:
            # The year, month or day in which the time ends goes beyond it.
            sql.append(f"{moment} < ? AND {moment} NOT IN (?, ?, ?)")
            values += [self.end, self.end[:4], self.end[:7], self.end[:10]]
        return " AND ".join(sql), values


class TakenInMonth(Dated, Struct, frozen=True):
    """Taken in this month, 1 to 12, of any year."""

    month: int
    of_file: bool = False

    def holds(self, moment: str) -> Sql:
        return f"substr({moment}, 6, 2) = ?", [f"{self.month:02d}"]


class TakenOnDays(Dated, Struct, frozen=True):
    """Taken from one day to another of any year, as in "12-24" to "12-26".

    Where the last comes before the first, it is that of the year after.
    """

    first: str
    last: str
    of_file: bool = False

    def holds(self, moment: str) -> Sql:
        day = f"substr({moment}, 6, 5)"
        joint = "AND" if self.first <= self.last else "OR"
        sql = f"length({day}) = 5 AND ({day} >= ? {joint} {day} <= ?)"
        return sql, [self.first, self.last]


class FileDated(Simple, Struct, frozen=True):
    """That do not say when they were taken, and so have no date but that of their file."""

    @property
    def is_of_rows(self) -> bool:
        return True

    def query(self, connection: Connection) -> Sql:
        return _of_files("1", [])


def _of_files(sql: str, values: list[Any]) -> Sql:
    """Of photos that have no other date."""
    return (
        "SELECT photos.id FROM photos LEFT JOIN metadata ON photo_id = photos.id "
        f"WHERE taken_at IS NULL AND {sql}",
        values,
    )
