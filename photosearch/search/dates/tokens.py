"""A text as words, numbers and signs, as the readers of dates compare them."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*|[^\w\s]|_")
_SPELT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "'": None})
# A date may stand after these, and before those, without a space between.
_BEFORE = frozenset("([{,;\"'")
_AFTER = frozenset(")]},;!?\"'")


class Token(NamedTuple):
    """Characters `start` to `end`; `glued` when nothing stands between it and the one before."""

    start: int
    end: int
    word: str
    glued: bool


class Tokens:
    """Those of a text, which may be asked for beyond the last one; there the word is empty."""

    def __init__(self, text: str) -> None:
        self._all: list[Token] = []
        last = -1
        for found in _TOKEN.finditer(text):
            # Small letters may be more than the capital was; a single sign is kept as it is.
            word = found[0] if found[0] == "'" else found[0].lower().translate(_SPELT)
            self._all.append(Token(*found.span(), word, found.start() == last))
            last = found.end()

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, at: int) -> Token:
        return self._all[at]

    def word(self, at: int) -> str:
        return self._all[at].word if 0 <= at < len(self._all) else ""

    def glued(self, at: int) -> bool:
        return at < len(self._all) and self._all[at].glued

    def number(self, at: int, digits: int = 2) -> int | None:
        """The number of at most so many digits that stands here."""
        word = self.word(at)
        return int(word) if word.isdecimal() and word.isascii() and len(word) <= digits else None

    def words(self, at: int, *expected: str) -> int | None:
        """Where these words end, if they begin here."""
        if all(self.word(at + n) == word for n, word in enumerate(expected)):
            return at + len(expected)
        return None

    def may_start(self, at: int) -> bool:
        """Whether a date can begin here: not inside a name or a number."""
        return not self.glued(at) or self.word(at - 1) in _BEFORE

    def may_end(self, at: int) -> bool:
        """Whether a date can end before this token."""
        if not self.glued(at):
            return True
        return self.word(at) in _AFTER or (self.word(at) in ".:" and not self.glued(at + 1))
