"""Which files belong to a photo: the RAW beside a JPEG, the film of a Live Photo."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from index import Catalogue
from photosearch.indexing.kinds import LIVE
from photosearch.indexing.metadata import Film, film_at
from photosearch.indexing.scan import Found

# Seconds. The films of Live Photos last three; one that is longer has been filmed for itself, and
# has a still's name by chance.
_LONGEST = 10.0


def is_film(path: str) -> bool:
    # Asked of each file of a library, and quicker than os.path.splitext.
    return path[path.rfind(".") :].lower() in LIVE


def may_belong(found: Found) -> bool:
    """Whether a file is to be judged by `owners` before it counts as a photo of its own."""
    return found.beside is not None or is_film(found.path)


def kept(catalogue: Catalogue, files: Collection[str]) -> dict[str, str]:
    """Those of `files` that are known to belong to a photo that is still there, and to which."""
    return {
        other: path
        for path, others in catalogue.companions().items()
        for other in others
        if other in files
    }


def owners(
    catalogue: Catalogue, found: Iterable[Found], recorded: Collection[str], known: Collection[str]
) -> dict[str, str]:
    """Those of `found` that belong to a photo, and to which.

    `recorded` are the photos that can be found; a file does not belong to one that could not be
    read. Films among `known` are photos of their own so far, and have not changed since.
    """
    ids = catalogue.live_ids()
    stills: dict[str, list[str]] = defaultdict(list)
    for path, live_id in ids.items():
        if not is_film(path):
            stills[live_id].append(path)
    result = {}
    for item in found:
        beside = item.beside if item.beside in recorded else None
        if not is_film(item.path):
            owner = beside
        elif item.path in known and (beside is None or item.path in ids):
            owner = _still(item.path, ids.get(item.path), beside, ids, stills)
        elif beside is None and not stills:
            owner = None
        else:
            film = film_at(item.path) or Film()
            owner = _still(item.path, film.findings.live_id, beside, ids, stills)
            if film.findings.live_id is None and (film.seconds or 0) > _LONGEST:
                owner = None
        if owner is not None:
            result[item.path] = owner
    return result


def _still(
    path: str,
    live_id: str | None,
    beside: str | None,
    ids: Mapping[str, str],
    stills: Mapping[str, list[str]],
) -> str | None:
    """The still of the film at `path`: that of its own id, the nearest first, or of its name."""
    if live_id is not None and live_id in stills:
        folder = os.path.dirname(path)
        return min(stills[live_id], key=lambda still: (os.path.dirname(still) != folder, still))
    if beside is None or live_id is None:
        return beside
    # An editor may have taken the still's id away, but a film of another id is another's.
    return beside if ids.get(beside, live_id) == live_id else None


def record(catalogue: Catalogue, belonging: Mapping[str, str], photos: Iterable[str]) -> None:
    """Keep what belongs to each of `photos`, and to the others in `belonging`, as it now is."""
    stored = catalogue.companions()
    now: dict[str, set[str]] = {path: set() for path in photos}
    for path in {*belonging.values(), *(path for path in stored if path in now)}:
        # Those outside the folders of this run stay, as long as they are there.
        others = (other for other in stored.get(path, ()) if other not in belonging)
        now[path] = {other for other in others if os.path.lexists(other)}
    for other, path in belonging.items():
        now[path].add(other)
    changed = {
        path: tuple(sorted(others))
        for path, others in now.items()
        if tuple(sorted(others)) != stored.get(path, ())
    }
    if changed:
        catalogue.record_companions(changed)
