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
_LETTERS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}


@dataclass(frozen=True)
class Synset:
    """Words that share a meaning, and the definition of that meaning."""

    words: tuple[str, ...]
    gloss: str


def read_synsets(folder: Path = DEFAULT_FOLDER, part_of_speech: str = "noun") -> Iterator[Synset]:
    """The synsets of `noun`, `verb`, `adj` or `adv`, in file order.

    Raises `ValueError` when the WordNet files are not in `folder`.
    """
    path = _file(folder, f"data.{part_of_speech}")
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


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise ValueError(
            f"{path}: no WordNet here; install Debian's wordnet-base, name its folder "
            "with --wordnet, or do without it by --no-wordnet where a command has that"
        )
    return path


def _readable(word: str) -> str:
    """`Canis_lupus` to `Canis lupus`; adjectives lose their syntactic marker, as in `alive(p)`."""
    return re.sub(r"\((?:a|p|ip)\)$", "", word).replace("_", " ")


@dataclass(frozen=True)
class Senses:
    """What WordNet's index knows of words, in small letters.

    words: of each synset, such as `02084071-n`. ranks: which sense of a word a synset is, where 0
    is the commonest. tagged: words that the texts had in which WordNet's makers marked senses.
    """

    words: dict[str, tuple[str, ...]]
    ranks: dict[tuple[str, str], int]
    tagged: frozenset[str]


def read_senses(folder: Path = DEFAULT_FOLDER) -> Senses:
    """Raises `ValueError` when the WordNet files are not in `folder`."""
    words: dict[str, tuple[str, ...]] = {}
    ranks: dict[tuple[str, str], int] = {}
    tagged = set()
    for part_of_speech, letter in _LETTERS.items():
        for parts in _lines(folder, "data", part_of_speech):
            count = int(parts[3], 16)
            words[f"{parts[0]}-{letter}"] = tuple(
                _readable(word).lower() for word in parts[4 : 4 + 2 * count : 2]
            )
        for parts in _lines(folder, "index", part_of_speech):
            word, count = _readable(parts[0]), int(parts[2])
            if int(parts[-count - 1]):
                tagged.add(word)
            for rank, offset in enumerate(parts[-count:]):
                ranks[word, f"{offset}-{letter}"] = rank
    return Senses(words, ranks, frozenset(tagged))


def _lines(folder: Path, kind: str, part_of_speech: str) -> Iterator[list[str]]:
    """The fields of each line, without the gloss."""
    path = _file(folder, f"{kind}.{part_of_speech}")
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.startswith("  "):  # the licence that heads each file
                yield line.partition(" | ")[0].split()
