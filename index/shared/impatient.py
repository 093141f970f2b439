"""A connection that is given up when nothing is heard on it for too long.

The system tells of a line that is down, after a minute. It does not tell of a server that is stuck,
nor of what stands between and takes all that is sent. It takes psycopg 3.3, which says now and then
that nothing has come.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import OperationalError

_T = TypeVar("_T")


class SilenceError(OperationalError):
    """Nothing was heard of the server; the connection is closed."""


def is_silence(error: Exception) -> bool:
    return isinstance(error, SilenceError)


class Impatient(psycopg.Connection[Any]):
    """A connection of psycopg's; all that waits for the server does so in `wait`."""

    seconds = float("inf")

    def wait(self, gen: Generator[Any, Any, _T], *given: Any, **options: Any) -> _T:
        try:
            wanted = next(gen)
        except StopIteration as ended:  # it is here already, as most rows of many are
            value: _T = ended.value
            return value
        return super().wait(self._heard(gen, wanted), *given, **options)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Something has to be heard sooner meanwhile."""
        usual, self.seconds = self.seconds, min(seconds, self.seconds)
        try:
            yield
        finally:
            self.seconds = usual

    def _heard(self, waiting: Generator[Any, Any, _T], wanted: Any) -> Generator[Any, Any, _T]:
        """What waits, ended when nothing comes for longer than it may be."""
        last = time.monotonic()
        while True:
            ready = yield wanted
            if ready:
                last = time.monotonic()
            elif time.monotonic() - last > self.seconds:
                waiting.close()
                self.pgconn.finish()
                raise SilenceError(f"nothing was heard of the server for {self.seconds:.0f} s")
            try:
                wanted = waiting.send(ready)
            except StopIteration as ended:
                value: _T = ended.value
                return value


def connect(address: str, silence: float, **options: Any) -> Impatient:
    """Connect to a server of which something has to be heard every so many seconds."""
    connection = Impatient.connect(address, **options)
    connection.seconds = silence
    return connection
