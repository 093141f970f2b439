"""Looking for faces in all photos in which nobody has, and grouping those that were found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from index import Catalogue
from index.catalogue.faces import FoundFace
from index.catalogue.frames import MOST
from photosearch.faces.grouping import grouped
from photosearch.faces.model import MODEL, FaceModel, overlap
from photosearch.indexing.limits import Limits
from photosearch.serving.passes import Seen, pass_over
from photosearch.serving.shrinking import Still

# A photo as it is looked at: a face in a group of thirty has some 60 pixels. That is half of what
# most cameras take, so that it need not be scaled once more when libjpeg has halved it.
# Of a video as many frames as are encoded.
# JPEG, since WebP takes four times as long to write and read, and it is read once.
_SMALL = Still(2048, least=1280, form="JPEG", quality=92, optimize=False, frames=MOST)
# Faces nearer than this in two frames of a video are one person's there.
_SAME_IN_VIDEO = 0.45
# How much of an outline by another program has to lie on a face that was found.
_SAME = 0.25


@dataclass(frozen=True)
class FacesStarted:
    """So many photos are to be looked at; copies count once."""

    photos: int


@dataclass(frozen=True)
class FacesFound:
    """How many faces were recorded in each of these photos: (path, faces)."""

    photos: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class FacesFailed:
    """A photo that cannot be looked at now; the next run tries again."""

    path: str
    reason: str


@dataclass(frozen=True)
class FacesGrouped:
    """So many faces came into a group."""

    faces: int


FaceEvent = FacesStarted | FacesFound | FacesFailed | FacesGrouped


def find_faces(
    catalogue: Catalogue,
    opened: Callable[[], FaceModel] = FaceModel,
    limits: Limits | None = None,
    without: Collection[str] = (),
) -> Iterator[FaceEvent]:
    """Look at them in order of path, and group what was found at the end.

    What was reported is recorded; the next run goes on there. Paths in `without` are passed over.
    """
    unseen = [one for one in catalogue.faces.unseen(MODEL) if one[1] not in without]
    yield FacesStarted(len(unseen))
    if unseen:

        def record(seen: Mapping[int, tuple[str, list[FoundFace]]]) -> FacesFound:
            catalogue.faces.put(MODEL, {content: faces for content, (_, faces) in seen.items()})
            return FacesFound(tuple((path, len(faces)) for path, faces in seen.values()))

        model = opened()
        yield from pass_over(
            unseen,
            _SMALL,
            lambda pictures: _faces_in(model, pictures),
            record=record,
            failed=FacesFailed,
            limits=limits,
        )
    yield FacesGrouped(group_faces(catalogue))


def _faces_in(model: FaceModel, pictures: Sequence[Seen]) -> list[FoundFace]:
    """The faces in a photo, or in the frames of a video: there in other frames than the one that
    stands for it only those whom no clearer face is near.
    """
    (_, image), *frames = pictures
    found = model.faces(image)
    others = [
        replace(face, seconds=seconds) for seconds, frame in frames for face in model.faces(frame)
    ]
    for face in sorted(others, key=lambda one: -one.side * min(1.0, one.sharp / 10)):
        if all(np.linalg.norm(face.vector - one.vector) > _SAME_IN_VIDEO for one in found):
            found.append(face)
    return found


def group_faces(catalogue: Catalogue, alone: Set[int] | None = None) -> int:
    """Group the faces that are in no group; how many came into one.

    Those whose ids are in `alone` only, and with one another only, where it is given.
    """
    if alone is None:
        _take_over_names(catalogue)
    with catalogue.snapshot():
        table, refused = catalogue.faces.table(MODEL), catalogue.faces.refusals()
    if alone is not None:
        table = table.of(np.isin(table.ids, list(alone)) & (table.groups == 0))
    groups = grouped(table, refused)
    if groups:
        catalogue.faces.assign(groups)
    return len(groups)


def _take_over_names(catalogue: Catalogue) -> None:
    """Faces that other programs outlined with a name are whom they say."""
    named: dict[int, str] = {}
    for face, area, regions in catalogue.faces.outlined(MODEL):
        box = np.array(area, np.float32)
        for one in regions:
            there = np.array([one[side] for side in ("left", "top", "width", "height")], np.float32)
            if one["name"] and overlap(box, there) >= _SAME:
                named[face] = str(one["name"])
    groups = {name: catalogue.faces.group_named(name) for name in sorted(set(named.values()))}
    refused = catalogue.faces.refusals()
    theirs = {face: groups[name] for face, name in named.items()}
    catalogue.faces.assign(dict(one for one in theirs.items() if one not in refused))
