"""Writes what is derived of the filters: tables in the documents, and the types of arguments.

    python docs/filter_tables.py

In a document a table stands between the lines `<!-- filters: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from photosearch.search.filters import FILTERS

REPOSITORY = Path(__file__).parents[1]
DOCUMENTS = tuple(REPOSITORY / "docs" / name for name in ("search.md", "api.md", "cli.md"))
VALUES = REPOSITORY / "photosearch" / "search" / "filters" / "values.py"

_TABLE = re.compile(r"(<!-- filters: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
_VALUES = '''\
"""The arguments of `Filters`, for type checkers. Written by docs/filter_tables.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeAlias, TypedDict

Texts: TypeAlias = str | Sequence[str] | None


class Values(TypedDict, total=False):
'''


def guide() -> Iterator[str]:
    """What is typed into the box, and what it holds for."""
    yield "| Filter | Holds for photos |"
    yield "|---|---|"
    rows = [row for one in FILTERS.values() for row in one.guide]
    for holds, together in groupby(rows, key=lambda row: row.holds):
        typed = ", ".join(form for row in together for form in row.typed)
        yield f"| {typed} | {holds} |"


def options() -> Iterator[str]:
    """The options of the command line; a star marks those that may be repeated."""
    yield "| Option | Meaning |"
    yield "|---|---|"
    for one in FILTERS.values():
        star = " *" if one.repeated else ""
        yield f"| `--{one.name} {one.metavar}`{star} | {one.help.en}{_one_of(one.choices)} |"


def arguments() -> Iterator[str]:
    """The fields of `Filters`, which are parameters over HTTP as well."""
    yield "| Name | In Python | Over HTTP | Meaning |"
    yield "|---|---|---|---|"
    for one in FILTERS.values():
        for argument in one.arguments:
            kind = argument.type.removesuffix(" | None").replace("Texts", "str | Sequence[str]")
            kind = kind.replace("|", "\\|")
            over = "true or false" if argument.means else "text"
            over += ", may be repeated" if argument.several else ""
            said = (argument.help or one.help).en + _one_of(argument.choices)
            yield f"| `{argument.name}` | `{kind}` | {over} | {said} |"


def _one_of(choices: tuple[str, ...]) -> str:
    return f" One of {', '.join(choices)}." if choices else ""


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "guide": guide,
    "options": options,
    "arguments": arguments,
}


def documented(text: str) -> str:
    """A document with its tables as they should be."""

    def table(found: re.Match[str]) -> str:
        lines = "".join(f"{line}\n" for line in TABLES[found[2]]())
        return f"{found[1]}\n{lines}\n{found[3]}"

    return _TABLE.sub(table, text)


def values() -> str:
    """The module of the types of arguments."""
    every = (argument for one in FILTERS.values() for argument in one.arguments)
    return _VALUES + "".join(f"    {one.name}: {one.type}\n" for one in every)


def main() -> None:
    # What is installed here by chance is no part of it.
    os.environ["PHOTOSEARCH_PLUGINS"] = "0"
    for path in DOCUMENTS:
        path.write_text(documented(path.read_text(encoding="utf-8")), encoding="utf-8")
    VALUES.write_text(values(), encoding="utf-8")


if __name__ == "__main__":
    main()
