"""How words are written where they are looked up, by whoever makes the list and whoever reads it.

fold("L'Église")   "l église": no capitals, and parts apart
plain("l église")  "l eglise": no accents either, as many people type
shelf("eglise")    which of the list's members has it, and all words that begin like it
"""

from __future__ import annotations

import re
import unicodedata
import zlib

SHELVES = 256

# An accent alone, as the one that many take for an apostrophe, is a blank with an accent in NFKC.
_JOINTS = re.compile(r"(?:[\s_'`\-\u00b7\u02bc\u2010-\u2013\u2019\u30fb][\u0300-\u036f]*)+")
# Letters that are not a letter and an accent to Unicode, but are typed as if they were.
_BARE = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "ß": "ss", "ð": "d"}
)
_ACCENTS = re.compile(r"[\u0300-\u036f]")


def fold(text: str) -> str:
    """In small letters, composed, with a blank for whatever joins parts of a word."""
    small = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())
    return _JOINTS.sub(" ", small).strip()


def plain(folded: str) -> str:
    """Without accents. Marks of kana and of other scripts stay: they make other letters."""
    if folded.isascii():
        return folded
    apart = _ACCENTS.sub("", unicodedata.normalize("NFD", folded))
    return unicodedata.normalize("NFC", apart.translate(_BARE))


def is_east_asian(letter: str) -> bool:
    """Whether words of its script are written without blanks: kana and Chinese characters."""
    return "\u3005" <= letter <= "\u30ff" or "\u3400" <= letter <= "\u9fff"


def shelf(key: str) -> int:
    """Goes by how a word begins, so that its other forms lie on the same shelf."""
    letters = 1 if key[:1] >= "\u2e80" else 3
    return zlib.crc32(key[:letters].encode()) % SHELVES
