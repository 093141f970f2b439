"""Faces that are looked for in photos, when somebody asks for it, and whose they are."""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from index import Catalogue, WriterLock
from index.catalogue.face_answers import ANSWERS, AnswerError, FaceAnswer
from index.catalogue.faces import FaceGroup, FaceSeen
from index.catalogue.functions import place_key
from photosearch.errors import UsageError
from photosearch.explaining import explaining
from photosearch.library.named import ids_named
from photosearch.library.people import People, named
from photosearch.photo import PhotoName
from photosearch.settings import SETTINGS, Settings, file, read

if TYPE_CHECKING:
    from photosearch.faces.questions import FaceQuestion
    from photosearch.faces.run import FaceEvent


@dataclass(frozen=True)
class AskedFaces:
    """The most valuable `questions` of `every` one, with the `groups` that they are about and some
    `faces` of each, the clearest first, by the ids of groups.
    """

    questions: list[FaceQuestion]
    every: int
    groups: dict[int, FaceGroup]
    faces: dict[int, list[FaceSeen]]


@explaining
class Faces:
    """`library.faces`. Nothing is known of faces until `find` was asked for.

    Faces that look like one person's are in a `FaceGroup`; one that has a name is of that person,
    as `library.people` has them. No photo is touched.
    """

    def __init__(self, catalogue: Catalogue, lock: WriterLock, settings: Settings) -> None:
        self._catalogue, self._lock, self._settings = catalogue, lock, settings
        self._people = People(catalogue)

    def find(self, *, without: Collection[str] = ()) -> Generator[FaceEvent, None, None]:
        """Look for faces in the photos in which nobody has, and group them.

        What was reported is recorded, so closing the iterator early loses nothing reported. Those
        that other programs outlined with a name are whom these say. Paths in `without` are passed
        over: those that failed before, for whoever goes on soon.

        Raises `LibraryError` when the library cannot be written, also since another process is
        changing it.
        """
        from photosearch.faces.run import find_faces
        from photosearch.indexing.limits import limits_by

        with self._lock.held():
            limits = limits_by(self._settings, 2)
            yield from find_faces(self._catalogue, limits=limits, without=without)

    def unseen(self) -> frozenset[int]:
        """Where nobody has looked for faces: bytes of photos, by number. Raises `LibraryError`."""
        from photosearch.faces.model import MODEL

        return frozenset(content for content, _ in self._catalogue.faces.unseen(MODEL))

    @property
    def wanted(self) -> bool:
        """Whether faces are to be looked for after each index run; see the setting `faces`."""
        return read(self._catalogue.folder).faces

    @property
    def ordered(self) -> str | None:
        """The variable of the environment that says whether they are `wanted`; None when unset."""
        setting = SETTINGS["faces"]
        return setting.environment if setting.in_environment() is not None else None

    def switch(self, on: bool) -> None:
        """Look for faces after each index run from now on, or no longer; what was found is kept.

        Raises `UsageError` where the environment says otherwise; `LibraryError` when the settings
        of the library cannot be written.
        """
        if self.ordered and self.wanted != on:
            raise UsageError(f"{self.ordered} is set, and goes before what is kept; unset it")
        _keep_setting(self._catalogue.folder, on)

    def group(self) -> int:
        """Group the faces that are in no group yet, as `find` does at its end; how many came so.

        Raises `LibraryError` when the library cannot be written.
        """
        from photosearch.faces.run import group_faces

        with self._lock.held(wait=True):
            return group_faces(self._catalogue)

    def keep_back(self) -> None:
        """Tell of no faces from now on, nor of people who are known only by them; not to be undone.

        For servers that other machines can reach.
        """
        self._catalogue.faces.keep_back()

    def edition(self) -> str:
        """Another text whenever faces have come into other groups. Raises `LibraryError`."""
        return self._catalogue.faces.edition()

    def groups(self) -> list[FaceGroup]:
        """The groups, those in most photos first. Raises `LibraryError`."""
        return self._catalogue.faces.groups()

    def name(self, group: int, name: str | None) -> None:
        """Say whose the faces of a group are; groups of one name are one person's. None: nobody's.

        Raises `UsageError` for a name that cannot be kept, and when there is no such group;
        `LibraryError`.
        """
        if not self._catalogue.faces.name(group, None if name is None else named(name)):
            raise _no_group(group)

    def hide(self, group: int, hidden: bool = True) -> None:
        """Leave a group out of lists, as that of a stranger; or show it again.

        Raises `UsageError` when there is no such group; `LibraryError`.
        """
        if not self._catalogue.faces.hide(group, hidden):
            raise _no_group(group)

    def name_face(self, face: int, name: str) -> int:
        """Say whose one face is, and with it those of its group, where these are nobody's yet.

        Gives the group that it is in then, which `name` takes. Raises `UsageError` for a name that
        cannot be kept, and when there is no such face; `LibraryError`.
        """
        group = self._catalogue.faces.name_face(face, named(name))
        if group is None:
            raise UsageError(f"there is no face {face}; `photosearch show` has those of a photo")
        return group

    def refuse(self, photos: PhotoName | Sequence[PhotoName], name: str) -> list[tuple[int, int]]:
        """Say that no face in photos is somebody's; it will not be taken for theirs again.

        Those in several photos that look like one person's are a group of their own: so a person
        is taken apart. Gives the numbers of faces and of the groups that they were in, for
        `accept`.

        Raises `UsageError` when the library has no such photo, nobody is called so in full, or no
        face there is theirs; `LibraryError`.
        """
        from photosearch.faces.run import group_faces

        several = [photos] if isinstance(photos, (str, int, os.PathLike)) else list(photos)
        ids = ids_named(self._catalogue, several)
        refused = self._catalogue.faces.refuse(ids, self._names_of(name))
        if not refused:
            which = f"photo:{ids[0]} has" if len(ids) == 1 else "these photos have"
            raise UsageError(f"{which} no face that is {name}'s")
        group_faces(self._catalogue, alone={face for face, _ in refused})
        return refused

    def _names_of(self, name: str) -> list[str]:
        """The names of groups that are one person's, who is called so in full."""
        keys = {place_key(each) for each in self._people.get(name).names}
        return [each for each in self._catalogue.faces.names() if place_key(each) in keys]

    def accept(self, refused: Sequence[tuple[int, int]]) -> None:
        """Take back what was refused. Raises `LibraryError`."""
        self._catalogue.faces.accept(refused)

    def questions(self) -> list[FaceQuestion]:
        """Which groups may be one person's, the most valuable questions first.

        Raises `LibraryError`.
        """
        from photosearch.faces.model import MODEL
        from photosearch.faces.questions import face_questions

        faces = self._catalogue.faces
        with self._catalogue.snapshot():
            groups = faces.groups()
            if len(groups) < 2:
                return []
            answers = self._catalogue.face_answers.all()
            return face_questions(faces.table(MODEL), groups, answers, faces.refusals())

    def asked(self, limit: int, most: int = 4) -> AskedFaces:
        """So many `questions`, with up to `most` faces of each group. Raises `LibraryError`."""
        with self._catalogue.snapshot():
            every = self.questions()
            asked = every[:limit]
            groups = {one.id: one for one in self.groups()}
            ids = {each for one in asked for each in (one.group, one.other)}
            return AskedFaces(
                asked, len(every), {each: groups[each] for each in ids}, self.examples(ids, most)
            )

    def examples(self, groups: Collection[int], most: int = 4) -> dict[int, list[FaceSeen]]:
        """Up to so many faces of each group, the clearest first. Raises `LibraryError`."""
        return self._catalogue.faces.examples(groups, most)

    def answer(self, group: int, other: int, answer: FaceAnswer) -> None:
        """Say whether two groups are one person's: "yes", "no", or "unsure" to be asked no more.

        A yes puts the faces of `other` into `group`. It holds for what comes later, too.

        Raises `UsageError` when there are no such two groups, for another answer, and for a yes
        where `other` has a name, or all of its faces were refused as those of `group`;
        `LibraryError`.
        """
        if answer not in ANSWERS:
            raise UsageError(f"{answer!r} is no answer; give yes, no or unsure")
        named = {one.id: one.name for one in self._catalogue.faces.groups()}
        if answer == "yes" and named.get(other) is not None:
            raise UsageError(
                f"group {other} is {named[other]}'s already; give the other group first, or merge "
                "two people: photosearch people merge"
            )
        for each in (group, other):
            if each not in named:
                raise _no_group(each)
        try:
            two = group != other and self._catalogue.face_answers.put(group, other, answer)
        except AnswerError as error:
            raise UsageError(str(error)) from None
        if not two:
            raise UsageError(f"{group} and {other} are not two groups; name two")

    def take_back(self, group: int, other: int) -> None:
        """Forget an answer; faces that a yes moved go back.

        Raises `UsageError` when there was none, and when a later yes has moved the same faces on;
        `LibraryError`.
        """
        try:
            taken = self._catalogue.face_answers.take_back(group, other)
        except AnswerError as error:
            raise UsageError(str(error)) from None
        if not taken:
            raise UsageError(f"nothing was said about groups {group} and {other}")

    def counts(self) -> tuple[int, int, int]:
        """In how many photos faces were looked for, how many there are, and how many have a name.

        Raises `LibraryError`.
        """
        from photosearch.faces.model import MODEL

        return self._catalogue.faces.counts(MODEL)

    def forget_person(self, name: str) -> int:
        """Drop the faces of somebody and all that describes them; how many there were.

        Their photos are not looked at again. Raises `UsageError` when nobody is called so in full,
        or no face is theirs; `LibraryError` as `forget`.
        """
        with self._lock.held():
            faces = self._catalogue.faces.forget_named(self._names_of(name))
        if not faces:
            raise UsageError(f"no face is known to be {name}'s; see photosearch faces list")
        return faces

    def forget(self) -> int:
        """Drop all that was found out about faces, names of groups as well; how many there were.

        None are looked for from then on, until that is switched on again, unless a variable of the
        environment says so: see `ordered`, and `wanted`. What other programs wrote into photos is
        still known. Raises `LibraryError` when the library cannot be written, also since another
        process is changing it; `UsageError` for a file of settings that cannot be changed, once
        all is dropped.
        """
        with self._lock.held():
            forgotten = self._catalogue.faces.forget()
            # Before anybody else can look for faces.
            _keep_setting(self._catalogue.folder, False)
        return forgotten


def _keep_setting(folder: Path, on: bool) -> None:
    if on:
        file.set_(folder, "faces", "true")
    else:
        file.unset(folder, "faces")


def _no_group(group: int) -> UsageError:
    return UsageError(f"there is no group {group} of faces; see photosearch faces list")
