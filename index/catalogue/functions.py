"""What the catalogue's SQL needs and SQLite lacks: comparing names, and distances on the Earth."""

from __future__ import annotations

import math
import re
import sqlite3
import unicodedata
from functools import lru_cache

from index.catalogue.screenshots import is_screenshot

# Kilometres. The Earth is taken as a sphere, which errs by half a percent at most.
_RADIUS = 6371.0


# Letters that Unicode does not take apart into one of ASCII and an accent, quotes and dashes.
_PLAIN = {
    letter: plain
    for letters, plain in (
        ("\u0142", "l"),
        ("\u00f8", "o"),
        ("\u0111\u00f0", "d"),
        ("\u0127", "h"),
        ("\u0131", "i"),
        ("\u0167", "t"),
        ("\u014b", "n"),
        ("\u00e6", "ae"),
        ("\u0153", "oe"),
        ("\u00fe", "th"),
        ("\u2018\u2019\u201a\u201b\u2032\u02bc\u02bb\u00b4", "'"),
        ("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
        ("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    )
    for letter in letters
}
_PLAIN_TABLE = str.maketrans(_PLAIN)
# German, Danish, Norwegian and Swedish letters as they are written without them.
_SPELT = str.maketrans(
    {"\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00f8": "oe", "\u00e5": "aa"}
)
_PLAIN_WORD = re.compile(r"[^\W_]+")
_BETWEEN_WORDS = re.compile(r"[\s.,'/()-]+")


def folded(text: str) -> str:
    """`text` without case and accents, and with plain quotes and dashes, as names are compared."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN_TABLE))
    # Once more, for what Unicode's compatible forms were taken apart into: a sign for "SM", too.
    letters = (letter for letter in apart if not unicodedata.combining(letter))
    return "".join(letters).casefold().translate(_PLAIN_TABLE)


def place_key(name: str) -> str:
    """The name of a place as it is compared: folded, and without signs between its words."""
    return _BETWEEN_WORDS.sub(" ", folded(name)).strip()


@lru_cache(maxsize=100_000)
def place_keys(name: str) -> frozenset[str]:
    """The keys by which a place of this name is found, as people spell it: Koeln, Koln."""
    spelt = unicodedata.normalize("NFC", name).casefold().translate(_SPELT)
    return frozenset((place_key(name), place_key(spelt)))


def words_in(text: str) -> set[str]:
    """The words of a text or of a file's name, folded, each once."""
    return set(_PLAIN_WORD.findall(folded(text)))


def composed(text: str) -> str:
    """`text` with each letter and its accents as one character, where there is one (NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def same_name(name: str, other: str) -> bool:
    """Whether two names are one, however their accents and capitals are written."""
    return composed(name).casefold() == composed(other).casefold()


def kilometres(north: float, east: float, other_north: float, other_east: float) -> float:
    """The distance of two points, in degrees north and east."""
    a, b = math.radians(north), math.radians(other_north)
    turn = math.radians(other_east - east)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(turn / 2) ** 2
    return 2 * _RADIUS * math.asin(math.sqrt(min(1.0, half)))


def register(connection: sqlite3.Connection) -> None:
    """Make them known to SQL on this connection; of NULL they make NULL."""

    def folded_or_null(text: str | None) -> str | None:
        return None if text is None else folded(text)

    def kilometres_or_null(*degrees: float | None) -> float | None:
        known = [value for value in degrees if value is not None]
        return kilometres(*known) if len(known) == len(degrees) else None

    def has_words(text: str | None, words: str) -> bool:
        return text is not None and words_in(text).issuperset(words.split())

    connection.create_function("has_words", 2, has_words, deterministic=True)
    connection.create_function("folded", 1, folded_or_null, deterministic=True)
    connection.create_function("composed", 1, composed, deterministic=True)
    connection.create_function("is_screenshot", 1, is_screenshot, deterministic=True)
    connection.create_function("kilometres", 4, kilometres_or_null, deterministic=True)
