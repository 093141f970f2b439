"""A text as words, numbers and signs, as the readers of dates compare them."""

from __future__ import annotations

import re

from photosearch.search.dates import romance
from photosearch.search.dates.token import Token

_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*|[^\w\s]|_")
_SPELT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "'": None})
# A date may stand after these, and before those, without a space between.
_BEFORE = frozenset("([{,;\"'")
_AFTER = frozenset(")]},;!?\"'")


class Tokens:
    """Those of a text, which may be asked for beyond the last one; there the word is empty.

    In French and Spanish the words of dates are put in those that are read, see `romance`.
    """

    def __init__(self, text: str, language: str = "en") -> None:
        every: list[Token] = []
        last = -1
        for found in _TOKEN.finditer(text):
            every.append(Token(*found.span(), found[0].lower(), found.start() == last))
            last = found.end()
        if language in romance.LANGUAGES:
            every = romance.put_so(every, language)
        # Small letters may be more than the capital was; a single sign is kept as it is.
        self._all = [
            one if one.word == "'" else one._replace(word=one.word.translate(_SPELT))
            for one in every
        ]

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
