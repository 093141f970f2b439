"""Filters as arguments in Python, which every interface makes of what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, Unpack

from index.catalogue.conditions import Condition, Not
from photosearch.errors import UsageError
from photosearch.search.filters.filter import Argument
from photosearch.search.filters.registry import combined, filters, read
from photosearch.search.filters.values import Values
from photosearch.search.filters.world import World


@dataclass(frozen=True, init=False)
class Filters:
    """The filters of the box as arguments; what is None is not asked for.

        Filters(before="2021", place=["Rome", "Ostia"], rating=">=4", video=False)

    Dates are `datetime.date`, or text as in the box. `near` may be (degrees north, degrees east)
    or (north, east, kilometres). Several values of one filter mean any of them.
    """

    given: tuple[tuple[str, object], ...]

    def __init__(self, **values: Unpack[Values]) -> None:
        known = _arguments()
        for name in values:
            if name not in known:
                raise TypeError(f"there is no filter {name!r}; there are {', '.join(known)}")
        given = ((name, values.get(name)) for name in known)
        asked = tuple((name, value) for name, value in given if value is not None)
        object.__setattr__(self, "given", asked)

    @classmethod
    def of_box(cls, values: Mapping[str, Sequence[str]]) -> Self:
        """From the values that each filter would have in the box, by its name."""
        known = filters()
        arguments: dict[str, Any] = {}
        for name, several in values.items():
            arguments |= known[name].arguments_for(several)
        return cls(**arguments)

    def __getattr__(self, name: str) -> Any:
        if name not in _arguments():
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return dict(self.given).get(name)

    def conditions(self, world: World) -> tuple[Condition, ...]:
        """Raises `UsageError` naming the filter whose value makes no sense."""
        found: list[tuple[str, Condition]] = []
        known, by_name = _arguments(), filters()
        for name, value in self.given:
            filter_name, argument = known[name]
            one = by_name[filter_name]
            if argument.means:
                wanted = read(one, argument.means, world).condition
                found.append((filter_name, wanted if value else Not(wanted)))
                continue
            for text in argument.text(value):
                try:
                    found.append((filter_name, read(one, text, world).condition))
                except ValueError as error:
                    raise UsageError(f"{name}: {error}") from error
        return combined(found)


def _arguments() -> dict[str, tuple[str, Argument]]:
    """Each argument by its name, with that of its filter."""
    return {
        argument.name: (one.name, argument)
        for one in filters().values()
        for argument in one.arguments
    }
