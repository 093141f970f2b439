"""What several commands print alike."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

WAITING_FOR_POWER = "Waiting: this machine runs on its battery."


def counted(number: int, noun: str) -> str:
    """The number with its noun, as in "1 photo" or "2 photos"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def not_connected(hidden: int) -> str:
    """What is said of a folder that is not there."""
    if hidden:
        return f"not connected; {counted(hidden, 'photo')} hidden, none lost"
    return "not connected"


def shown(path: str) -> str:
    """A path that fits one line of any terminal, whatever is in its name."""
    text = path.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


# Kinds of files that are named one by one.
_NAMED = 12


def of_other_kinds(others: Mapping[str, int]) -> str:
    """How many files are no photos, by suffix: "212 files of other kinds: .pdf 200, .svg 12"."""
    kinds = [(shown(suffix) or "no suffix", files) for suffix, files in others.items()]
    named = [f"{kind} {files}" for kind, files in kinds[:_NAMED]]
    if rest := kinds[_NAMED:]:
        named.append(f"{len(rest)} more {sum(files for _, files in rest)}")
    total = counted(sum(others.values()), "file")
    return f"{total} of other kinds: {', '.join(named)}"


def write_bytes(lines: Iterable[bytes]) -> None:
    """Bytes to standard output: a path may not be text in any encoding."""
    sys.stdout.flush()
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
