"""Who is in photos, by the names that other programs wrote into them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from index.catalogue.connection import Connection
from index.catalogue.functions import folded, place_key

# The levels above people in paths of keywords, as programs call them.
_ABOVE = frozenset({"people", "person", "persons", "personen", "faces", "familie", "family"})


def people_in(keywords: Iterable[str], people: Iterable[str]) -> set[str]:
    """The people who are named as such, and those who stand below "People" in paths of keywords."""
    found = set(people)
    for keyword in keywords:
        above, _, last = re.sub(r"[/\\]", "|", keyword).rpartition("|")
        if above and folded(above.split("|")[0].strip()) in _ABOVE:
            found.add(last.strip())
    return found


def photos_by_person(connection: Connection) -> dict[str, NDArray[np.int64]]:
    """Ids (n,), in no order, of the photos that each person is in, by name.

    Names that differ in case, accents and signs alone are one, written as in the first of them.
    """
    rows = connection.rows(
        "SELECT people, keywords, group_concat(photo_id) FROM metadata "
        "WHERE (caption IS NOT NULL OR keywords <> '[]') AND keywords <> '[]' "
        "AND (people <> '[]' OR instr(keywords, '|') OR instr(keywords, '/') "
        "OR instr(keywords, '\\')) GROUP BY 1, 2"
    )
    names: dict[str, str] = {}
    photos: dict[str, list[str]] = {}
    for people, keywords, ids in rows:
        there = sorted(people_in(json.loads(keywords), json.loads(people)))
        for key, name in {place_key(one): one for one in there}.items():
            photos.setdefault(names.setdefault(key, name), []).append(ids)
    return {
        name: np.fromstring(",".join(several), np.int64, sep=",")
        for name, several in photos.items()
    }
