"""Looking for faces in all photos in which nobody has, and grouping those that were found."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from index import Catalogue
from index.catalogue.faces import FoundFace
from photosearch.faces.grouping import grouped
from photosearch.faces.model import MODEL, FaceModel, overlap
from photosearch.indexing.limits import Limits
from photosearch.serving.shrinking import ShrinkError, Shrinkers, Small, Still

# The longer side of a photo as it is looked at. A face in a group of thirty has some 60 pixels.
_SIDE, _QUALITY = 1920, 92
_AHEAD = 4
_COMMIT_SECONDS = 1.0
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
) -> Iterator[FaceEvent]:
    """Look at them in order of path, and group what was found at the end.

    What was reported is recorded; the next run goes on there. Photos are decoded in a process of
    their own, which a damaged one may crash.
    """
    unseen = catalogue.faces.unseen(MODEL)
    yield FacesStarted(len(unseen))
    if unseen:
        yield from _look(catalogue, unseen, opened(), limits)
    yield FacesGrouped(group_faces(catalogue))


def group_faces(catalogue: Catalogue) -> int:
    """Group the faces that are in no group; how many came into one."""
    _take_over_names(catalogue)
    with catalogue.snapshot():
        table, refused = catalogue.faces.table(MODEL), catalogue.faces.refusals()
    groups = grouped(table, refused)
    if groups:
        catalogue.faces.assign(groups)
    return len(groups)


def _take_over_names(catalogue: Catalogue) -> None:
    """Faces that other programs outlined with a name are whom they say."""
    named: dict[int, str] = {}
    for face, _, area, regions in catalogue.faces.outlined(MODEL):
        box = np.array(area, np.float32)
        for one in regions:
            there = np.array([one[side] for side in ("left", "top", "width", "height")], np.float32)
            if one["name"] and overlap(box, there) >= _SAME:
                named[face] = str(one["name"])
    groups = {name: catalogue.faces.group_named(name) for name in sorted(set(named.values()))}
    if named:
        catalogue.faces.assign({face: groups[name] for face, name in named.items()})


def _look(
    catalogue: Catalogue,
    unseen: list[tuple[int, str]],
    model: FaceModel,
    limits: Limits | None,
) -> Iterator[FaceEvent]:
    from PIL import Image

    shrinkers = Shrinkers(1, limits)
    ahead: deque[tuple[int, str, Future[Small]]] = deque()
    left = iter(unseen)
    ready: dict[int, tuple[str, list[FoundFace]]] = {}
    committed = time.monotonic()
    small = Still(_SIDE, quality=_QUALITY).make
    try:
        while True:
            while len(ahead) < _AHEAD and (item := next(left, None)) is not None:
                ahead.append((*item, shrinkers.make(item[1], small)))
            if not ahead:
                break
            content, path, future = ahead.popleft()
            try:
                data = future.result().data
            except ShrinkError as error:
                yield FacesFailed(path, str(error))
                continue
            with Image.open(io.BytesIO(data)) as image:
                ready[content] = (
                    path,
                    [FoundFace(*vars(one).values()) for one in model.faces(image.convert("RGB"))],
                )
            if time.monotonic() - committed >= _COMMIT_SECONDS:
                yield _record(catalogue, ready)
                ready, committed = {}, time.monotonic()
    finally:
        shrinkers.close()
        # Also after Ctrl-C, or when the caller has had enough.
        if ready:
            done = _record(catalogue, ready)
    if ready:
        yield done


def _record(catalogue: Catalogue, ready: dict[int, tuple[str, list[FoundFace]]]) -> FacesFound:
    catalogue.faces.put(MODEL, {content: faces for content, (_, faces) in ready.items()})
    return FacesFound(tuple((path, len(faces)) for path, faces in ready.values()))
