"""What is read of photos in parts, by their ids: again only of the parts in which some changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from index.catalogue.connection import Connection
from index.catalogue.feed import changed_after, last_place

# Ids in a part: fewer are read sooner, and more need less memory.
AT_ONCE = 1 << 13
# Changes from which on it is quicker to read all.
_MANY = 20_000

Part = TypeVar("Part")


class IdParts(Generic[Part]):
    """`read` gives what is to be known of the photos from an id on and below another, in parts of
    `times` as many ids as is usual.

    `put` is told what a part was, or None, and what it is.
    """

    def __init__(
        self,
        connection: Connection,
        read: Callable[[int, int], Part],
        put: Callable[[Part | None, Part], None],
        times: int = 1,
    ) -> None:
        self._connection, self._read, self._put = connection, read, put
        self._size = times * AT_ONCE
        self.place: str | None = None  # in the list of changes, at which the parts were read
        self._parts: dict[int, Part] = {}

    @property
    def parts(self) -> Mapping[int, Part]:
        """What was read of each part, by its number."""
        return self._parts

    def restore(self, place: str, parts: Mapping[int, Part]) -> None:
        """Begin with what another process has read."""
        for number, part in parts.items():
            self._put(None, part)
            self._parts[number] = part
        self.place = place

    def renew(self, forget: Callable[[], None]) -> int:
        """Read what changed, and tell how many parts that were; where all is read, what was put
        before is to be forgotten.
        """
        with self._connection.snapshot():
            changed: Sequence[int] | None = changed_after(self._connection, self.place, _MANY)
            if changed is None:
                # Not known, either, what was read before an error.
                self.place, self._parts = None, {}
                forget()
                ((most,),) = self._connection.rows("SELECT coalesce(max(id), -1) FROM photos")
                changed = range(0, most + 1, self._size)
            numbers = sorted({photo // self._size for photo in changed})
            for number in numbers:
                part = self._read(number * self._size, (number + 1) * self._size)
                self._put(self._parts.get(number), part)
                self._parts[number] = part
            self.place = last_place(self._connection)
            return len(numbers)
