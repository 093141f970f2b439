"""Which language words are in: told by the words themselves, and by the locale where they fit both.

English comes first. Another language does only if it knows more of the words than English does,
or as many and is the locale's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from photosearch.words.dictionary import ENGLISH, find
from photosearch.words.language import written_in
from photosearch.words.phrases import pieces, segments, share

# A word that English has but hardly uses: "playa" is one of geology.
_RARE = 0.6
_ENDED = 0.9
_ENDINGS = (
    ("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("d", ""), ("ing", ""),
    ("ing", "e"), ("er", ""), ("er", "e"), ("est", ""), ("ly", ""), ("y", ""),
)  # fmt: skip
# Words that have no vowel of their own are what is left of "don't" and "dog's".
_CUT_OFF = frozenset({"s", "t", "d", "m", "ll", "re", "ve"})
_CLOSELY = 4  # languages
# Below this a language is a guess: half of the words are unknown to it.
_LEAST = 0.5
# A short word with an ending is one in some language by chance, such as a name or an invented one.
_SHORT = 5
_SURE_OF_SHORT = 0.95


def latin(words: Sequence[str], locale: str) -> str:
    """The language of folded words in Latin letters; "en" also for what is in none."""
    if not words:
        return ENGLISH
    english = english_share(words)
    if locale == ENGLISH and english >= 1:
        return ENGLISH
    order = _first(locale, written_in("latin"))
    if locale in order:
        own = share(list(pieces(words, locale)))
        if own >= max(english, _LEAST):
            return locale
    if english >= 1:
        return ENGLISH
    shares = {code: share(list(pieces(words, code, quick=True))) for code in order}
    listed = dict(shares)
    if max(shares.values()) < 1:
        # In a longer text a language that is meant has some words as the list has them.
        closely = sorted(order, key=lambda code: -shares[code])[:_CLOSELY] if words[2:] else order
        shares |= {code: share(list(pieces(words, code))) for code in closely}
    best = max(order, key=lambda code: shares[code])
    if english >= _LEAST and listed[best] <= english:
        return ENGLISH  # endings and compounds can be read into English words
    needed = _SURE_OF_SHORT if len(words) == 1 and len(words[0]) < _SHORT else _LEAST
    return best if shares[best] > english and shares[best] >= needed else ENGLISH


def english_share(words: Sequence[str]) -> float:
    """How much of the words is English, and how surely."""
    return sum(map(english, words)) / len(words)


def english(word: str) -> float:
    """How surely a folded word is English."""
    entry = find(word).exact.get(ENGLISH)
    if entry == "" or word in _CUT_OFF:
        return 1.0
    for ending, instead in _ENDINGS:
        stem = word[: len(word) - len(ending)] + instead
        if word.endswith(ending) and len(stem) > 2 and find(stem).exact.get(ENGLISH) == "":
            return _ENDED
    return 0.0 if entry is None else _RARE


def east_asian(text: str, locale: str) -> str:
    """Of words in kana and Chinese characters: "ja" or "zh"."""
    if any("\u3041" <= letter <= "\u30ff" for letter in text):
        return "ja"
    order = ("ja", "zh") if locale == "ja" else ("zh", "ja")
    # Of those that know as much, the one that needs fewer words.
    found = {code: list(segments(text, code)) for code in order}
    return max(order, key=lambda code: (round(share(found[code]), 3), -len(found[code])))


def cyrillic(words: Sequence[str], locale: str) -> str:
    order = _first(locale, written_in("cyrillic"))
    # Others than these two may have them as well.
    if len(order) == 2 and any(letter in "іїєґ" for word in words for letter in word):
        return "uk"
    return max(order, key=lambda code: share(list(pieces(words, code))))


def _first(locale: str, codes: Sequence[str]) -> list[str]:
    """The same in order, with the locale's own, if it is among them, at the beginning."""
    return sorted(codes, key=lambda code: code != locale)
