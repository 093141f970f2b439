"""A description while its words are being gathered, from wherever they stand in the box."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

from photosearch.search.query import Described


@dataclass
class Draft:
    """A term whose words are still being gathered."""

    weight: float
    start: int  # where its weight stands, or its first word
    words: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)  # of each of them, or ""

    def described(self) -> Described:
        text = " ".join(self.words)
        if not any(self.languages):
            return Described(text)
        groups = groupby(zip(self.languages, self.words, strict=True), key=lambda one: one[0])
        runs = [(code, " ".join(words for _, words in group)) for code, group in groups]
        return Described(text, tuple(runs))
