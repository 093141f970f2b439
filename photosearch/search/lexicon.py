"""What the words of a description may name in a library: people, albums, keywords, folders ..."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct, field

from index.catalogue.conditions import (
    Condition,
    Either,
    InAlbum,
    InFolder,
    Made,
    OfFormat,
    Screenshot,
    Shaped,
    Showing,
    Tagged,
)
from index.catalogue.functions import folded, place_key
from index.catalogue.naming import Names
from index.catalogue.people import KnownPerson
from index.paths import is_within, separator_of
from photosearch.formats import VIDEO

FactKind: TypeAlias = Literal[
    "place", "person", "album", "keyword", "camera", "folder", "form", "words"
]

# A name has no more words.
LONGEST = 5
# Folders of one name beyond which it says nothing, as "raw" below each day's.
_FOLDERS = 100
_FORMS: dict[str, tuple[str, Condition]] = {
    **dict.fromkeys(("video", "videos"), ("is:video", OfFormat(VIDEO.recorded))),
    **dict.fromkeys(
        (
            "screenshot",
            "screenshots",
            "screen shot",
            "screen shots",
            "bildschirmfoto",
            "bildschirmfotos",
            "capture d'écran",
            "captures d'écran",
            "captura de pantalla",
            "capturas de pantalla",
        ),
        ("is:screenshot", Screenshot()),
    ),
    **dict.fromkeys(("panorama", "panoramas", "panoramen"), ("is:panorama", Shaped("panorama"))),
}
_SMALL = (
    "a an and are as at be by for from her his in into is it its me my near of on or our out over "
    "some that the their them then there these this those to under up us we with you your photo "
    "photos picture pictures image images pic pics foto fotos bild bilder aller alle am an auf aus "
    "bei das dem den der des die ein eine einem einen einer für im ins ist mein meine mit nach und "
    "unser unsere vom von vor zu zum zur über unter neben ohne"
)
# Words that name nothing by themselves.
SMALL = frozenset(_SMALL.split())


class Named(Struct):
    """What a phrase names: by kind the conditions, one of which holds, and a filter for them."""

    conditions: list[Condition] = field(default_factory=list)
    filter: str = ""


class Lexicon:
    """The phrases that name something that a library has, by their keys (see `place_key`)."""

    def __init__(self, names: Names) -> None:
        self.words, self.texts = names.words, names.texts
        self._phrases: dict[str, dict[FactKind, Named]] = {}
        # By all words and names, who goes by them; whole names first.
        self._called: dict[str, list[str]] = {}
        for album in names.albums:
            self._put(album.name, "album", InAlbum(album.id), asking("album", album.name))
        self._put_people(names.people)
        theirs = {name for one in names.people for name in one.names}
        for keyword in names.keywords - theirs:
            if not re.search(r"[|/\\]", keyword):
                self._put(keyword, "keyword", Tagged(keyword), asking("keyword", keyword))
        for camera in names.cameras:
            for part in _parts(camera):
                # Without its hyphens a name is not a part of it.
                said = asking("camera", part) if part in folded(camera) else ""
                self._put(part, "camera", Made("camera", camera), said)
        for name, folders in _folders(names).items():
            if len(folders) <= _FOLDERS:
                for part in _parts(name):
                    for folder in folders:
                        self._put(part, "folder", InFolder(folder), asking("folder", name))
        for word, (said, condition) in _FORMS.items():
            self._put(word, "form", condition, said)
        if not names.formats.intersection(VIDEO.recorded):
            for word in ("video", "videos"):
                self._phrases[word].pop("form")

    def named(self, key: str) -> dict[FactKind, Condition]:
        """What a phrase names, but places; nothing where it names nothing."""
        return {
            kind: one.conditions[0] if len(one.conditions) == 1 else Either(tuple(one.conditions))
            for kind, one in self._phrases.get(key, {}).items()
        }

    def people(self, key: str) -> list[str]:
        """Who may be meant by a name, or a word of one: the names by which they are shown."""
        return self._called.get(key, [])

    def filter(self, key: str, kind: FactKind) -> str:
        """The filter that asks for nothing but this; "" where there is none."""
        return self._phrases[key][kind].filter

    def _put_people(self, people: Sequence[KnownPerson]) -> None:
        """All their names, each word of these, and the groups that they are in."""
        every = [one for one in people if not one.hidden]
        whole = {key: one.name for one in every for key in map(place_key, one.names)}
        self._called = {key: [name] for key, name in whole.items()}
        for one in every:
            for word in {word for name in one.names for word in place_key(name).split()}:
                known = self._called.setdefault(word, [])
                if one.name not in known:
                    known.append(one.name)
        for one in people:
            for name in one.names:
                asked = asking("person", name)
                # Not by the name that is shown: one search asks the same, whatever it is today.
                self._put(name, "person", Showing(name), asked)
                for word in place_key(name).split():
                    if word != place_key(name):
                        self._put(word, "person", Showing(one.name), asking("person", word))
            for level in one.above:
                self._put(level, "person", Showing(level), asking("person", level))

    def _put(self, phrase: str, kind: FactKind, condition: Condition, said: str = "") -> None:
        key = place_key(phrase)
        if not key or key.count(" ") >= LONGEST:
            return
        named = self._phrases.setdefault(key, {}).setdefault(kind, Named(filter=said))
        if condition not in named.conditions:
            named.conditions.append(condition)
            # No one filter asks for two people of the same name, or two folders.
            named.filter = said if said == named.filter else ""


def _folders(names: Names) -> dict[str, list[str]]:
    """Folders by their names, each with all above it, but those that all photos are in."""
    found: dict[str, set[str]] = {}
    roots = [root.rstrip(separator_of(root)) for root in names.roots]
    inside = set(roots if len(roots) > 1 else ())
    for folder in names.folders:
        root = max((one for one in roots if is_within(folder, one)), key=len, default="")
        while len(folder) > len(root) and folder not in inside:
            inside.add(folder)
            folder = os.path.dirname(folder)
    for folder in inside:
        found.setdefault(os.path.basename(folder), set()).add(folder)
    return {name: sorted(folders) for name, folders in found.items() if name}


def _parts(name: str) -> Iterator[str]:
    """The phrases within a name that say something."""
    words = [word for word in place_key(name.replace("_", " ")).split() if word]
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + LONGEST) + 1):
            if says_something(words[start:end]):
                yield " ".join(words[start:end])


def says_something(words: Iterable[str]) -> bool:
    """Whether words may name something: no numbers, and none of the small words at an end."""
    some = list(words)
    ends = {some[0], some[-1]}
    if not SMALL.isdisjoint(ends):
        return False
    if len(some) == 1 and some[0].isascii() and len(some[0]) < 3:
        return False
    return any(not word.isdigit() for word in some)


def asking(name: str, value: str) -> str:
    """The filter, as it is typed; "" where its value cannot be."""
    if '"' in folded(value) or not value.strip():
        return ""
    return f'{name}:"{value}"' if re.search(r"\s", value) else f"{name}:{value}"
