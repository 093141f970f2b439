"""What a search asks for, as records: terms to look like, and conditions to meet."""

from __future__ import annotations

from dataclasses import dataclass, field

from index.catalogue.conditions import Condition
from photosearch.errors import PhotoIdError, UsageError


@dataclass(frozen=True)
class Described:
    """What the words say.

    `runs` are its words with the language that was given for them, as in "de:gift", or "" for those
    between; there are none where none was given. `read_as` is what a model that knows only English
    is given in their place: texts with weights.
    """

    text: str
    runs: tuple[tuple[str, str], ...] = ()
    read_as: tuple[tuple[str, float], ...] = ()

    @property
    def weighed(self) -> tuple[tuple[str, float], ...]:
        """The texts that a model is given, with their weights."""
        return self.read_as or ((self.text, 1.0),)


@dataclass(frozen=True)
class Pictured:
    """What a photo shows: one of the library by its id, or any picture file by its path."""

    photo: int | str


@dataclass(frozen=True)
class Given:
    """What the picture shows that came with the query, counted from 1."""

    number: int


@dataclass(frozen=True)
class Term:
    """What photos should look like, and how much it counts; below 0 what they should not."""

    content: Described | Pictured | Given
    weight: float = 1.0


@dataclass(frozen=True)
class Reading:
    """One of several things that words may mean, where a name is one of them.

    `kind` is that of a fact, or "look" where they only say what is seen. `name` is what is meant,
    as the library has it, and `filter` what to type in the place of the words to mean it alone.
    """

    kind: str
    name: str
    filter: str


@dataclass(frozen=True)
class Part:
    """Characters `start` to `end` of the box, and what they were taken for.

    `kind` is "like", "unlike", "words", "filter" or "fact". `name` is that of the filter, the kind
    of the fact, and "text", "photo" or "image" for what photos should be like. `meaning` says it in
    a few words. The words of a fact are a part of what photos should be like, too.

    Of a filter and of words `condition` holds for the photos. Of a fact `filter` is what asks for
    nothing else, as in "in:Rome".

    Of words that a model that knows only English would not understand, `read_as` is the English
    that it is given, and `warning` says why there is none. `language` is that which was given for
    them, as in "de:gift".

    `readings` are what a name may mean, where that is more than one thing: two people, or somebody
    and a place. Until one is chosen all hold.
    """

    start: int
    end: int
    kind: str
    name: str
    meaning: str
    language: str = ""
    read_as: str = ""
    warning: str = ""
    filter: str = ""
    condition: Condition | None = field(default=None, compare=False, repr=False)
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class Fact:
    """Words of a description, characters `start` to `end`, that name something known of photos.

    `kind` is "place", "person", "album", "keyword", "camera", "folder", "form" (videos, panoramas),
    "date", or "words" for those of file names, captions and texts. `condition` holds for the
    photos. What is not `certain` may as well mean what it says, as "orange" does, which is a town
    too. `filter` asks for nothing else, where there is one.
    """

    start: int
    end: int
    kind: str
    words: str
    condition: Condition
    certain: bool = True
    filter: str = ""
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class Query:
    """A search box, understood. All conditions hold for what is found.

    `facts` are named by words of the terms, and `rest` are the terms without these words.
    """

    text: str
    terms: tuple[Term, ...] = ()
    conditions: tuple[Condition, ...] = ()
    parts: tuple[Part, ...] = ()
    facts: tuple[Fact, ...] = ()
    rest: tuple[Term, ...] = ()


class QueryError(UsageError):
    """What was typed cannot be understood from the character `position` of `text` on."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        super().__init__(f"{reason} (at character {position + 1})")
        self.text = text
        self.position = position
        self.reason = reason

    @property
    def pointer(self) -> str:
        """Two lines: the text, and a mark below the character."""
        shown = "".join(letter if letter.isprintable() else " " for letter in self.text)
        return f"  {shown}\n  {' ' * self.position}^"


class QueryPhotoIdError(QueryError, PhotoIdError):
    """What was typed names a photo by a number that no photo can have."""
