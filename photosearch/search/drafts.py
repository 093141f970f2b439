"""A description while its words are being gathered, from wherever they stand in the box."""

from __future__ import annotations

from itertools import groupby

from msgspec import Struct, field

from photosearch.search.lexicon import SMALL
from photosearch.search.query import Described, Fact


class Draft(Struct):
    """A term whose words are still being gathered."""

    weight: float
    start: int  # where its weight stands, or its first word
    words: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)  # the language given for each of them, or ""
    weighted: bool = False  # whether a weight was typed
    rest: list[str] = field(default_factory=list)  # the words without those that name facts

    def described(self) -> Described:
        return self._described(self.words)

    def resting(self) -> Described | None:
        """What is described beside the facts, if anything is."""
        found = self._described(self.rest)
        return found if SMALL.issuperset(found.text.lower().split()) is False else None

    def _described(self, words: list[str]) -> Described:
        text = " ".join(filter(None, words))
        if not any(self.languages):
            return Described(text)
        groups = groupby(zip(self.languages, words, strict=True), key=lambda one: one[0])
        runs = [(code, " ".join(word for _, word in group if word)) for code, group in groups]
        return Described(text, tuple(run for run in runs if run[1]))


def without_facts(text: str, start: int, end: int, facts: list[Fact]) -> str:
    """The words from `start` to `end` that name no fact, and no small words at the ends."""
    kept, left = [], start
    for fact in facts:
        kept.append(text[left : max(left, fact.start)])
        left = max(left, fact.end)
    words = " ".join([*kept, text[left:end]]).split()
    if facts:
        while words and words[0].lower().strip(",;.") in SMALL | {""}:
            words.pop(0)
        while words and words[-1].lower().strip(",;.") in SMALL | {""}:
            words.pop()
    return " ".join(words)
