"""Words in a row, in a language that is known, to English ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from photosearch.words.dictionary import Meaning
from photosearch.words.forms import Form, beginnings, read, simple
from photosearch.words.language import language

_LONGEST = 4  # words in an entry of the list
_LETTERS = 8  # of a word of Japanese or Chinese


class Piece(Struct, frozen=True):
    """`count` words (or letters, where there are no blanks) from `start` on, and what they mean;
    None where that is not known. `sure` is from 0 to 1."""

    start: int
    count: int
    meaning: Meaning | None
    sure: float = 0.0


def pieces(words: Sequence[str], code: str, *, quick: bool = False) -> Iterator[Piece]:
    """The longest known ones, from the left. `quick` leaves endings and compounds out."""
    longest = max(_LONGEST, language(code).longest)
    start = 0
    while start < len(words):
        piece = _at(words, start, min(longest, len(words) - start), code, quick)
        yield piece
        start += piece.count


def _at(words: Sequence[str], start: int, most: int, code: str, quick: bool) -> Piece:
    for count in range(most, 1, -1):
        row = words[start : start + count]
        form = simple(" ".join(row), code) or (None if quick else _first_ended(row, code))
        if form is not None:
            return Piece(start, count, form.meaning, form.sure)
    form = (simple if quick else read)(words[start], code)
    return Piece(start, 1, None) if form is None else Piece(start, 1, form.meaning, form.sure)


def _first_ended(row: Sequence[str], code: str) -> Form | None:
    """An entry of several words whose first one has an ending, as in "pièces de monnaie"."""
    rest = " ".join(row[1:])
    for first in beginnings(row[0], code):
        form = simple(f"{first} {rest}", code)
        if form is not None:
            return Form(form.meaning, form.sure * 0.9)
    return None


def segments(text: str, code: str) -> Iterator[Piece]:
    """Of Japanese or Chinese, which have no blanks: the longest known words, from the left."""
    start = 0
    while start < len(text):
        for count in range(min(_LETTERS, len(text) - start), 0, -1):
            form = read(text[start : start + count], code)
            if form is not None:
                yield Piece(start, count, form.meaning, form.sure)
                break
        else:
            count = 1
            yield Piece(start, count, None)
        start += count


def share(found: Sequence[Piece]) -> float:
    """How much of the words is known, and how surely."""
    total = sum(piece.count for piece in found)
    return sum(piece.sure * piece.count for piece in found) / total if total else 0.0
