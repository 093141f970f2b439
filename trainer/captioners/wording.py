"""How things that are known to be in a photo become captions.

captions(["two dogs", "a person"], "photo-1", 2)   # ["a picture of two dogs and a person", ...]
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

TEMPLATES = (
    "a photo of {}",
    "a picture of {}",
    "an image of {}",
    "a photo showing {}",
    "a snapshot of {}",
    "{}",
    "{} in a photo",
    "a photograph with {} in it",
)

# What is true of any photo, for one of which nothing is known.
GENERIC = ("a photo", "a picture", "an image", "a photograph", "a snapshot")

_NUMBERS = ("no", "one", "two", "three", "four", "five")

# Begin with a vowel that is not spoken as one, or with a consonant that is silent.
_TAKE_A = ("eu", "one", "ufo", "uni", "use", "ute", "uku")
_TAKE_AN = ("heir", "honest", "honor", "honour", "hour")


def choose(options: Sequence[str], key: str, count: int) -> list[str]:
    """`count` of `options`, in an order that depends on `key` alone; each comes once before any
    comes again."""

    def rank(option: str) -> bytes:
        return hashlib.sha256(f"{key}\n{option}".encode()).digest()

    ranked = sorted(options, key=rank)
    return [ranked[number % len(ranked)] for number in range(count)]


def captions(things: Sequence[str], key: str, count: int) -> list[str]:
    """`count` captions of a photo that shows `things`, each a phrase with its article or number.

    With nothing to name, they only say that it is a photo.
    """
    if not things:
        return choose(GENERIC, key, count)
    return [template.format(listed(things)) for template in choose(TEMPLATES, key, count)]


def listed(things: Sequence[str]) -> str:
    """Phrases joined as in a sentence: "a, b and c"."""
    *others, last = things
    return f"{', '.join(others)} and {last}" if others else last


def with_article(name: str) -> str:
    """A class name as a phrase: "an apple", "dogs"."""
    word = name.lower()
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "'s")):
        return name  # a plural
    vowel = word.startswith(("a", "e", "i", "o", "u")) and not word.startswith(_TAKE_A)
    return f"{'an' if vowel or word.startswith(_TAKE_AN) else 'a'} {name}"


def counted(one: str, many: str, count: int) -> str:
    """`count` of something: "a dog" or "two dogs"; above five, "several dogs"."""
    if count == 1:
        return one
    return f"{_NUMBERS[count] if count < len(_NUMBERS) else 'several'} {many}"
