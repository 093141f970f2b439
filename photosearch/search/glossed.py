"""A query for a model that knows only some languages: words of others are read as English.

The dictionary is not touched for a model that knows all languages, or does not say which.
"""

from __future__ import annotations

from dataclasses import replace

from photosearch.search.query import Described, Part, Query, Term
from photosearch.words.gloss import Gloss, gloss, language_of
from photosearch.words.language import code_of
from photosearch.words.tokens import unknown_script

ENGLISH = "en"


def glossed(query: Query, locale: str, known: frozenset[str] | None) -> Query:
    """The query, with English for the words that are in none of the `known` languages.

    `known` is None for a model that is not limited to some. `locale` decides where a word is one
    of several languages, as "gift" is.
    """
    if known is None or ENGLISH not in known or not query.terms:
        return query
    reader = _Reader(query, code_of(locale), known)
    return replace(
        query,
        terms=tuple(map(reader.term, query.terms)),
        parts=tuple(map(reader.part, query.parts)),
        rest=tuple(map(reader.term, query.rest)),
    )


class _Reader:
    """All words of a query whose language is not given are taken to be in one."""

    def __init__(self, query: Query, locale: str, known: frozenset[str]) -> None:
        self._locale, self._known = locale, known
        runs = (
            run
            for term in query.terms
            if isinstance(term.content, Described)
            for run in _runs(term.content)
        )
        self._latin = language_of([words for code, words in runs if not code], locale)

    def term(self, term: Term) -> Term:
        if not isinstance(term.content, Described):
            return term
        return replace(term, content=replace(term.content, read_as=self._read_as(term.content)))

    def part(self, part: Part) -> Part:
        if part.name != "text" or part.kind not in ("like", "unlike"):
            return part
        read = self._gloss(part.language, part.meaning)
        script = unknown_script(part.meaning)
        warning = (
            f"This model cannot read {script} letters; describe it in English" if script else ""
        )
        return replace(part, read_as=read.texts[0][0] if read else "", warning=warning)

    def _read_as(self, content: Described) -> tuple[tuple[str, float], ...]:
        runs = _runs(content)
        read = [self._gloss(code, words) for code, words in runs]
        if not any(read):
            return ()
        if len(read) == 1 and read[0]:
            return read[0].texts
        texts = [
            words if one is None else one.texts[0][0]
            for one, (_, words) in zip(read, runs, strict=True)
        ]
        return ((" ".join(texts), 1.0),)

    def _gloss(self, code: str, words: str) -> Gloss | None:
        if code == ENGLISH:
            return None
        read = gloss(words, code or self._locale, code or self._latin)
        return None if read is None or read.language in self._known else read


def _runs(content: Described) -> tuple[tuple[str, str], ...]:
    return content.runs or (("", content.text),)
