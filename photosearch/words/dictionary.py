"""The list of words: assets/words/glosses.zip, made by `photosearch-trainer glosses`.

A search needs some ten of its 350,000 words, so it is read a shelf at a time: 40 KB of lines, in
which a word is found as bytes. To read all of it would take longer than the search.
"""

from __future__ import annotations

import re
import zipfile
from functools import cache, lru_cache

from msgspec import Struct

from photosearch.shipped import asset
from photosearch.words.folding import SHELVES, plain, shelf

ENGLISH = "en"


class Meaning(Struct, frozen=True):
    """The English word for a word, and another one that is likely enough, or ""."""

    first: str
    second: str = ""


class Found(Struct, frozen=True):
    """What the list has for a word, by language: so written, or with other accents only."""

    exact: dict[str, str]
    bare: dict[str, str]


@lru_cache(maxsize=4096)
def find(word: str) -> Found:
    """What there is for a folded word."""
    key = plain(word)
    text, start = _shelf(shelf(key)), f"\n{key}\t".encode()
    exact: dict[str, str] = {}
    bare: dict[str, str] = {}
    at = text.find(start)
    while at >= 0:
        end = text.find(b"\n", at + 1)
        _, written, *entries = text[at + 1 : end].decode().split("\t")
        into = exact if (written or key) == word else bare
        for entry in entries:
            language, _, meaning = entry.partition(":")
            into.setdefault(language, meaning)
        # Lines are in order, so those of one key follow each other.
        at = end if text.startswith(start, end) else -1
    return Found(exact, bare)


def meaning(entry: str) -> Meaning:
    """What an entry of a language but English says, in the list or in the language's own file."""
    first, _, second = entry.partition("|")
    return Meaning(first, second)


@lru_cache(maxsize=32)
def english_words(letter: str, length: int) -> tuple[str, ...]:
    """Those that begin with this letter and have so many letters, or one more or less.

    All shelves are read, which takes a fifth of a second.
    """
    line = re.compile(rf"\n({re.escape(letter)}[a-z]+)\t[^\n]*\ten:(?=[\t\n])".encode())
    found = (one for shelf in range(SHELVES) for one in line.findall(_file().read(f"{shelf:02x}")))
    return tuple(one.decode() for one in found if abs(len(one) - length) < 2)


def translated(least: int) -> list[str]:
    """The English words that are the first meaning of words in at least so many languages.

    Everyday things have words in most. In alphabetical order; all shelves are read.
    """
    languages: dict[str, set[str]] = {}
    for number in range(SHELVES):
        for line in _file().read(f"{number:02x}").decode().split("\n"):
            for entry in line.split("\t")[2:]:
                language, _, said = entry.partition(":")
                if language != ENGLISH and meaning(said).first not in ("", "?"):
                    languages.setdefault(meaning(said).first, set()).add(language)
    return sorted(word for word, known in languages.items() if len(known) >= least)


@lru_cache(maxsize=96)
def _shelf(number: int) -> bytes:
    return _file().read(f"{number:02x}")


@cache
def _file() -> zipfile.ZipFile:
    return zipfile.ZipFile(asset("words", "glosses.zip"))
