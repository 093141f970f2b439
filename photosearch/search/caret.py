"""What is being typed at the caret of the search box: a filter's value, or words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from photosearch.search.filters import Filter, filter_named

# What stands between blanks; quotes that are open reach to the end.
_TOKEN = re.compile(r'(?:[^\s"]|"[^"]*(?:"|$))+')
_VALUE = re.compile(r'(-?)([A-Za-z]+):("?)([^"]*)$')
_PLAIN = re.compile(r"[^\\:\"<>=~/+-][^:\"<>=]*$")
_BEFORE_PLACE = re.compile(
    r"(?:in|from|at|aus|bei)(?:\s+(?:the|der|den|dem|die|das))?", re.IGNORECASE
)
# A name has no more words that would be looked for.
_LONGEST = 4


@dataclass(frozen=True)
class Stretch:
    """Characters `start` to `end` of the box, to be replaced, of which `typed` stands before the
    caret.

    With a `filter` that is its value, and the characters are all of it, "-" and name included.
    `after` are the words that stand before a place, as "in", which belong to the characters.
    """

    start: int
    end: int
    typed: str
    sign: str = ""
    filter: Filter | None = None
    after: str = ""

    @property
    def words(self) -> int:
        return len(self.typed.split())


def stretches(text: str, caret: int) -> list[Stretch]:
    """What may be meant at the caret, longest first; nothing where nothing is being typed."""
    tokens = [found for found in _TOKEN.finditer(text) if found.start() < caret]
    at = tokens[-1] if tokens else None
    if at is None or caret > at.end():
        return _after_preposition(text, caret, [one[0] for one in tokens])
    typed, end = text[at.start() : caret], at.end()
    if value := _VALUE.match(typed):
        wanted = filter_named(value[2].lower())
        if wanted is None:
            return []
        return [Stretch(at.start(), end, value[4].strip(), value[1], wanted)]
    if typed.startswith("-") and _PLAIN.match(typed[1:]):
        return [Stretch(at.start(), end, typed[1:], "-")]
    if not _PLAIN.match(typed):
        return []
    first = len(tokens) - 1
    while first and len(tokens) - first < _LONGEST and _PLAIN.match(tokens[first - 1][0]):
        first -= 1
    found = []
    for number in range(first, len(tokens)):
        start = tokens[number].start()
        after, begin = _preposition([one[0] for one in tokens[:number]])
        found.append(
            Stretch(tokens[begin].start() if after else start, end, text[start:caret], after=after)
        )
    return found


def _preposition(words: list[str]) -> tuple[str, int]:
    """The words before a place with which `words` end, and the number of the first of them."""
    for count in (2, 1):
        said = " ".join(words[-count:])
        if len(words) >= count and _BEFORE_PLACE.fullmatch(said):
            return said, len(words) - count
    return "", len(words)


def _after_preposition(text: str, caret: int, words: list[str]) -> list[Stretch]:
    """A place that is not begun yet: "dogs in "."""
    after, _ = _preposition(words)
    if not after or text[caret:].strip():
        return []
    start = text.rstrip().rindex(after.split()[0])
    return [Stretch(start, len(text), "", after=after)]
