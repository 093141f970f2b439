"""Who is in photos by the names that other programs wrote, read again where photos changed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from sys import intern

import numpy as np
from numpy.typing import NDArray

from index.catalogue.connection import Connection
from index.catalogue.functions import folded, place_key
from index.catalogue.id_parts import IdParts

# The levels above people in paths of keywords, as programs call them.
_ABOVE = frozenset(
    {
        *("people", "person", "persons", "faces", "family", "who"),
        *("personen", "leute", "gesichter", "familie"),
        *("personnes", "visages", "famille", "personas", "gente", "caras", "familia"),
        *("persone", "volti", "famiglia", "pessoas"),
    }
)
# What digiKam keeps there for faces of which nobody knows whose they are.
_NOBODY = frozenset({"unknown", "unconfirmed", "ignored"})
_ROWS = """
    SELECT people, keywords, group_concat(photo_id) FROM metadata
    WHERE photo_id >= ? AND photo_id < ? AND keywords <> '[]'
        AND (people <> '[]' OR instr(keywords, '|') OR instr(keywords, '/')
            OR instr(keywords, '\\'))
    GROUP BY 1, 2
"""


@dataclass(frozen=True, eq=False)
class Found:
    """Somebody of the files; `ids` (n,) of the photos rise, and some may be missing."""

    name: str
    above: tuple[str, ...] = ()
    ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass(frozen=True, eq=False, slots=True)
class _Entry:
    """As `Found`, in one part, with the texts of the first of them, and of the first in a group."""

    name: str
    above: tuple[str, ...]
    first: tuple[str, str]
    grouped: tuple[str, str]
    ids: NDArray[np.int64]

    def equals(self, other: _Entry) -> bool:
        same = (self.name, self.above, self.first, self.grouped) == (
            *(other.name, other.above, other.first, other.grouped),
        )
        return same and np.array_equal(self.ids, other.ids)


# Everybody by the keys of their names, and the keys of who is named as somebody.
_Part = tuple[dict[str, _Entry], set[str]]


class PeopleInFiles:
    """Kept for one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._parts: IdParts[_Part] = IdParts(connection, self._part, self._put, times=2)
        self._forget()

    def read(self) -> tuple[dict[str, Found], set[str]]:
        """All by the keys of their names, written as in the first of them; and the keys of those
        who are named, not only in a path of keywords.
        """
        self._parts.renew(self._forget)
        for key in self._stale:
            self._join(key)
        self._stale.clear()
        return dict(self._found), set(self._named)

    def _forget(self) -> None:
        self._entries: dict[str, set[_Entry]] = {}
        self._found: dict[str, Found] = {}
        self._stale: set[str] = set()
        # With how many parts they are named in.
        self._named: Counter[str] = Counter()

    def _put(self, before: _Part | None, after: _Part) -> None:
        was, named_before = before or ({}, set[str]())
        now, named = after
        for key in was.keys() | now.keys():
            old, new = was.get(key), now.get(key)
            if old is not None and new is not None and old.equals(new):
                now[key] = old
                continue
            self._stale.add(key)
            entries = self._entries.setdefault(key, set())
            if old is not None:
                entries.discard(old)
            if new is not None:
                entries.add(new)
        self._named.update(named - named_before)
        self._named.subtract(named_before - named)
        self._named += Counter()  # without those of none

    def _join(self, key: str) -> None:
        """Somebody of all parts."""
        entries = self._entries[key]
        if not entries:
            del self._entries[key]
            self._found.pop(key, None)
            return
        first = min(entries, key=lambda one: one.first)
        grouped = [one for one in entries if one.above]
        above = min(grouped, key=lambda one: one.grouped).above if grouped else ()
        ids = np.sort(np.concatenate([one.ids for one in entries]))
        ids.flags.writeable = False
        self._found[key] = Found(first.name, above, ids)

    def _part(self, first: int, end: int) -> _Part:
        told: dict[str, tuple[str, tuple[str, ...], tuple[str, str], tuple[str, str]]] = {}
        ids: dict[str, list[str]] = {}
        named: set[str] = set()
        for names, keywords, held in self._connection.rows(_ROWS, [first, end]):
            written = json.loads(names)
            named.update(map(place_key, written))
            there = people_in(json.loads(keywords), written)
            # Each text once, however many parts it is in.
            text = intern(names), intern(keywords)
            for key, name in {place_key(one): one for one in sorted(there)}.items():
                if not key:
                    continue
                ids.setdefault(key, []).append(held)
                known, above = told.get(key), there[name]
                if known is None:
                    told[key] = intern(name), above, text, text
                elif above and not known[1]:
                    told[key] = known[0], above, known[2], text
        people = {
            intern(key): _Entry(
                *one, np.unique(np.fromstring(",".join(ids[key]), np.int64, sep=","))
            )
            for key, one in told.items()
        }
        return people, named


def people_in(keywords: Iterable[str], people: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Who is named as such, or stands below "People" in paths of keywords; in which groups.

    One who is named, but whose name is not among the keywords any more, was taken off the photo. A
    path that others go on from is a group: "People|Family" beside "People|Family|Anna".
    """
    words = list(keywords)
    there = {folded(word) for word in words}
    found: dict[str, tuple[str, ...]] = {name: () for name in people if folded(name) in there}
    levels = [
        [level.strip() for level in re.split(r"[|/\\]", word) if level.strip()] for word in words
    ]
    paths = [path for path in levels if len(path) > 1 and folded(path[0]) in _ABOVE]
    groups = {tuple(path[:end]) for path in paths for end in range(2, len(path))}
    for path in paths:
        if tuple(path) not in groups and folded(path[-1]) not in _NOBODY:
            found[path[-1]] = tuple(path[1:-1]) or found.get(path[-1], ())
    return found
