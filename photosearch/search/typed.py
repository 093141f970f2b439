"""What was typed, in the plain characters that the grammar of the box knows.

Phones and word processors put in typographic quotes and dashes, East Asian keyboards full-width
signs, and some systems write an accent as a character of its own. All of them mean the same.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Self

from msgspec import Struct

from photosearch.search.query import Query, QueryError

_PLAIN: dict[str, str] = {
    letter: plain
    for letters, plain in (
        ("\u201c\u201d\u201e\u201f\u00ab\u00bb\u301d\u301e\u301f\u300c\u300d\u300e\u300f", '"'),
        ("\u2018\u2019\u201a\u201b\u02bc", "'"),
        ("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63", "-"),
        ("\u2236\ufe55\ufe13", ":"),
        ("\u3000", " "),
        ("\u2265", ">="),
        ("\u2264", "<="),
    )
    for letter in letters
}
# Full-width forms of ASCII.
_PLAIN |= {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_CLUSTER = re.compile(r"(?s).[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a]*")


class Typed(Struct, frozen=True):
    """`text` is what `original` means in plain characters, composed (NFC).

    Character n of it begins at character `starts[n]` of the original; there is one more, its end.
    """

    original: str
    text: str
    starts: range | tuple[int, ...]

    @classmethod
    def of(cls, original: str) -> Self:
        if original.isascii():
            return cls(original, original, range(len(original) + 1))
        letters: list[str] = []
        starts: list[int] = []
        for cluster in _CLUSTER.finditer(original):
            plain = _PLAIN.get(cluster[0]) or unicodedata.normalize("NFC", cluster[0])
            letters.append(plain)
            starts += [cluster.start()] * len(plain)
        return cls(original, "".join(letters), (*starts, len(original)))

    def said(self, start: int, end: int) -> str:
        """What was typed for these characters of the text, as a file may be called."""
        return self.original[self.starts[start] : self.starts[end]]

    def place(self, query: Query) -> Query:
        """The query, with its parts where they stand in what was typed."""
        parts = (
            replace(part, start=self.starts[part.start], end=self.starts[part.end])
            for part in query.parts
        )
        facts = (
            replace(fact, start=self.starts[fact.start], end=self.starts[fact.end])
            for fact in query.facts
        )
        return replace(query, text=self.original, parts=tuple(parts), facts=tuple(facts))

    def place_error(self, error: QueryError) -> QueryError:
        """The error, at the character of what was typed."""
        return type(error)(self.original, self.starts[error.position], error.reason)
