"""The words of a text, and in what script each is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from msgspec import Struct

from photosearch.words.folding import fold, is_east_asian
from photosearch.words.language import scripted

_WORD = re.compile(r"[^\W_]+")
_SCRIPTS = {"LATIN": "latin", "CYRILLIC": "cyrillic", "GREEK": "greek", "HANGUL": "hangul"}
# Half of a full-width kana, and the signs that lengthen or repeat one, are called otherwise.
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"})
_PLAIN = re.compile(r"[\x00-\x7f]*")


class Token(Struct, frozen=True):
    """A word: as it was typed, folded, and its script: "latin", "cyrillic", "greek", "hangul",
    "east asian", "number", or the name of another one."""

    typed: str
    word: str
    script: str


def tokens(text: str) -> Iterator[Token]:
    whole = unicodedata.normalize("NFKC", text)
    for found in _WORD.finditer(whole):
        for typed, script in _by_script(found[0]):
            yield Token(typed, fold(typed), script)


def _by_script(word: str) -> Iterator[tuple[str, str]]:
    """The word, or its parts where Latin letters stand beside others, as in Tシャツ."""
    if _PLAIN.fullmatch(word):
        yield word, "number" if word.isdigit() else "latin"
        return
    start, current = 0, ""
    for at, letter in enumerate(word):
        script = script_of(letter)
        if script and current and script != current:
            yield word[start:at], current
            start = at
        current = script or current
    yield word[start:], current or "number"


def script_of(letter: str) -> str:
    """The script of a letter; "" of what is none, such as a digit."""
    if is_east_asian(letter):
        return "east asian"
    if not letter.isalpha():
        return ""
    name = unicodedata.name(letter, "").split(" ")[0]
    return "east asian" if name in _EAST_ASIAN else _SCRIPTS.get(name, name.title())


def unknown_script(text: str) -> str:
    """The name of a script in which there is a word of the text, and that no list covers; or ""."""
    if text.isascii():
        return ""
    known = {*_SCRIPTS.values(), "east asian", "number", "", *scripted()}
    return next((one.script for one in tokens(text) if one.script.lower() not in known), "")
