"""Files that belong to one photo: the XMP that describes it, the RAW or the video beside it."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from photosearch.formats import suffixes
from photosearch.indexing.exports import exports
from photosearch.kinds import HEIF, JPEG, LIVE, RAW

SIDECAR = ".xmp"
# What a Pixel adds to the name of a shot: which of its files it is, and that a video is inside.
_PIXEL = re.compile(r"(?:\.RAW-\d+)?(?:\.MP)?(?:\.(?:COVER|ORIGINAL))?(?=\(\d+\)$|~\d+$|$)")


@dataclass(frozen=True)
class FileGroup:
    """A picture among one folder's files; the first of `sidecars` goes before the others.

    `beside` is the picture to which this file belongs, if it does: a RAW to the JPEG that the
    camera made of it, the video of a Live Photo to its still.
    """

    name: str
    sidecars: tuple[str, ...] = ()
    beside: str | None = None


def groups(names: Iterable[str]) -> Iterator[FileGroup]:
    """What the files `names` of one folder make up, in order of name.

    `a.xmp` describes every picture `a`, whatever its suffix, and `a.jpg.xmp` only that one, and so
    goes first. What describes a file that belongs to another describes that one too. Google
    Takeout's JSON comes last.
    """
    names = list(names)
    found: list[tuple[str, str, str]] = []
    described: dict[str, list[str]] = defaultdict(list)
    stills: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for name in sorted(names):
        stem, suffix = os.path.splitext(name)
        suffix = suffix.lower()
        if suffix == SIDECAR:
            described[_written(stem)].append(name)
        elif suffix in suffixes():
            found.append((name, stem, suffix))
            for rank, kind in enumerate((JPEG, HEIF, RAW)):
                if suffix in kind:
                    stills[_shot(stem)].append((rank, name))
    belonging: dict[str, list[str]] = defaultdict(list)
    owners: dict[str, str] = {}
    for name, stem, suffix in found:
        owner = _owner(suffix, stills[_shot(stem)])
        if owner is not None:
            owners[name] = owner
            belonging[owner].append(name)
    exported = exports((name for name, _, _ in found), names)
    spelt = {name for name, _, _ in found} | {stem for _, stem, _ in found}
    for name, stem, _ in found:
        sidecars = [*_of(name, described, spelt), *_of(stem, described, spelt)]
        for other in belonging.get(name, ()):
            sidecars += _of(other, described, spelt)
        if name in exported:
            sidecars.append(exported[name])
        yield FileGroup(name, tuple(sidecars), owners.get(name))


def _shot(stem: str) -> str:
    """What the files that a Pixel makes of one shot have in common, the others being as they are.

    PXL_….RAW-01.COVER.jpg and PXL_….RAW-02.ORIGINAL.dng; PXL_….MP.jpg and its video PXL_….mp4.
    """
    return _PIXEL.sub("", stem)


def _written(stem: str) -> str:
    """A name whatever its case, and however its accents are written."""
    return unicodedata.normalize("NFC", stem).casefold()


def _of(stem: str, described: dict[str, list[str]], spelt: set[str]) -> list[str]:
    """The sidecars of this name, but for those that are spelt just like another picture's."""
    if not described:
        return []
    found = described.get(_written(stem), ())
    names = [(os.path.splitext(name)[0], name) for name in found]
    return [name for own, name in names if own == stem or own not in spelt]


def _owner(suffix: str, stills: list[tuple[int, str]]) -> str | None:
    """Of the pictures of the same name, that to which a file of this suffix belongs."""
    if suffix in RAW:
        stills = [still for still in stills if still[0] < 2]
    elif suffix not in LIVE:
        return None
    return min(stills)[1] if stills else None
