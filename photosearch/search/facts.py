"""What the words of a description name: places, people, albums, cameras, folders, file names.

The longest names come first, and the words stay a part of the description.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from index.catalogue.conditions import Condition, Either, Noting, Saying
from index.catalogue.functions import folded, place_key, words_in
from photosearch.search.dates import meaning
from photosearch.search.filters import World, in_place, taken
from photosearch.search.lexicon import LONGEST, SMALL, FactKind, Lexicon, asking, says_something
from photosearch.search.query import Fact, Reading
from photosearch.words.choosing import english
from photosearch.words.folding import fold

_WORD = re.compile(r"[^\s,;]+")
_ENDS = ".!?:()'\""
# IMG_2041, DSC01234.jpg, 20190703-2.
_FILE = re.compile(r"(?=.*\d)(?=.*[^\W\d]|\d{8})[\w.()-]{5,}$")
# Which kind a phrase is said to be, where it is several.
_ORDER: tuple[FactKind, ...] = (
    "person", "place", "album", "keyword", "camera", "folder", "form", "words",
)  # fmt: skip
# Words in the names of many files that say nothing about them.
_EVERYWHERE = frozenset({"img", "dsc", "dscn", "pxl", "mvimg", "copy", "edit", "edited", "final"})


class _Word(Struct, frozen=True):
    start: int
    end: int
    text: str


def facts_in(text: str, start: int, end: int, world: World) -> list[Fact]:
    """What the words from `start` to `end` name, in their order."""
    if world.lexicon is None:
        return []
    words = list(_words(text, start, end))
    found: list[Fact] = []
    rest: list[_Word] = []
    at = 0
    while at < len(words):
        for count in range(min(LONGEST, len(words) - at), 0, -1):
            fact = _fact(words[at : at + count], world, world.lexicon)
            if fact is not None:
                found.append(fact)
                at += count
                break
        else:
            rest.append(words[at])
            at += 1
    found += _noted(rest, world, world.lexicon)
    found += _dates([word for word in rest if not _is_within(word, found)], world)
    return sorted(found, key=lambda fact: fact.start)


def person_named(name: str, world: World) -> Condition | None:
    """Who is meant by a name; None where it names nobody, or may as well mean what it says."""
    if world.lexicon is None or _is_ordinary(name):
        return None
    return world.lexicon.named(place_key(name)).get("person")


def _is_within(word: _Word, facts: list[Fact]) -> bool:
    return any(fact.start <= word.start < fact.end for fact in facts)


def _words(text: str, start: int, end: int) -> Iterator[_Word]:
    for match in _WORD.finditer(text, start, end):
        bare = match[0].strip(_ENDS)
        if any(map(str.isalnum, bare)):
            first = match.start() + match[0].index(bare)
            yield _Word(first, first + len(bare), bare)


def _fact(words: list[_Word], world: World, lexicon: Lexicon) -> Fact | None:
    name = " ".join(word.text for word in words)
    key = place_key(name)
    if not key or not says_something(key.split()):
        return None
    named = dict(lexicon.named(key))
    if _is_place(name, key, world):
        named["place"] = in_place(name, world)
    if not named and len(words) == 1 and _FILE.match(name) and world.met(Saying(name)):
        named["words"] = Saying(name)
    if not named:
        return None
    kind = next(one for one in _ORDER if one in named)
    conditions = tuple(named.values())
    certain = not _is_ordinary(name)
    return Fact(
        words[0].start,
        words[-1].end,
        kind,
        name,
        conditions[0] if len(conditions) == 1 else Either(conditions),
        certain=certain,
        filter=_filter(name, key, kind, lexicon),
        readings=_readings(name, key, named, lexicon, certain=certain),
    )


def _readings(
    name: str, key: str, named: Iterable[FactKind], lexicon: Lexicon, *, certain: bool
) -> tuple[Reading, ...]:
    """What a name may mean, where that is more than one thing."""
    kinds = set(named)
    if "person" not in kinds:
        return ()
    found = readings_of_people(key, lexicon)
    # Names of people are keywords, too.
    if any(place_key(one.name) == key for one in found):
        kinds.discard("keyword")
    for kind in _ORDER[1:]:
        text = _filter(name, key, kind, lexicon) if kind in kinds else ""
        if text:
            found.append(Reading(kind, name, text))
    if not certain:
        found.append(Reading("look", name, f"\\{name}"))
    return tuple(found) if len(found) > 1 else ()


def readings_of_people(key: str, lexicon: Lexicon) -> list[Reading]:
    """Who may be meant by a name or a word of one."""
    told = [(name, asking("person", name)) for name in lexicon.people(key)]
    return [Reading("person", name, text) for name, text in told if text]


def _filter(name: str, key: str, kind: FactKind, lexicon: Lexicon) -> str:
    """The filter that asks for this and nothing else; "" where there is none."""
    if kind == "words":
        return f'"{name}"'
    if kind != "place":
        return lexicon.filter(key, kind)
    return f'in:"{name}"' if " " in name else f"in:{name}"


def _is_place(name: str, key: str, world: World) -> bool:
    """Whether photos were taken in a place that is called so."""
    if not world.places:
        return False
    # Small letters, for which no list has to be gone through.
    return key in world.places or any(
        place_key(place.city or place.region or place.country) in world.places
        for place in world.called(name.lower())
    )


def _is_ordinary(name: str) -> bool:
    """Whether it is a word of English in small letters, which may mean just what it says."""
    return " " not in name and name.islower() and english(fold(name)) >= 1


def _noted(rest: list[_Word], world: World, lexicon: Lexicon) -> Iterator[Fact]:
    """The words that file names, captions and texts have, of those that name nothing else.

    All of them in one text, or by itself one that is no ordinary word.
    """
    telling = [word for word in rest if folded(word.text) not in SMALL | _EVERYWHERE]
    if not telling or not (lexicon.words or lexicon.texts):
        return
    written = [_written(word.text, lexicon) for word in telling]
    keys = tuple(dict.fromkeys(key for several in written for key in several))
    if all(written) and _long_enough(keys) and world.met(condition := Noting(keys)):
        sure = not all(_is_ordinary(word.text) for word in telling)
        yield from _spread(telling, condition, certain=sure)
        return
    for word, several in zip(telling, written, strict=True):
        if _long_enough(several) and english(fold(word.text)) <= 0:
            condition = Noting(several)
            if world.met(condition):
                yield from _spread([word], condition, certain=True)


def _dates(rest: list[_Word], world: World) -> list[Fact]:
    """Seasons, months and feasts, where nothing else is left: in "forest in winter" it is seen."""
    facts: list[Fact] = []
    for word in rest:
        if folded(word.text) in SMALL:
            continue
        found = meaning(word.text, world.calendar)
        if found is None or found.side:
            return []
        condition = taken(found.spans)
        if not world.met(condition):
            return []
        facts.append(
            Fact(
                word.start,
                word.end,
                "date",
                word.text,
                condition,
                certain=not _is_ordinary(word.text),
                filter=f"on:{word.text}",
            )
        )
    return facts


def _long_enough(keys: Sequence[str]) -> bool:
    """Whether one of them is no number and no abbreviation."""
    return any(not key.isdigit() and (len(key) > 3 or not key.isascii()) for key in keys)


def _written(typed: str, lexicon: Lexicon) -> tuple[str, ...]:
    """What was typed, in words as the library has them, in the singular too; or none at all."""
    found: list[str] = []
    for key in sorted(words_in(typed)):
        known = next((one for one in (key, key.removesuffix("s")) if one in lexicon.words), "")
        # There is no list of what was read in photos.
        if not known and not lexicon.texts:
            return ()
        found.append(known or key)
    return tuple(found)


def _spread(words: list[_Word], condition: Condition, *, certain: bool) -> Iterator[Fact]:
    name = " ".join(word.text for word in words)
    yield Fact(words[0].start, words[-1].end, "words", name, condition, certain, "")
