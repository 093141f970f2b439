"""One search in a process of its own, as `photosearch search` makes it, that writes nothing.

    python -m photosearch.bench.once LIBRARY MODEL TEXT

The command itself may renew the file of vectors. MODEL may be empty: the library's own.
"""

from __future__ import annotations

import sys

from photosearch import cli
from photosearch.commands import search
from photosearch.library import Library

# The command imports these, and so the time that this takes belongs to a search.
IMPORTED = (cli.main, search.command)


def main(library: str, model: str, text: str) -> None:
    with Library.open(library, model=model or None, readonly=True) as opened:
        for hit in opened.search(text, literal=True):
            sys.stdout.write(f"{hit.photo_id}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
