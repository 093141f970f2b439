"""All filters, and how several of them go together."""

from __future__ import annotations

from collections.abc import Iterable

from index.catalogue.conditions import Condition, Either, Every, Not
from photosearch.plugins.announced import Announced
from photosearch.plugins.loading import Group
from photosearch.search.filters import dates, files, notes, places
from photosearch.search.filters.filter import Filter, Read
from photosearch.search.filters.plugged import checked
from photosearch.search.filters.world import World
from photosearch.words.language import spoken

# By name, in the order of help and documents. What stands here is a filter everywhere.
FILTERS: dict[str, Filter] = {
    one.name: one for one in (*dates.FILTERS, *places.FILTERS, *files.FILTERS, *notes.FILTERS)
}
# Those of plugins.
_added: dict[str, Filter] = {}


def _accept(plugin: Announced, found: object) -> str:
    there = (FILTERS | _added).values()
    names = {name for one in there for name in (one.name, *one.aliases)}
    arguments = {argument.name for one in there for argument in one.arguments}
    # "de:" stands before a word of German.
    one = checked(plugin, found, names | spoken(), arguments)
    _added[one.name] = one
    return f"filter {one.name}: ({', '.join(one.examples)})"


_PLUGINS = Group("filters", _accept)


def filters() -> dict[str, Filter]:
    """All, by name; those of plugins come last."""
    _PLUGINS.load()
    return FILTERS | _added


def filter_named(name: str) -> Filter | None:
    """The filter of this name, or of which it is an alias."""
    there = filters()
    return there.get(name) or next((one for one in there.values() if name in one.aliases), None)


def names() -> tuple[str, ...]:
    """What may stand before the colon."""
    return tuple(name for one in filters().values() for name in (one.name, *one.aliases))


def read(one: Filter, value: str, world: World) -> Read:
    """What a filter asks for. Raises `ValueError` with the reason when its value makes no sense."""
    if not value.strip():
        raise ValueError(f"{one.name}: needs a value")
    found = one.read(value, world)
    return found if isinstance(found, Read) else Read(found, f"{one.name} {value}")


def combined(found: Iterable[tuple[str, Condition]]) -> tuple[Condition, ...]:
    """Conditions that must all hold, from filters with their names.

    Of filters with the same name one is enough, as in `camera:canon camera:nikon`, unless they are
    limits of the same thing, as in `after:2019 before:2021`, or say what photos are not.
    """
    known = filters()
    together: list[Condition] = []
    choices: dict[tuple[str, type], list[Condition]] = {}
    for name, one in found:
        if known[name].all_hold or isinstance(one, Not):
            together.append(one)
        else:
            # A shape and a kind of file are both asked for with `is:`.
            kind = one.conditions[0] if isinstance(one, Every) else one
            choices.setdefault((name, type(kind)), []).append(one)
    for several in choices.values():
        together.append(several[0] if len(several) == 1 else Either(tuple(several)))
    return tuple(together)
