"""What each language adds to the list of words, from its file in `languages`, or of a package.

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

import re
from functools import cache
from pathlib import Path

from msgspec import Struct

from photosearch.plugins.announced import Announced
from photosearch.plugins.loading import Group, PluginError, failed, reason
from photosearch.words.folding import fold

# In the order in which they are tried where several know all words of a text equally well.
LATIN = ("de", "fr", "es", "it", "pt", "nl", "sv", "pl", "da", "nb", "fi", "cs", "ro", "hu", "tr")
LANGUAGES = (*LATIN, "ru", "uk", "el", "ko", "ja", "zh")
# By the script of a word, as tokens have it, where only one language is written in it.
_SCRIPTED = {"greek": "el", "hangul": "ko"}
# What systems call some of them.
_SAME = {"no": "nb", "nn": "nb", "cmn": "zh", "jp": "ja"}
# Filters are called so.
RESERVED = frozenset({"has", "in", "is", "on"})

_FOLDER = Path(__file__).with_name("languages")


class Language(Struct, frozen=True):
    """Its small words in English, its endings, and what joins the parts of its compounds."""

    code: str
    words: dict[str, str]
    endings: tuple[tuple[str, tuple[str, ...]], ...]
    links: tuple[str, ...]
    longest: int  # words in a row


class WordList(Struct, frozen=True, kw_only=True):
    """A language that a package adds: its code, as in "eo:hundo", and the path of its file.

    `script` is that of its letters: "latin", "cyrillic", or one that no other language has, by the
    name that Unicode's letters begin with, as in "hebrew".
    """

    code: str
    path: Path
    script: str = "latin"


# Those of plugins, by code.
_added: dict[str, tuple[Announced, WordList]] = {}


def _accept(plugin: Announced, found: object) -> str:
    if not isinstance(found, WordList):
        raise PluginError(f"{plugin.value} is no WordList")
    code, script = found.code, found.script.lower()
    if not re.fullmatch(r"[a-z]{2,3}", code):
        raise PluginError(f"{code!r} is no code of a language, of two or three small letters")
    if code in ("en", *LANGUAGES, *_SAME, *RESERVED, *_added):
        raise PluginError(f"the code {code} is taken")
    if script in ("east asian", "number", *_SCRIPTED, *_scripts()):
        raise PluginError(f"another language is written in the script {script}")
    if not Path(found.path).is_file():
        raise PluginError(f"{found.path} is not there")
    _added[code] = plugin, WordList(code=code, path=Path(found.path), script=script)
    return f"language {code} ({script})"


_PLUGINS = Group("languages", _accept)


def _scripts() -> dict[str, str]:
    return {
        one.script: code
        for code, (_, one) in _added.items()
        if one.script not in ("latin", "cyrillic")
    }


def written_in(script: str) -> tuple[str, ...]:
    """The languages whose words are in "latin" or "cyrillic" letters, in the order to be tried."""
    _PLUGINS.load()
    own = LATIN if script == "latin" else ("ru", "uk")
    return (*own, *(code for code, (_, one) in _added.items() if one.script == script))


def scripted() -> dict[str, str]:
    """The languages that have a script for themselves, by that."""
    _PLUGINS.load()
    return _SCRIPTED | _scripts()


def spoken() -> frozenset[str]:
    """The languages that may be named before words, as in "de:gift"."""
    _PLUGINS.load()
    return frozenset({"en", *LANGUAGES, *_added})


def code_of(tag: str) -> str:
    """The language of a locale, as "de" of "de_DE.UTF-8"; "en" for all that are not known."""
    code = tag.replace("-", "_").split("_")[0].split(".")[0].lower()
    code = _SAME.get(code, code)
    return code if code in spoken() else "en"


@cache
def language(code: str) -> Language:
    if code not in _added:
        return _read(code, _FOLDER / f"{code}.txt")
    plugin, one = _added[code]
    try:
        return _read(code, one.path)
    except (OSError, ValueError) as error:
        failed(plugin, f"{one.path} cannot be read ({reason(error)})")
        return Language(code, {}, (), (), 1)


def _read(code: str, path: Path) -> Language:
    """Raises `ValueError` for a line that says nothing."""
    words: dict[str, str] = {}
    endings: list[tuple[str, tuple[str, ...]]] = []
    links: tuple[str, ...] = ()
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("["):
            section = line.strip("[]")
            continue
        said, colon, rest = line.rpartition(":")
        if not colon and section != "links":
            raise ValueError(f"{line!r} has no colon")
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
