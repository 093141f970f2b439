"""WordNet's words and glosses, read from the files of Debian's `wordnet-base` package.

File format: the `wndb(5WN)` manual page. A line of `data.POS` is a synset: offset, lexicographer
file, type, a hexadecimal word count, that many pairs of word and id, pointers, ` | `, gloss.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DEFAULT_FOLDER = Path("/usr/share/wordnet")


@dataclass(frozen=True)
class Synset:
    """Words that share a meaning, and the definition of that meaning."""

    words: tuple[str, ...]
    gloss: str


def read_synsets(folder: Path = DEFAULT_FOLDER, part_of_speech: str = "noun") -> Iterator[Synset]:
    """The synsets of `noun`, `verb`, `adj` or `adv`, in file order.

    Raises `ValueError` when the WordNet files are not in `folder`.
    """
    path = folder / f"data.{part_of_speech}"
    if not path.is_file():
        raise ValueError(
            f"{path}: no WordNet here; install Debian's wordnet-base, or name its folder "
            "with --wordnet"
        )
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.startswith("  "):  # the licence that heads each file
                continue
            fields, _, gloss = line.partition(" | ")
            parts = fields.split()
            count = int(parts[3], 16)
            words = tuple(_readable(word) for word in parts[4 : 4 + 2 * count : 2])
            # Quoted examples follow the definition; they illustrate the word, they do not define.
            definition = re.split(r';\s*"', gloss, maxsplit=1)[0].strip(" ;\n")
            yield Synset(words, definition)


def _readable(word: str) -> str:
    """`Canis_lupus` to `Canis lupus`; adjectives lose their syntactic marker, as in `alive(p)`."""
    return re.sub(r"\((?:a|p|ip)\)$", "", word).replace("_", " ")
