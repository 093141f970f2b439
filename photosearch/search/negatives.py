"""What a description leaves out in plain words: without people, no cars or trees, sans neige."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from msgspec import Struct


class _Words(Struct, frozen=True):
    """Patterns of one language: what leaves out, what goes on after it, what joins, articles."""

    negation: str
    stop: str
    joint: str
    article: str


# Of "with no" and "no"; "mit keinen" and "keine".
_WORDS = {
    "en": _Words(
        r"(?:and\s+)?(?:without(?:\s+any)?|with\s+no|but\s+no(?:t|\s+)|no)",
        "with|without|but|on|in|at|near|by|under|over|behind|beside|while|during|no",
        r"(?:and|or|nor)\s+(?:any\s+|no\s+)?",
        "an?|the|any",
    ),
    "de": _Words(
        r"(?:und\s+)?(?:aber\s+|mit\s+)?(?:ohne(?:\s+jede[nr]?)?|kein(?:e[nmr]?)?)",
        "mit|ohne|aber|auf|am|im|in|an|bei|beim|unter|über|hinter|neben|vor|während|keine?",
        r"(?:und|oder|noch)\s+(?:ohne\s+|kein(?:e[nmr]?)?\s+)?",
        "eine?[nmr]?|der|die|das|den|dem",
    ),
    "fr": _Words(
        r"(?:et\s+)?(?:mais\s+)?(?:sans(?:\s+aucune?)?|pas\s+de)",
        "avec|sans|mais|sur|dans|en|au|aux|à|près|sous|derrière|devant|pendant|pas",
        r"(?:et|ou|ni)\s+(?:sans\s+)?",
        "une?|les?|la|des?|aucune?",
    ),
    "es": _Words(
        r"(?:y\s+)?(?:pero\s+)?sin(?:\s+ning(?:ún|una))?",
        "con|sin|pero|sobre|en|al?|cerca|bajo|detrás|delante|durante|junto",
        r"(?:y|e|o|u|ni)\s+(?:sin\s+)?",
        "una?s?|el|l[ao]s?|ning(?:ún|una)",
    ),
}
# Words of these mean nothing else in English; "sin" and "sans" do.
_EVERYWHERE = ("en", "de")
_SIGNS = re.compile(r"\bno\s+\w+\s+signs?\b", re.IGNORECASE)


class _Patterns(Struct, frozen=True):
    """What a person leaves out ends where the description goes on with something else."""

    negation: re.Pattern[str]
    stop: re.Pattern[str]
    joint: re.Pattern[str]
    article: re.Pattern[str]


@cache
def _patterns(language: str) -> tuple[_Patterns, ...]:
    languages = dict.fromkeys((*_EVERYWHERE, language))
    return tuple(_compiled(_WORDS[one]) for one in languages)


def _compiled(words: _Words) -> _Patterns:
    every = (
        rf"\b{words.negation}\s+",
        rf"\s*(?:[,;]\s*|\b(?=(?:{words.stop})\b))",
        rf"\s*(?:,\s*)?\b{words.joint}",
        rf"^(?:{words.article})\s+",
    )
    return _Patterns(*(re.compile(one, re.IGNORECASE) for one in every))


def without(
    text: str, start: int, end: int, language: str = "en"
) -> Iterator[tuple[bool, int, int, str]]:
    """The parts of a description: whether each is left out, where it stands, and its words.

    Those of what is not left out are "": they are the text that stands there. English and German
    are read always, and the `language` of the locale ("fr", "es") with them.
    """
    signs = [found.span() for found in _SIGNS.finditer(text, start, end)]
    left = position = start
    while (next_one := _next(text, position, end, language)) is not None:
        found, patterns = next_one
        position = found.end()
        if any(first <= found.start() < last for first, last in signs):
            continue
        taken, stop = _left_out(text, found, end, patterns)
        if not taken:
            continue
        for first, last, words in taken:
            yield True, first, last, words
        yield False, left, found.start(), ""
        left = position = stop
    yield False, left, end, ""


def _next(text: str, start: int, end: int, language: str) -> tuple[re.Match[str], _Patterns] | None:
    """The first words that leave something out, and the patterns of their language."""
    every = ((one.negation.search(text, start, end), one) for one in _patterns(language))
    found = [(match, patterns) for match, patterns in every if match is not None]
    return min(found, key=lambda one: one[0].start(), default=None)


def _left_out(
    text: str, found: re.Match[str], end: int, patterns: _Patterns
) -> tuple[list[tuple[int, int, str]], int]:
    """What follows "without", and where the description goes on."""
    start, position = found.start(), found.end()
    taken = []
    while True:
        stop = patterns.stop.search(text, position, end)
        joint = patterns.joint.search(text, position, end)
        last = min(stop.start() if stop else end, joint.start() if joint else end)
        words = patterns.article.sub("", " ".join(text[position:last].split()).strip(" ,.;"))
        if words:
            taken.append((start, last, words))
        if joint is None or joint.start() != last:
            return taken, stop.end() if stop else end
        start = position = joint.end()
