"""Folders whose names have accents, which systems write as one character or as two.

On macOS both are the same folder. A folder that is named in another way than it was indexed is
still the one that is known, lest its photos be recorded twice.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from index.functions import composed


def as_known(path: str, known: Collection[str]) -> str:
    """`path` as the folders that are `known` spell it, when it is in one of them, or is one."""
    if path.isascii():
        return path
    for folder in known:
        start = folder.rstrip(os.sep)
        head = os.sep.join(path.split(os.sep)[: start.count(os.sep) + 1])
        if head != start and composed(head) == composed(start):
            spelt = start + path[len(head) :]
            if not os.path.exists(path) or _is_same(path, spelt):
                return spelt
    return path


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False
