"""A word, number or sign of a text that may have dates in it."""

from __future__ import annotations

from typing import NamedTuple


class Token(NamedTuple):
    """Characters `start` to `end`; `glued` when nothing stands between it and the one before."""

    start: int
    end: int
    word: str
    glued: bool
