"""From what a person typed to a `Query`.

    dogs on a beach -people without cars     what photos should look like, and what not
    2:golden retriever + 0.5:beach           weights
    photo:123 ~/cat.jpg image:1              photos to look like; images come with the query
    "IMG_2041"                               words in file name, caption or keywords
    before:2021 in:Rome -camera:canon        filters, and what they must not be
    Anna -Ben                                names of people in the library
    last summer, in May 2021, in Rome        the same in plain words
    de:gift, en:"gift box"                   words whose language is given

A backslash makes the word after it plain.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import replace

from index.catalogue.conditions import Not, Saying
from index.catalogue.functions import place_key
from photosearch.formats import suffixes
from photosearch.search.dates import Yearly, phrases
from photosearch.search.facts import person_named, readings_of_people
from photosearch.search.filters import (
    Filter,
    World,
    filter_named,
    in_place,
    names,
    read,
    taken,
)
from photosearch.search.negatives import without
from photosearch.search.place_phrases import place_phrases
from photosearch.search.query import (
    Described,
    Given,
    Part,
    Query,
    QueryError,
    Reading,
    Term,
)
from photosearch.search.typed import Typed
from photosearch.search.understood import Understood
from photosearch.words.language import spoken

_HEAVIEST = 1000.0  # beyond, the other parts of a query count for nothing
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?|\.\d+):(?=[^\s\d])")
_KEY = re.compile(r"([A-Za-z]+)(:|(?=[<>=]))(?=\S)")
_EMPTY = re.compile(r"([A-Za-z]+):(?=\s|$)")
_WORD = re.compile(r"\S+")
_PATH = re.compile(r"(?:~?[/\\]|\.\.?[/\\]|[A-Za-z]:[/\\])\S*$")
_TERMS = ("photo", "image")
_NOT = {"en": "not", "de": "nicht", "fr": "pas", "es": "no"}


def parse(text: str, world: World | None = None, *, literal: bool = False) -> Query:
    """Understand `text`; with `literal` all of it is a description.

    Quotes, dashes and signs of any kind are those of ASCII. Raises `QueryError` that points at the
    character where it cannot be understood.
    """
    if literal:
        clean = " ".join(text.split())
        whole = Part(0, len(text), "like", "text", clean)
        return Query(text, (Term(Described(clean)),), (), (whole,)) if clean else Query(text)
    typed = Typed.of(text)
    try:
        return typed.place(_understood(typed, world or World()))
    except QueryError as error:
        raise typed.place_error(error) from error


def _understood(typed: Typed, world: World) -> Query:
    if world.southern is not None:
        return _Parser(typed, world).query()
    northern = _Parser(typed, replace(world, southern=False))
    query = northern.query()
    if northern.understood.seasonal and northern.understood.is_south(world):
        return _Parser(typed, replace(world, southern=True)).query()
    return query


def _is_file(text: str, start: int = 0) -> bool:
    """Whether the rest of `text` is the path of a picture."""
    found = _PATH.match(text, start)
    return found is not None and found[0][found[0].rfind(".") :].lower() in suffixes()


class _Parser:
    def __init__(self, typed: Typed, world: World) -> None:
        self._typed, self._text, self._world = typed, typed.text, world
        self.understood = Understood(typed.text)
        self._run: list[tuple[int, int]] = []  # plain words not yet looked at

    def query(self) -> Query:
        position = 0
        while (position := self._skip(position)) < len(self._text):
            position = self._token(position)
        self._end_run()
        return self.understood.query()

    def _skip(self, position: int) -> int:
        while position < len(self._text) and self._text[position].isspace():
            position += 1
        return position

    def _token(self, start: int) -> int:
        """Take what begins at `start`; where it ends."""
        text = self._text
        if text[start] == "\\" and not _is_file(text, start):
            return self._plain(start)
        if text[start] == "+" and (start + 1 == len(text) or text[start + 1].isspace()):
            self._begin(1.0, -1)
            return start + 1
        position = start
        negative = text[position] == "-" and not text[position + 1 : position + 2].isspace()
        negative = negative and position + 1 < len(text)
        position += negative
        weighted = _WEIGHT.match(text, position)
        weight = float(weighted[1]) if weighted else 1.0
        if weight > _HEAVIEST:
            raise QueryError(text, position, f"a weight is at most {_HEAVIEST:g}")
        if weighted:
            position = weighted.end()
        sign = -weight if negative else weight
        if text[position] == '"':
            return self._quoted(start, position, sign, plain=position == start)
        word = _WORD.match(text, position)
        assert word is not None
        if _is_file(word[0]):
            self._end_run()
            self.understood.add_photo(self._typed.said(*word.span()), sign, start, word.end())
            return word.end()
        key = _KEY.match(text, position)
        if key is not None:
            return self._keyed(key, start, sign, weighted is not None)
        empty = _EMPTY.match(text, position)
        if empty and empty[1].lower() in (*names(), *_TERMS):
            raise QueryError(text, empty.end(), f"{empty[1]}: needs a value right after it")
        if weighted:
            self._begin(sign, start)
            return self._word(position, word.end())
        if negative:
            self._end_run()
            self._leave_out(word[0], start, word.end())
            return word.end()
        return self._word(start, word.end())

    def _plain(self, start: int) -> int:
        """A word after a backslash, which is nothing but a word."""
        self._end_run()
        found = _WORD.match(self._text, start)
        assert found is not None
        if len(found[0]) > 1:
            self.understood.describe(found[0][1:], start, found.end())
        return found.end()

    def _word(self, position: int, end: int) -> int:
        self._run.append((position, end))
        return end

    def _begin(self, weight: float, start: int) -> None:
        """The words that follow are a term of their own."""
        self._end_run()
        self.understood.begin(weight, start)

    def _quote(self, position: int, *, as_typed: bool = False) -> tuple[str, int]:
        """What stands in the quotes that open at `position`, and where they end."""
        close = self._text.find('"', position + 1)
        if close < 0:
            raise QueryError(self._text, position, 'this " is not closed; add another one')
        inner = self._text[position + 1 : close]
        if not inner.strip():
            raise QueryError(self._text, position, "there is nothing between these quotes")
        return self._typed.said(position + 1, close) if as_typed else inner, close + 1

    def _quoted(self, start: int, position: int, weight: float, *, plain: bool) -> int:
        inner, end = self._quote(position, as_typed=plain)
        self._end_run()
        if plain:
            inner = inner.strip()
            self.understood.add_filter("words", Saying(inner), start, end, inner)
        elif weight == -1.0:
            self._leave_out(" ".join(inner.split()), start, end)
        else:
            self.understood.add_text(" ".join(inner.split()), weight, start, end)
        return end

    def _leave_out(self, words: str, start: int, end: int) -> None:
        """What photos should not show, or who is not to be in them."""
        somebody = person_named(words, self._world)
        if somebody is None:
            self.understood.add_text(words, -1.0, start, end)
            return
        said = f"{_NOT[self._world.locale.language]} person {words}"
        self.understood.add_filter("person", Not(somebody), start, end, said)

    def _keyed(self, key: re.Match[str], start: int, weight: float, weighted: bool) -> int:
        text, name = self._text, key[1].lower()
        wanted = filter_named(name)
        if key[2] == "" and not (wanted and wanted.compares):
            found = _WORD.match(text, key.start())
            assert found is not None
            return self._word(key.start(), found.end())
        if name in spoken():
            return self._spoken(name, key.end(), start, weight, weighted)
        if wanted is None and name not in _TERMS:
            given = _WORD.match(text, key.end())
            assert given is not None
            raise QueryError(text, key.start(), _no_filter(key[1], given[0]))
        # Names may have any character in them.
        as_typed = wanted.as_typed if wanted else name == "photo"
        if text[key.end()] == '"':
            value, end = self._quote(key.end(), as_typed=as_typed)
        else:
            found = _WORD.match(text, key.end())
            assert found is not None
            value, end = found[0], found.end()
            if as_typed:
                value = self._typed.said(*found.span())
        self._end_run()
        if name == "photo":
            self.understood.add_photo(value, weight, start, end)
        elif wanted is None:
            if not value.isdecimal() or int(value) < 1:
                raise QueryError(text, key.end(), "image: takes the number of a given picture")
            self.understood.add(
                Term(Given(int(value)), weight), "image", f"picture {value}", start, end
            )
        elif weighted:
            raise QueryError(text, start, f"{name}: holds or not, so it takes no weight")
        else:
            self._read(wanted, value, start, key.end(), end, negative=weight < 0)
        return end

    def _read(
        self, wanted: Filter, value: str, start: int, at: int, end: int, *, negative: bool
    ) -> None:
        """Take a filter, whose value begins at `at`."""
        try:
            found = read(wanted, value, self._world)
        except ValueError as error:
            raise QueryError(self._text, at, str(error)) from error
        self.understood.seasonal |= found.seasonal
        one, said = found.condition, found.said
        if negative:
            one, said = Not(one), f"{_NOT[self._world.locale.language]} {said}"
        readings: tuple[Reading, ...] = ()
        if wanted.name == "person" and not negative:
            readings = self._readings(value)
        self.understood.add_filter(wanted.name, one, start, end, said, readings)

    def _readings(self, name: str) -> tuple[Reading, ...]:
        """Who is meant by a name, where several are."""
        lexicon, key = self._world.lexicon, place_key(name)
        found = readings_of_people(key, lexicon) if lexicon else []
        # Somebody of exactly this name is meant, whoever has it as a part of theirs.
        exact = any(place_key(one.name) == key for one in found)
        return () if exact or len(found) < 2 else tuple(found)

    def _spoken(self, code: str, position: int, start: int, weight: float, weighted: bool) -> int:
        """A word, or words in quotes, in the language that stands before it."""
        if self._text[position] == '"':
            inner, end = self._quote(position)
            words = " ".join(inner.split())
        else:
            found = _WORD.match(self._text, position)
            assert found is not None
            words, end = found[0], found.end()
        self._end_run()
        if weighted:
            self._begin(weight, start)
        if weight < 0 and not weighted:
            self.understood.add_text(words, weight, start, end, code)
        else:
            self.understood.describe(words, start, end, code)
        return end

    # Plain words

    def _end_run(self) -> None:
        """Look for dates, places and negatives in the plain words since the last other thing."""
        if not self._run:
            return
        start, end = self._run[0][0], self._run[-1][1]
        self._run = []
        for first, last in list(self._without_dates(start, end)):
            for begin, stop in list(self._without_places(first, last)):
                self._without_negatives(begin, stop)

    def _without_dates(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        left = start
        for phrase in phrases(self._text[start:end], self._world.calendar):
            first, last = start + phrase.start, start + phrase.end
            if not phrase.spans:
                words = self._text[first:last]
                raise QueryError(
                    self._text, first, f"{words!r} is no day; correct it, or write \\ before it"
                )
            self.understood.seasonal |= phrase.seasonal
            # A limit, a time, and days of any year each hold beside the others.
            days = all(isinstance(one, Yearly) for one in phrase.spans) or len(phrase.spans) > 9
            name = phrase.side or ("month" if days else "date")
            self.understood.add_filter(name, taken(phrase.spans), first, last, phrase.said)
            yield left, first
            left = last
        yield left, end

    def _without_places(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        left = start
        for first, name, last in place_phrases(self._text, start, end, self._world):
            where = self._text[name:last]
            self.understood.add_filter(
                "in", in_place(where, self._world), first, last, f"in {where}"
            )
            yield left, first
            left = last
        yield left, end

    def _without_negatives(self, start: int, end: int) -> None:
        for left_out, first, last, words in without(
            self._text, start, end, self._world.locale.language
        ):
            if left_out:
                self._leave_out(words, first, last)
            else:
                self._describe_between(first, last)

    def _describe_between(self, start: int, end: int) -> None:
        text = self._text
        while start < end and (text[start].isspace() or text[start] in ",;"):
            start += 1
        while start < end and (text[end - 1].isspace() or text[end - 1] in ",;"):
            end -= 1
        if start >= end:
            return
        self.understood.describe_plainly(start, end, self._world)


def _no_filter(name: str, value: str) -> str:
    """Why `name`:`value` is none, and what may be meant."""
    near = difflib.get_close_matches(name.lower(), (*names(), *_TERMS), 1)
    if not near:
        return f'no filter "{name}:"; write \\{name}: if you mean the word'
    meant = near[0] + ":" + value.split('"')[0]
    return f'no filter "{name}:"; did you mean {meant}?'
