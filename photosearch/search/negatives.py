"""What a description leaves out in plain words: without people, no cars or trees."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What a person leaves out ends where the description goes on with something else.
_NEGATION = re.compile(
    r"\b(?:and\s+)?(?:without(?:\s+any)?|with\s+no|but\s+no(?:t|\s+)|no)\s+", re.IGNORECASE
)
_STOP = re.compile(
    r"\s*(?:[,;]\s*|\b(?=(?:with|without|but|on|in|at|near|by|under|over|behind|beside|while"
    r"|during|no)\b))",
    re.IGNORECASE,
)
_AND = re.compile(r"\s*(?:,\s*)?\b(?:and|or|nor)\s+(?:any\s+|no\s+)?", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:a|an|the|any)\s+", re.IGNORECASE)
_SIGNS = re.compile(r"\bno\s+\w+\s+signs?\b", re.IGNORECASE)


def without(text: str, start: int, end: int) -> Iterator[tuple[bool, int, int, str]]:
    """The parts of a description: whether each is left out, where it stands, and its words.

    Those of what is not left out are "": they are the text that stands there.
    """
    signs = [found.span() for found in _SIGNS.finditer(text, start, end)]
    left = position = start
    while found := _NEGATION.search(text, position, end):
        position = found.end()
        if any(first <= found.start() < last for first, last in signs):
            continue
        taken, stop = _left_out(text, found, end)
        if not taken:
            continue
        for first, last, words in taken:
            yield True, first, last, words
        yield False, left, found.start(), ""
        left = position = stop
    yield False, left, end, ""


def _left_out(text: str, found: re.Match[str], end: int) -> tuple[list[tuple[int, int, str]], int]:
    """What follows "without", and where the description goes on."""
    start, position = found.start(), found.end()
    taken = []
    while True:
        stop = _STOP.search(text, position, end)
        joint = _AND.search(text, position, end)
        last = min(stop.start() if stop else end, joint.start() if joint else end)
        words = _ARTICLE.sub("", " ".join(text[position:last].split()).strip(" ,.;"))
        if words:
            taken.append((start, last, words))
        if joint is None or joint.start() != last:
            return taken, stop.end() if stop else end
        start = position = joint.end()
