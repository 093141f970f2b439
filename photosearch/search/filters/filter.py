"""What a filter is: all that the box, the interfaces and the documents know of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from index.catalogue.conditions import Condition
from photosearch.search.filters.world import World


class Read(Struct, frozen=True):
    """A filter's condition, what it is in a few words, and whether it depends on the seasons.

    The words stand on the chip of the filter.
    """

    condition: Condition
    said: str
    seasonal: bool = False


# Raises `ValueError` with the reason for a value that makes no sense.
Reader: TypeAlias = Callable[[str, World], Condition | Read]


class Help(NamedTuple):
    """One sentence, in each language that we speak."""

    en: str
    de: str
    fr: str = ""
    es: str = ""

    def said(self, language: str) -> str:
        """In this language; in English, where it is not known in that."""
        return getattr(self, language, "") or self.en


class Row(NamedTuple):
    """Of the guide's table: what is typed, and for which photos that holds. Both are Markdown.

    Rows beside each other that say the same become one.
    """

    typed: tuple[str, ...]
    holds: str


def as_texts(value: object) -> list[str]:
    """A value, or several, as the texts that the box would have."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return [str(value)]
    return [str(one) for one in value]


class Argument(Struct, frozen=True):
    """A filter as an argument in Python and a parameter over HTTP.

    Where it `means` a value of the filter it is true or false. Otherwise it takes the filter's
    values; `choices` are the only ones, and where `several` may be given, a client gives a list.
    `type` is what Python takes, which `text` makes the box's texts of. `help` is the filter's,
    where there is none.
    """

    name: str
    type: str
    means: str = ""
    several: bool = False
    choices: tuple[str, ...] = ()
    text: Callable[[object], list[str]] = as_texts
    help: Help | None = None


class Filter(Struct, frozen=True, kw_only=True):
    """One filter of the search box: `name:value`.

    `read` makes the condition of a value. `metavar` stands for the value in help; `choices` are the
    only values, where there are few. `aliases` are other names for it in the box.

    With `repeated` its option may be given several times. With `all_hold` several must all hold;
    otherwise one is enough, as in `camera:canon camera:nikon`.

    With `as_typed` its value keeps the quotes and dashes that were typed: names may have any
    character. With `compares` the value may follow the name at once, as in `rating>=4`.
    """

    name: str
    read: Reader
    help: Help
    metavar: str
    examples: tuple[str, ...]
    guide: tuple[Row, ...]
    arguments: tuple[Argument, ...]
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    repeated: bool = False
    all_hold: bool = False
    as_typed: bool = False
    compares: bool = False

    def arguments_for(self, values: Sequence[str]) -> dict[str, object]:
        """The arguments that ask for these values of the box."""
        found: dict[str, object] = {}
        rest = list(values)
        for argument in self.arguments:
            if argument.means and argument.means in rest:
                found[argument.name] = True
                rest = [value for value in rest if value != argument.means]
        if rest:
            free = next(argument for argument in self.arguments if not argument.means)
            found[free.name] = rest
        return found
