"""Files that belong to one photo: the XMP that describes it lies beside it."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SIDECAR = ".xmp"


@dataclass(frozen=True)
class Group:
    """Names of one folder's files; the first of `sidecars` goes before the others."""

    name: str
    sidecars: tuple[str, ...] = ()


def groups(names: Iterable[str], pictures: frozenset[str]) -> Iterator[Group]:
    """What the files `names` of one folder make up, in order of name.

    `pictures` are the suffixes of pictures. `a.xmp` describes every picture `a`, whatever its
    suffix, and `a.jpg.xmp` only that one, and so goes first.
    """
    found: list[str] = []
    described: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        stem, suffix = os.path.splitext(name)
        if suffix.lower() == SIDECAR:
            described[stem].append(name)
        elif suffix.lower() in pictures:
            found.append(name)
    for name in found:
        stem = os.path.splitext(name)[0]
        yield Group(name, (*described.get(name, ()), *described.get(stem, ())))
