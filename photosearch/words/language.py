"""What each language adds to the list of words, from its file in `languages`.

[words]
in the: im        what stands after the colon is "in the" in English
-: sehr           and this is left out
pink|rose: rosa   one of two meanings
next to: neben à_côté_de      words in a row are joined by _
[endings]
en: - e           a word in -en may be listed without it, or with -e for it
[links]
- s n             what may stand between the parts of a compound; none, and there are none
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from photosearch.words.folding import fold

# In the order in which they are tried where several know all words of a text equally well.
LATIN = ("de", "fr", "es", "it", "pt", "nl", "sv", "pl", "da", "nb", "fi", "cs", "ro", "hu", "tr")
LANGUAGES = (*LATIN, "ru", "uk", "el", "ko", "ja", "zh")
# Those that may be named before words, as in "de:gift".
SPOKEN = frozenset({"en", *LANGUAGES})
# What systems call some of them.
_SAME = {"no": "nb", "nn": "nb", "cmn": "zh", "jp": "ja"}

_FOLDER = Path(__file__).with_name("languages")


@dataclass(frozen=True)
class Language:
    """Its small words in English, its endings, and what joins the parts of its compounds."""

    code: str
    words: dict[str, str]
    endings: tuple[tuple[str, tuple[str, ...]], ...]
    links: tuple[str, ...]
    longest: int  # words in a row


def code_of(tag: str) -> str:
    """The language of a locale, as "de" of "de_DE.UTF-8"; "en" for all that are not known."""
    code = tag.replace("-", "_").split("_")[0].split(".")[0].lower()
    code = _SAME.get(code, code)
    return code if code in LANGUAGES else "en"


@cache
def language(code: str) -> Language:
    words: dict[str, str] = {}
    endings: list[tuple[str, tuple[str, ...]]] = []
    links: tuple[str, ...] = ()
    section = ""
    for line in (_FOLDER / f"{code}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("["):
            section = line.strip("[]")
            continue
        said, _, rest = line.rpartition(":")
        there = [_nothing(one) for one in rest.split()]
        if section == "words":
            words |= {fold(one): _nothing(said) for one in there}
        elif section == "endings":
            # Shorter ones are tried first: they take less of a word for something else.
            endings += [(ending, tuple(there)) for ending in said.split()]
        else:
            links = tuple(there)
    endings.sort(key=lambda one: len(one[0]))
    longest = max((word.count(" ") + 1 for word in words), default=1)
    return Language(code, words, tuple(endings), links, longest)


def _nothing(text: str) -> str:
    return "" if text == "-" else text
