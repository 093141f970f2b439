"""What has been understood of a text so far, and the query that it makes in the end."""

from __future__ import annotations

from collections.abc import Iterable

from index.catalogue.conditions import Condition, InPlace, Near
from photosearch.errors import PhotoIdError, UsageError
from photosearch.photo import photo_named
from photosearch.search.drafts import Draft, without_facts
from photosearch.search.facts import facts_in
from photosearch.search.filters import World, combined
from photosearch.search.query import (
    Described,
    Fact,
    Part,
    Pictured,
    Query,
    QueryError,
    QueryPhotoIdError,
    Reading,
    Term,
)


class Understood:
    """Terms, filters and facts of `text`, with the part of it that each was found in.

    `start` and `end` are where that part stands in the text.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._terms: list[tuple[int, Term]] = []  # with where they begin
        self._filters: list[tuple[str, Condition]] = []
        self._parts: list[Part] = []
        self._facts: list[Fact] = []
        # Words without a weight are one description, wherever they stand.
        self._drafts = [Draft(1.0, -1)]
        self.seasonal = False  # whether a season was named

    def query(self) -> Query:
        """All of it; to be asked for once."""
        rest = list(self._terms)
        for draft in self._drafts:
            if draft.words:
                self._terms.append((draft.start, Term(draft.described(), draft.weight)))
                left = draft.resting()
                rest += [(draft.start, Term(left, draft.weight))] if left else []
        return Query(
            self._text,
            _in_order(self._terms),
            combined(self._filters),
            tuple(sorted(self._parts, key=lambda part: part.start)),
            tuple(self._facts),
            _in_order(rest) if self._facts else (),
        )

    def is_south(self, world: World) -> bool:
        """Whether seasons are those of the south: at the place that was named, or in general."""
        for _, one in self._filters:
            if isinstance(one, Near):
                return one.latitude < 0
            point = world.locate(one.name) if isinstance(one, InPlace) else None
            if point is not None:
                return point[0] < 0
        return bool(world.settled().southern)

    def begin(self, weight: float, start: int) -> None:
        """The words described from here on are a term of their own.

        `start` is where its weight stands, or -1 when none was typed.
        """
        self._drafts.append(Draft(weight, start, weighted=start >= 0))

    def add(
        self, term: Term, name: str, meaning: str, start: int, end: int, language: str = ""
    ) -> None:
        self._terms.append((start, term))
        kind = "unlike" if term.weight < 0 else "like"
        self._parts.append(Part(start, end, kind, name, meaning, language))

    def add_text(self, words: str, weight: float, start: int, end: int, language: str = "") -> None:
        """Words that are a term by themselves."""
        content = Described(words, ((language, words),) if language else ())
        self.add(Term(content, weight), "text", words, start, end, language)

    def add_photo(self, value: str, weight: float, start: int, end: int) -> None:
        """A photo of the library by its id or path.

        Raises `QueryPhotoIdError` for another id, `QueryError` for what names no photo.
        """
        try:
            photo = photo_named(value)
        except PhotoIdError as error:
            raise QueryPhotoIdError(self._text, end - len(value), str(error)) from error
        except UsageError as error:
            raise QueryError(self._text, end - len(value), str(error)) from error
        # Paths stay as they are written: the box shows them.
        named = photo if isinstance(photo, int) else value
        self.add(Term(Pictured(named), weight), "photo", value, start, end)

    def add_filter(
        self,
        name: str,
        one: Condition,
        start: int,
        end: int,
        meaning: str,
        readings: tuple[Reading, ...] = (),
    ) -> None:
        self._filters.append((name, one))
        kind = "words" if name == "words" else "filter"
        self._parts.append(Part(start, end, kind, name, meaning, condition=one, readings=readings))

    def describe(
        self, words: str, start: int, end: int, language: str = "", rest: str | None = None
    ) -> None:
        """Add words to the description that is being gathered; `rest` of them name nothing."""
        draft = self._drafts[-1]
        if not draft.words:
            if draft.start < 0:
                draft.start = start
            # A date may stand between the weight and the first word.
            elif all(part.start < draft.start for part in self._parts):
                start = draft.start
        draft.words.append(words)
        draft.languages.append(language)
        draft.rest.append(words if rest is None else rest)
        kind = "unlike" if draft.weight < 0 else "like"
        self._parts.append(Part(start, end, kind, "text", words, language))

    def describe_plainly(self, start: int, end: int, world: World) -> None:
        """Add the plain words from `start` to `end`, and the facts that some of them name."""
        text = self._text
        facts: list[Fact] = []
        if not self._drafts[-1].weighted:
            facts = facts_in(text, start, end, world)
        self.seasonal |= any(fact.kind == "date" for fact in facts)
        rest = without_facts(text, start, end, facts)
        self.describe(" ".join(text[start:end].split()), start, end, rest=rest)
        self._facts += facts
        self._parts += [
            Part(
                *(fact.start, fact.end, "fact", fact.kind, fact.words),
                filter=fact.filter,
                readings=fact.readings,
            )
            for fact in facts
        ]


def _in_order(terms: Iterable[tuple[int, Term]]) -> tuple[Term, ...]:
    return tuple(term for _, term in sorted(terms, key=lambda item: item[0]))
