"""What the catalogue's SQL needs and SQLite lacks: comparing names, and distances on the Earth."""

from __future__ import annotations

import math
import sqlite3
import unicodedata

# Kilometres. The Earth is taken as a sphere, which errs by half a percent at most.
_RADIUS = 6371.0


def folded(text: str) -> str:
    """`text` without case and accents, as names are compared."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def kilometres(north: float, east: float, other_north: float, other_east: float) -> float:
    """The distance of two points, in degrees north and east."""
    a, b = math.radians(north), math.radians(other_north)
    turn = math.radians(other_east - east)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(turn / 2) ** 2
    return 2 * _RADIUS * math.asin(math.sqrt(min(1.0, half)))


def register(connection: sqlite3.Connection) -> None:
    """Make both known to SQL on this connection; of NULL they make NULL."""

    def folded_or_null(text: str | None) -> str | None:
        return None if text is None else folded(text)

    def kilometres_or_null(*degrees: float | None) -> float | None:
        known = [value for value in degrees if value is not None]
        return kilometres(*known) if len(known) == len(degrees) else None

    connection.create_function("folded", 1, folded_or_null, deterministic=True)
    connection.create_function("kilometres", 4, kilometres_or_null, deterministic=True)
