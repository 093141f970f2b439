"""A word as it is typed in some language, to its English meaning: as it is, inflected, joined."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from photosearch.words.dictionary import ENGLISH, Meaning, find, meaning
from photosearch.words.folding import plain
from photosearch.words.language import Language, language

# How sure it is that a word is one of the language.
LISTED, UNACCENTED, ENDED, JOINED = 1.0, 0.92, 0.9, 0.7

_STEM = 3  # letters of a word without its ending
_SYLLABIC = ("ko", "ja", "zh")  # where it is one
_PART = 3  # letters of a part of a compound
_WHOLE = 6  # letters of a compound
# How those without the keys for them write letters with two dots and a ring.
_SPELLED = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("aa", "a"))


class Form(Struct, frozen=True):
    """What a word means, and how sure that is, from 0 to 1."""

    meaning: Meaning
    sure: float


@lru_cache(maxsize=8192)
def read(word: str, code: str) -> Form | None:
    """A folded word, or several in a row, in a language; None when it is none of it.

    Words that the language's own file has come first: they are small ones, or known better.
    """
    own = language(code)
    if word in own.words:
        return Form(meaning(own.words[word]), LISTED)
    listed = _listed(word, code)
    if listed is None or _is_name(listed, word):
        return _ended(word, own) or listed or _spelled(word, own) or _compound(word, own)
    return listed


@lru_cache(maxsize=8192)
def simple(word: str, code: str) -> Form | None:
    """The same without endings and compounds."""
    own = language(code)
    if word in own.words:
        return Form(meaning(own.words[word]), LISTED)
    return _listed(word, code)


def _is_name(form: Form, word: str) -> bool:
    """Whether the English for a word is the word, and a rare one: Bergen is a town, too."""
    return form.meaning.first == word and find(word).exact.get(ENGLISH) != ""


def _listed(word: str, code: str) -> Form | None:
    found = find(word)
    if code in found.exact:
        return Form(meaning(found.exact[code]), LISTED)
    if code in found.bare:
        return Form(meaning(found.bare[code]), UNACCENTED)
    return None


def _ended(word: str, own: Language) -> Form | None:
    forms = beginnings(word, own.code)
    for form in forms:
        if form in own.words:
            return Form(meaning(own.words[form]), ENDED)
        entry = find(form).exact.get(own.code)
        if entry is not None:
            return Form(meaning(entry), ENDED)
    # Accents that were left out, and vowels that change: Bäume is Baum.
    for form in forms:
        entry = find(form).bare.get(own.code)
        if entry is not None:
            return Form(meaning(entry), ENDED * UNACCENTED)
    return None


def beginnings(word: str, code: str) -> list[str]:
    """What a word may be without its ending, whether there is such a word or not."""
    return list(dict.fromkeys(_without_endings(word, language(code))))


def _without_endings(word: str, own: Language) -> Iterator[str]:
    least = 1 if own.code in _SYLLABIC else _STEM
    bare = plain(word)
    for ending, instead in own.endings:
        if word.endswith(ending):
            stem = word[: -len(ending)]
        elif bare.endswith(plain(ending)):
            stem = bare[: -len(plain(ending))]
        else:
            continue
        for other in instead:
            if len(stem) >= min(least, 2) and len(stem + other) >= least:
                yield stem + other


def _spelled(word: str, own: Language) -> Form | None:
    """Muenzen, smoerrebroed: with two letters for one that the keyboard does not have."""
    if own.code not in ("de", "sv", "da", "nb", "fi") or not word.isascii():
        return None
    other = word
    for typed, letter in _SPELLED:
        other = other.replace(typed, letter)
    if other == word:
        return None
    found = _listed(other, own.code) or _ended(other, own)
    return found and Form(found.meaning, found.sure * UNACCENTED)


def _compound(word: str, own: Language) -> Form | None:
    if not own.links or len(word) < _WHOLE or " " in word:
        return None
    parts = _parts(word, own, 3)
    if parts is None:
        return None
    return Form(Meaning(" ".join(parts)), JOINED)


def _parts(word: str, own: Language, most: int) -> tuple[str, ...] | None:
    """The English words of the parts; where there are several ways, of the fewest, with the last
    one as long as it can be: it says what the thing is."""
    if most > 1:
        for at in range(_PART, len(word) - _PART + 1):
            first = _head(word[:at], own)
            if first is None:
                continue
            rest = _tail(word[at:], own)
            if rest is not None:
                return first, rest
    if most > 2:
        for at in range(len(word) - _PART, _PART, -1):
            last = _tail(word[at:], own)
            if last is not None:
                before = _parts_of_head(word[:at], own)
                if before is not None:
                    return *before, last
    return None


def _parts_of_head(word: str, own: Language) -> tuple[str, ...] | None:
    for at in range(_PART, len(word) - _PART + 1):
        first, second = _head(word[:at], own), _head(word[at:], own)
        if first is not None and second is not None:
            return first, second
    return None


def _head(word: str, own: Language) -> str | None:
    for link in own.links:
        if word.endswith(link):
            stem = word[: len(word) - len(link)]
            if len(stem) >= _PART and (found := _noun(stem, own)):
                return found
    return None


def _tail(word: str, own: Language) -> str | None:
    found = _noun(word, own)
    if found is not None:
        return found
    form = _ended(word, own) if len(word) > _PART else None
    return form.meaning.first if form is not None and form.meaning.first else None


def _noun(word: str, own: Language) -> str | None:
    """Small words are no parts."""
    if word in own.words and word not in find(word).exact:
        return meaning(own.words[word]).first if len(word) > _PART else None
    form = _listed(word, own.code)
    return None if form is None else form.meaning.first
