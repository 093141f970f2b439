"""A text in any of the languages as English words.

gloss("Fahrrad")              bicycle, and at half the weight bike
gloss("ein Hund am Strand")   a dog on the beach
gloss("dog")                  None: it is English
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from photosearch.words import choosing
from photosearch.words.dictionary import ENGLISH
from photosearch.words.language import scripted, written_in
from photosearch.words.phrases import Piece, pieces, segments
from photosearch.words.tokens import Token, tokens

SECOND = 0.5  # how much another meaning of a word counts

# Words within English ones that are shorter may be names, or slips.
_LEAST = 4


class Gloss(Struct, frozen=True):
    """English for a text in `language`: `texts`, each with its weight, the likeliest first."""

    language: str
    texts: tuple[tuple[str, float], ...]


def language_of(texts: Sequence[str], locale: str) -> str:
    """What all words in Latin letters are in; `locale` is the code of a language."""
    words = [one.word for text in texts for one in tokens(text) if one.script == "latin"]
    return choosing.latin(words, locale)


def gloss(text: str, locale: str = ENGLISH, latin: str | None = None) -> Gloss | None:
    """None where the text is English, or nothing of it is known.

    `latin` is the language of its words in Latin letters, where that has been told before.
    """
    found = list(tokens(text))
    if latin is None:
        latin = language_of([text], locale)
    read: list[_Read] = []
    languages: list[str] = []
    for script, group in groupby(found, key=lambda one: one.script):
        language, some = _run(list(group), script, latin, locale)
        read += some
        languages += [language] * any(one.piece is not None for one in some)
    if not languages:
        return None
    texts = _texts(read)
    same = " ".join(one.word for one in found)
    if not texts or texts[0][0] == same:
        return None
    return Gloss(languages[0], texts)


class _Read(Struct, frozen=True):
    """A piece that is known, or else words as they were typed."""

    piece: Piece | None
    typed: str


def _run(group: list[Token], script: str, latin: str, locale: str) -> tuple[str, list[_Read]]:
    """Words of one script that follow each other, and what language they are in."""
    words = [one.word for one in group]
    if script == "latin" and latin == ENGLISH:
        return _foreign_among_english(group, locale)
    if script == "east asian":
        code = choosing.east_asian("".join(words), locale)
        return code, [
            _Read(piece if piece.meaning else None, "")
            for word in words
            for piece in segments(word, code)
        ]
    if script == "latin":
        code = latin
    elif script == "cyrillic":
        code = choosing.cyrillic(words, locale)
    elif (own := scripted().get(script.lower())) is not None:
        code = own
    else:
        return ENGLISH, [_Read(None, one.typed) for one in group]
    return code, list(_known(pieces(words, code), group))


def _known(found: Iterator[Piece], group: list[Token]) -> Iterator[_Read]:
    for piece in found:
        typed = " ".join(one.typed for one in group[piece.start : piece.start + piece.count])
        yield _Read(piece if piece.meaning else None, typed)


def _foreign_among_english(group: list[Token], locale: str) -> tuple[str, list[_Read]]:
    """English words as they are, and among them those that are only known elsewhere."""
    language, read = ENGLISH, []
    for one in group:
        code, piece = ENGLISH, None
        if len(one.word) >= _LEAST and len(group) > 1 and not choosing.english(one.word):
            code, piece = _elsewhere(one, locale)
        language = code if piece else language
        read.append(_Read(piece, one.typed))
    return language, read


def _elsewhere(one: Token, locale: str) -> tuple[str, Piece | None]:
    if locale in written_in("latin"):
        (piece,) = pieces([one.word], locale)
        return locale, piece if piece.meaning else None
    if one.typed[:1].isupper():  # a name, more often than not
        return ENGLISH, None
    for code in written_in("latin"):
        (piece,) = pieces([one.word], code, quick=True)
        if piece.meaning and piece.sure >= 1:
            return code, piece
    return ENGLISH, None


def _texts(read: Sequence[_Read]) -> tuple[tuple[str, float], ...]:
    if len(read) == 1 and read[0].piece is not None:
        meaning = read[0].piece.meaning
        assert meaning is not None
        both = (meaning.first, 1.0), (meaning.second, SECOND)
        return tuple(each for each in both if each[0])
    words: list[str] = []
    for one in read:
        meaning = one.piece.meaning if one.piece is not None else None
        words.append(one.typed if meaning is None else meaning.first)
    whole = " ".join(filter(None, words))
    return ((whole, 1.0),) if whole else ()
