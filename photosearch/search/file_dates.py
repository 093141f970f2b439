"""Asking for the dates of files, where photos have no other."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from index.catalogue.conditions import (
    Condition,
    Either,
    Every,
    FileDated,
    Not,
    Taken,
    TakenInMonth,
    TakenOnDays,
)


def by_file_date(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """The same, with all that is asked about dates asked of files, if `FileDated` is among them.

    A date filter does not hold for a photo that has only the date of its file, unless that is asked
    for.
    """
    if FileDated() not in conditions:
        return tuple(conditions)
    return tuple(map(_of_file, conditions))


def _of_file(condition: Condition) -> Condition:
    match condition:
        case Taken() | TakenInMonth() | TakenOnDays():
            return replace(condition, of_file=True)
        case Not(inner):
            return Not(_of_file(inner))
        case Either(several):
            return Either(tuple(map(_of_file, several)))
        case Every(several):
            return Every(tuple(map(_of_file, several)))
    return condition
