"""Photos that are there more than once. They are only listed: nothing is ever deleted.

Copies are known by the hash of their bytes, and looked up on disk before they are listed. Photos
that only look the same are alike by their vectors, at a glance, and on a close look at both files.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from index import Catalogue, PhotoFile
from photosearch.search.ondisk import (
    CHANGED,
    LeftOut,
    Present,
    different_files,
    look_up,
    same_bytes,
)

__all__ = ["Duplicates", "LeftOut", "Told", "best", "copies", "rank", "still_there"]


@dataclass(frozen=True)
class Duplicates:
    """Photos that are the same, the best first: most pixels, most bytes, first indexed.

    `kind` is "exact" when all have the same bytes, and "near" when each looks as the first does.
    `similarity` is the lowest cosine of one with the first, 1.0 for exact ones.
    """

    kind: Literal["exact", "near"]
    similarity: float
    photos: tuple[PhotoFile, ...]

    @property
    def spare_bytes(self) -> int:
        """The bytes that all but the first take."""
        return sum(photo.stamp.size for photo in self.photos[1:])


Told: TypeAlias = Duplicates | LeftOut


def copies(catalogue: Catalogue, *, read: bool) -> Iterator[Told]:
    """Photos of the same bytes, those that take most space first; and what is left out, with why.

    With `read` the files are compared byte by byte. Otherwise they are as they were when their
    bytes were hashed, by their size and time of change.
    """
    ids = catalogue.selection.copies()
    files_of = {file.id: file for file in catalogue.files([one for each in ids for one in each])}
    paired = catalogue.companions()
    recorded = [best([files_of[one] for one in each if one in files_of], paired) for each in ids]
    recorded.sort(key=lambda files: (-sum(file.stamp.size for file in files[1:]), files[0].id))
    for files in recorded:
        found, left = _found(files, unchanged=not read)
        groups = [found]
        if read:
            groups, faults = same_bytes(found)
            left += faults
        yield from left
        for group in groups:
            if len(group) > 1:
                yield Duplicates("exact", 1.0, tuple(each.photo for each in group))


def still_there(found: Duplicates) -> Duplicates | None:
    """The same without what has gone or changed meanwhile; None where nothing is left to tell."""
    here, _ = _found(found.photos, unchanged=True)
    if len(here) < 2 or (found.kind == "near" and here[0].photo != found.photos[0]):
        return None
    return Duplicates(found.kind, found.similarity, tuple(each.photo for each in here))


def _found(files: Sequence[PhotoFile], *, unchanged: bool) -> tuple[list[Present], list[LeftOut]]:
    """Files of their own among `files` that are there, and the others."""
    looked_up = [look_up(file) for file in files]
    left = [each for each in looked_up if isinstance(each, LeftOut)]
    found = [each for each in looked_up if isinstance(each, Present)]
    if unchanged:
        left += [LeftOut(each.path, CHANGED) for each in found if not each.unchanged]
        found = [each for each in found if each.unchanged]
    found, linked = different_files(found)
    return found, left + linked


def best(files: Sequence[PhotoFile], paired: Collection[str]) -> list[PhotoFile]:
    """The files of photos, the best first: most pixels and bytes, then what is more than a copy.

    So is one of the paths `paired`, which has a RAW or a video with it, and one that is not reached
    through a link.
    """
    return sorted(
        files,
        key=lambda file: (
            *rank(file)[:2],
            os.path.realpath(file.path) != file.path,
            file.path not in paired,
            file.id,
        ),
    )


def rank(file: PhotoFile) -> tuple[int, int, int]:
    """Files in this order are the best first: most pixels, most bytes, first indexed."""
    return -file.width * file.height, -file.stamp.size, file.id
