"""What a condition is, and how several become one."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from index.catalogue.connection import Connection

# A query, and its parameters.
Sql: TypeAlias = tuple[str, list[Any]]


class Simple:
    """A condition not made of others. Those that ask for the same are equal, and hashable."""

    __slots__ = ()

    @property
    def is_of_rows(self) -> bool:
        """Whether its query looks at each photo's own rows of photos and metadata, and no others.

        Then what it gives for other photos than those that changed stays, while the query does.
        """
        return False

    @abstractmethod
    def query(self, connection: Connection) -> Sql:
        """The query for the ids of the photos for which it holds.

        In no order; an id may come more than once, and that of a photo that is missing too. Indexes
        of the catalogue answer nearly all of them, without a look at the rows of photos and
        metadata.
        """


class Not(Struct, frozen=True):
    condition: Condition


class Either(Struct, frozen=True):
    """For which one or more of these hold."""

    conditions: tuple[Condition, ...]


class Every(Struct, frozen=True):
    """For which all of these hold, one or more."""

    conditions: tuple[Condition, ...]


Condition: TypeAlias = Simple | Not | Either | Every
