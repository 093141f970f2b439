"""The marks of photos, written into the files beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from index import Catalogue, Mark, Metadata, PhotoFile
from photosearch.elsewhere.addresses import is_address
from photosearch.sidecars.edit import Wanted, edited
from photosearch.sidecars.files import LeftAloneError, Naming, clear, sidecar_of, write
from photosearch.sidecars.packet import NotUnderstoodError

_BATCH = 500


@dataclass(frozen=True)
class Sidecar:
    """What became of the sidecar of a photo, or would become of it.

    It was "made", "updated", was the "same" already, or was "left" as it is for `reason`; `path` is
    None where there is not even a name for it. `stars` and `keywords` are what it is to say, None
    for what it is not to say anything of.
    """

    photo: str
    path: str | None
    action: Literal["made", "updated", "same", "left"]
    stars: int | None = None
    keywords: tuple[str, ...] | None = None
    reason: str = ""


def write_sidecars(
    catalogue: Catalogue, ids: Sequence[int], *, naming: Naming, dry_run: bool
) -> Iterator[Sidecar]:
    """See `photosearch.library.marks.Marks.write_sidecars`."""
    folders = catalogue.folders()
    cleared: set[str] = set()
    for start in range(0, len(ids), _BATCH):
        part = ids[start : start + _BATCH]
        with catalogue.snapshot():
            files = catalogue.files(part)
            marks, known = catalogue.marks.of(part), catalogue.metadata(part)
        for file in files:
            if file.id in marks:
                metadata = known.get(file.id, Metadata())
                sidecar = _written(file, marks[file.id], metadata, folders, naming, dry_run)
                place = os.path.dirname(sidecar.path or "")
                if place not in cleared and sidecar.path is not None and not dry_run:
                    clear(place)
                    cleared.add(place)
                yield sidecar


def _written(
    file: PhotoFile,
    mark: Mark,
    metadata: Metadata,
    folders: Sequence[str],
    naming: Naming,
    dry_run: bool,
) -> Sidecar:
    # Who is in a photo is told in a way of its own; the user's keyword may be the same.
    own = {word for path in mark.added for word in (path, *path.split("|"))}
    keywords = tuple(
        word for word in metadata.keywords if word in own or word not in metadata.people
    )
    wanted = Wanted(mark, keywords)
    said = (mark.stars, keywords if wanted.of_keywords else None)
    path: str | None = None
    try:
        _check_unchanged(file)
        beside = sidecar_of(file.path, naming, folders)
        path = beside.path
        content = edited(beside.content, wanted)
        if content == beside.content:
            return Sidecar(file.path, path, "same", *said)
        if not dry_run:
            write(beside, content)
        return Sidecar(file.path, path, "made" if beside.content is None else "updated", *said)
    except NotUnderstoodError as error:
        return Sidecar(file.path, path, "left", *said, f"{os.path.basename(path or '')} {error}")
    except LeftAloneError as error:
        return Sidecar(file.path, path, "left", *said, str(error))


def _check_unchanged(file: PhotoFile) -> None:
    """Raises `LeftAloneError` where another photo may have come in the place of that one."""
    if is_address(file.path):
        raise LeftAloneError("it is in no folder, and nothing is written to addresses")
    try:
        now = os.stat(file.path)
    except OSError:
        raise LeftAloneError("its file is gone; index its folder again") from None
    if (now.st_size, now.st_mtime_ns) != (file.stamp.size, file.stamp.mtime_ns):
        raise LeftAloneError("its file has changed; index its folder again")
