"""Who is in the photos of a library, and which photo stands for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from index.catalogue.selection import Selection


@dataclass(frozen=True)
class Person:
    """Somebody by name, in `count` photos. `cover` is the id of the newest one that shows nobody
    else, or of the newest of all.
    """

    name: str
    count: int
    cover: int


def find_people(selection: Selection) -> list[Person]:
    """Those who are in most photos first; photos that are missing do not count."""
    present = selection.ids(())
    people = {name: np.intersect1d(ids, present) for name, ids in selection.people().items()}
    shown = np.bincount(np.concatenate([np.empty(0, np.int64), *people.values()]))
    found = []
    for name, ids in people.items():
        if not len(ids):
            continue
        alone = ids[shown[ids] == 1]
        newest = selection.by_date(alone if len(alone) else ids, oldest=False)
        found.append(Person(name, len(ids), int(newest[0])))
    return sorted(found, key=lambda one: (-one.count, one.name))
