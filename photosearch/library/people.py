"""Who is in the photos, and what the user says of these people."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from index import Catalogue, ListedPhoto
from index.catalogue.functions import place_key
from index.catalogue.own_people import OwnPerson
from index.catalogue.people import KnownPerson, called
from photosearch.browsing.people import Person, find_people
from photosearch.errors import UsageError
from photosearch.explaining import explaining

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

_LONGEST = 200
_LEVELS = "|"
# No name has them.
_NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class PeopleEdit:
    """What was changed of people: what was there `before`, and the `keys` of all names concerned.

    `People.undo` takes it. `name` is by which the person is shown now, empty where there are
    several, or none.
    """

    name: str
    before: tuple[OwnPerson, ...]
    keys: tuple[str, ...]


@explaining
class People:
    """`library.people`: who is in the photos, by the names that other programs wrote.

    One is meant by any of their names, whatever its case and accents. What is said of people here
    is kept in the library; no photo is touched.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._kept: tuple[Hashable, Any] | None = None

    def all(self) -> list[Person]:
        """All, those who are in most photos first, also those who are hidden.

        Raises `LibraryError`.
        """
        selection = self._catalogue.selection
        with self._catalogue.snapshot():
            edition = selection.edition
            if self._kept is None or self._kept[0] != edition:
                self._kept = edition, find_people(selection)
        found: list[Person] = self._kept[1]
        return found

    def get(self, name: str) -> Person:
        """Raises `UsageError` when nobody is called so; `LibraryError`."""
        known = self._one(name)
        return next(one for one in self.all() if one.name == known.name)

    def _one(self, name: str) -> KnownPerson:
        """The one who is called so in full, by any of their names.

        Raises `UsageError` when nobody is, which names those who may be meant: with a part of the
        name, or in the group that is called so; `LibraryError`.
        """
        found = self._find(name)
        if found is not None:
            return found
        people = self._catalogue.selection.people()
        names = {each for one in people for each in one.names}
        near = difflib.get_close_matches(name, names, 3, 0.6)
        meant = sorted(one.name for one in called(people, name))
        near += [each for each in meant if each not in near][:3]
        advice = f"did you mean {' or '.join(near)}?" if near else "see photosearch people list"
        raise UsageError(f"nobody in this library is called {_shown(name)}; {advice}")

    def photos(self, name: str, *, offset: int = 0, limit: int = 100) -> list[ListedPhoto]:
        """A part of the photos that somebody is in, newest first.

        Raises `UsageError` when nobody is called so; `LibraryError`.
        """
        selection = self._catalogue.selection
        with self._catalogue.snapshot():
            ids = selection.present(self._one(name).ids)
            newest = selection.by_date(ids, oldest=False)
            return self._catalogue.listed(newest[offset : offset + limit].tolist())

    def together(self, name: str) -> list[tuple[str, int]]:
        """Who else is in photos of somebody, and in how many of these, the most first.

        Raises `UsageError` when nobody is called so; `LibraryError`.
        """
        selection = self._catalogue.selection
        with self._catalogue.snapshot():
            chosen = self._one(name)
            ids = selection.present(chosen.ids)
            shared = Counter(
                {
                    one.name: int(np.isin(one.ids, ids).sum())
                    for one in selection.people()
                    if one.name != chosen.name and not one.hidden
                }
            )
        return [(other, count) for other, count in shared.most_common() if count]

    def rename(self, name: str, new: str) -> PeopleEdit:
        """Show somebody by another name; they are still found by the others.

        Raises `UsageError` when nobody is called so, for a name that cannot be kept, and for that
        of somebody else, whom `merge` makes the same; `LibraryError`.
        """
        new = named(new)

        def change(one: OwnPerson) -> OwnPerson:
            return replace(one, name=new, names={**one.names, place_key(new): new})

        other = self._find(new)
        person = self._one(name)
        if other is not None and other.name != person.name:
            raise UsageError(
                f"{other.name} is somebody else; to make both one, merge them: "
                f"photosearch people merge {_quoted(person.name)} --into {_quoted(other.name)}"
            )
        return self._change([person], lambda each: [change(each[0])])

    def merge(self, names: Sequence[str], into: str) -> PeopleEdit:
        """Make people the same one, who is shown by the name `into` and found by all of theirs.

        Raises `UsageError` when one is called otherwise, or all are the same already;
        `LibraryError`.
        """
        kept = self._one(into)
        others = [one for one in self._several(names) if one.name != kept.name]
        if not others:
            raise UsageError(f"{kept.name} is only one already; name somebody else to merge")

        def change(each: list[OwnPerson]) -> list[OwnPerson]:
            together: dict[str, str] = {}
            for key, name in (named for one in each for named in one.names.items()):
                together.setdefault(key, name)
            above = next((one.above for one in each if one.above is not None), None)
            return [replace(each[0], names=together, above=above)]

        return self._change([kept, *others], change)

    def add_names(self, name: str, others: Sequence[str]) -> PeopleEdit:
        """Find somebody by other names, too, as "Grandma"; no photo need have them.

        Raises `UsageError` as `rename` does; `LibraryError`.
        """
        person = self._one(name)
        new = [named(other) for other in others]
        for other in map(self._find, new):
            if other is not None and other.name != person.name:
                raise UsageError(f"{other.name} is somebody else; merge them instead")
        added = {place_key(other): other for other in new}
        return self._change(
            [person], lambda each: [replace(each[0], names={**added, **each[0].names})]
        )

    def split(self, name: str, other: str) -> PeopleEdit:
        """Take a name from somebody, who was merged, or has it by mistake.

        Raises `UsageError` when they have no such name, or are shown by it; `LibraryError`.
        """
        person, key = self._one(name), place_key(other)
        if key not in _keys(person):
            raise UsageError(f"{person.name} is not called {other}, but {', '.join(person.names)}")
        if key == place_key(person.name):
            raise UsageError(f"{person.name} is shown by that name; rename them first")

        def change(each: list[OwnPerson]) -> list[OwnPerson]:
            left = {one: text for one, text in each[0].names.items() if one != key}
            return [replace(each[0], names=left)]

        return self._change([person], change)

    def group(self, names: Sequence[str], above: str | None) -> PeopleEdit:
        """Put people into a group, as "Family" or "Family|Grandparents", into none with "", or with
        None into that which their photos say.

        Raises `UsageError` when nobody is called so, for a group that cannot be kept;
        `LibraryError`.
        """
        levels = [named(level) for level in (above or "").split(_LEVELS) if level.strip()]
        wanted = None if above is None else _LEVELS.join(levels)
        return self._change(
            self._several(names), lambda each: [replace(one, above=wanted) for one in each]
        )

    def hide(self, names: Sequence[str], hidden: bool = True) -> PeopleEdit:
        """Leave people out of lists, or show them again; they are found by name as ever.

        Raises `UsageError` when nobody is called so; `LibraryError`.
        """
        return self._change(
            self._several(names), lambda each: [replace(one, hidden=hidden) for one in each]
        )

    def reset(self, name: str) -> PeopleEdit:
        """Take back all that was said of somebody: names count as they are in the photos.

        Raises `UsageError` when nobody is called so; `LibraryError`.
        """
        edit = self._change([self._one(name)], lambda each: [])
        left = (one for one in self._catalogue.selection.people() if _keys(one) & {*edit.keys})
        return replace(edit, name=next((one.name for one in left), ""))

    def undo(self, edit: PeopleEdit) -> PeopleEdit:
        """Put back what was before an edit; that can be undone, too. Raises `LibraryError`."""
        with self._catalogue.snapshot():
            now = self._own(edit.keys)
        self._catalogue.own_people.put(edit.before, edit.keys)
        keys = {*edit.keys, *(key for one in edit.before for key in one.names)}
        return PeopleEdit("", tuple(now), tuple(sorted(keys)))

    def _change(
        self, people: Sequence[KnownPerson], change: Callable[[list[OwnPerson]], list[OwnPerson]]
    ) -> PeopleEdit:
        """Put what `change` makes of what the user said of people so far in its place."""
        keys = {key for one in people for key in _keys(one)}
        with self._catalogue.snapshot():
            before = self._own(keys)
        now = change([_own_of(one, before) for one in people])
        keys |= {key for one in now for key in one.names}
        self._catalogue.own_people.put([one for one in now if _says_something(one)], keys)
        name = now[0].name if len(now) == 1 else ""
        return PeopleEdit(name, tuple(before), tuple(sorted(keys)))

    def _own(self, keys: Iterable[str]) -> list[OwnPerson]:
        """What the user said of those who have one of these names."""
        wanted = set(keys)
        return [one for one in self._catalogue.own_people.all() if wanted & one.names.keys()]

    def _find(self, name: str) -> KnownPerson | None:
        """The one of whom this is a name."""
        key = place_key(name)
        return next(
            (one for one in self._catalogue.selection.people() if key and key in _keys(one)),
            None,
        )

    def _several(self, names: Sequence[str]) -> list[KnownPerson]:
        """Each once. Raises `UsageError` where one is nobody, or there is none."""
        found = {one.name: one for one in map(self._one, names)}
        if not found:
            raise UsageError("nobody is named; give a name")
        return list(found.values())


def _shown(name: str) -> str:
    """A name as it is shown in an error: printable, and not too long."""
    text = "".join(letter if letter.isprintable() else "?" for letter in name)
    return f"{text[:40]}..." if len(text) > 43 else text


def _keys(person: KnownPerson) -> set[str]:
    return {place_key(name) for name in person.names}


def _own_of(person: KnownPerson, before: Sequence[OwnPerson]) -> OwnPerson:
    """What the user said of somebody, or what would say nothing new."""
    names = {place_key(name): name for name in person.names}
    own = next((one for one in before if names.keys() & one.names.keys()), None)
    return own or OwnPerson(person.name, names)


def _says_something(one: OwnPerson) -> bool:
    """Whether it is more than one name, as it is in the photos."""
    alone = list(one.names.values()) == [one.name]
    return not alone or one.above is not None or one.hidden


def named(text: str) -> str:
    """A name as it is kept: composed (NFC), with single blanks. Raises `UsageError`."""
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    shown = _shown(name)
    if not place_key(name):
        raise UsageError("the name is empty; give one with letters in it")
    if _NOT_TEXT.search(text.strip()) or _LEVELS in name or '"' in name:
        raise UsageError(f'the name {shown} has control characters, | or " in it; leave them out')
    if len(name) > _LONGEST:
        raise UsageError(f"the name {shown} is longer than {_LONGEST} characters; shorten it")
    return name


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name
