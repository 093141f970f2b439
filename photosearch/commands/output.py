"""What several commands print alike."""

from __future__ import annotations

import sys
from collections.abc import Iterable


def counted(number: int, noun: str) -> str:
    """The number with its noun, as in "1 photo" and "2 photos"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def shown(path: str) -> str:
    """A path that fits one line of any terminal, whatever is in its name."""
    text = path.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def write_bytes(lines: Iterable[bytes]) -> None:
    """Bytes to standard output: a path may not be text in any encoding."""
    sys.stdout.flush()
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
