"""Which files belong to a photo: the RAW beside a JPEG, the video of a Live Photo.

Two files of one name are no pair for that alone: cameras count from one again, and a short video
that was taken for a photo's could not be found any more.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from index import Catalogue, Metadata
from photosearch.elsewhere.addresses import is_address
from photosearch.indexing.decode import DecodeError, read_metadata
from photosearch.indexing.metadata import Video, video_at
from photosearch.indexing.same_moment import share_moment
from photosearch.indexing.scan import Found
from photosearch.kinds import LIVE
from photosearch.looks import BURST
from photosearch.silent_drive import NoAnswerError, is_there, within

# Seconds. The videos of Live Photos last three; one that is longer was recorded for itself, and has
# a still's name by chance.
_LONGEST = 10.0


def is_video(path: str) -> bool:
    # Asked of each file of a library, and quicker than os.path.splitext.
    return path[path.rfind(".") :].lower() in LIVE


def may_belong(found: Found) -> bool:
    """Whether a file is to be judged by `owners` before it counts as a photo of its own."""
    # A video elsewhere is not fetched to see whether it is a Live Photo's.
    return found.beside is not None or (is_video(found.path) and not is_address(found.path))


def kept(catalogue: Catalogue, files: Collection[str]) -> dict[str, str]:
    """Those of `files` that are known to belong to a photo that is still there, and to which."""
    return {
        other: path
        for path, others in catalogue.companions().items()
        for other in others
        if other in files
    }


@dataclass(frozen=True)
class Judged:
    """`owned` are files that belong to a photo, and to which; `alike` those that do if they show
    the same as the photo of their name.
    """

    owned: dict[str, str]
    alike: dict[str, str]


def owners(
    catalogue: Catalogue, found: Iterable[Found], recorded: Collection[str], known: Collection[str]
) -> Judged:
    """Which of `found` belong to a photo.

    A video and a still of one Live Photo have an identifier in common. Other files of one name
    belong together when they were made at the same moment, or else look alike.

    `recorded` are the photos that can be found; a file does not belong to one that could not be
    read. Those among `known` are photos of their own so far, and have not changed since.
    """
    ids = catalogue.live_ids()
    stills: dict[str, list[str]] = defaultdict(list)
    for path, named in ids.items():
        if not is_video(path):
            stills[named].append(path)
    judged = Judged({}, {})
    for item in found:
        beside = item.beside if item.beside in recorded else None
        lasts, sure = 0.0, False
        still: str | None = beside
        if is_video(item.path):
            live_id = ids.get(item.path) if item.path in known else None
            if live_id is None:
                if beside is None and (item.path in known or not stills):
                    continue
                video = _video(item.path)
                live_id, lasts = video.findings.live_id, video.seconds or 0.0
            still = _still(item.path, live_id, beside, ids, stills)
            if live_id is None and lasts > _LONGEST:
                continue
            sure = live_id is not None and still is not None and ids.get(still) == live_id
        if still is None:
            continue
        if sure or _is_of_moment(catalogue, still, item.path, item.path in known, lasts):
            judged.owned[item.path] = still
        else:
            judged.alike[item.path] = still
    return judged


def _is_of_moment(
    catalogue: Catalogue, still: str, path: str, is_known: bool, lasts: float
) -> bool:
    """Whether the file at `path`, a RAW or a video of so many seconds, is of that moment."""
    try:
        own = _recorded(catalogue, path) if is_known else within(path, read_metadata, path)
    except (DecodeError, NoAnswerError):
        return False
    return share_moment(_recorded(catalogue, still), own, lasts=lasts)


def _video(path: str) -> Video:
    try:
        return within(path, video_at, path) or Video()
    except NoAnswerError:
        return Video()


def _recorded(catalogue: Catalogue, path: str) -> Metadata:
    file = catalogue.file_at(path)
    return Metadata() if file is None else catalogue.metadata([file.id]).get(file.id, Metadata())


def alike(catalogue: Catalogue, bundle_id: str, pairs: Mapping[str, str]) -> dict[str, str]:
    """Those of `pairs`, files and the photos of their names, that are recorded and look alike."""
    result = {}
    for path, still in pairs.items():
        file, photo = catalogue.file_at(path), catalogue.file_at(still)
        if file is None or photo is None or file.id == photo.id:
            continue
        ids, vectors = catalogue.selection.vectors(bundle_id, [file.id, photo.id])
        if len(ids) < 2:
            continue
        of = dict(zip(ids.tolist(), vectors.astype(np.float32), strict=True))
        cosine = float(of[file.id] @ of[photo.id])
        seen = catalogue.best_frames(bundle_id, [file.id], of[photo.id]).get(file.id, cosine)
        if max(cosine, seen) >= BURST:
            result[path] = still
    return result


def _still(
    path: str,
    live_id: str | None,
    beside: str | None,
    ids: Mapping[str, str],
    stills: Mapping[str, list[str]],
) -> str | None:
    """The still of the video at `path`: that of its own id, the nearest first, or of its name."""
    if live_id is not None and live_id in stills:
        folder = os.path.dirname(path)
        return min(stills[live_id], key=lambda still: (os.path.dirname(still) != folder, still))
    if beside is None or live_id is None:
        return beside
    # An editor may have taken the still's id away, but a video of another id is another's.
    return beside if ids.get(beside, live_id) == live_id else None


def record(catalogue: Catalogue, belonging: Mapping[str, str], photos: Iterable[str]) -> None:
    """Keep what belongs to each of `photos`, and to the others in `belonging`, as it now is."""
    stored = catalogue.companions()
    now: dict[str, set[str]] = {path: set() for path in photos}
    for path in {*belonging.values(), *(path for path in stored if path in now)}:
        # Those outside the folders of this run stay, as long as they are there.
        others = (other for other in stored.get(path, ()) if other not in belonging)
        now[path] = {other for other in others if is_there(other)}
    for other, path in belonging.items():
        now[path].add(other)
    changed = {
        path: tuple(sorted(others))
        for path, others in now.items()
        if tuple(sorted(others)) != stored.get(path, ())
    }
    if changed:
        catalogue.record_companions(changed)
