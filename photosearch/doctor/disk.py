"""What the catalogue says of photos, against what is on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator

from index import Catalogue, FileStamp
from index.paths import is_within
from photosearch.doctor.finding import Finding, counted, mended
from photosearch.errors import UsageError
from photosearch.indexing.scan import Found, resolve_roots, scan
from photosearch.silent_drive import is_there


def compare(catalogue: Catalogue, bundle_id: str | None, *, repair: bool) -> Iterator[Finding]:
    """Look for every known photo, without opening any, and for photos that are not known.

    What lies below a folder that is away or cannot be read is left alone.
    """
    found: dict[str, FileStamp] = {}
    unknown: list[str] = []
    for root in catalogue.folders():
        if not is_there(root):
            shown = catalogue.paths(root, missing=False)
            if shown:
                if repair:
                    catalogue.mark_missing(shown)
                text = f"{root}: is not there, and {counted(len(shown), 'photo')} in it are shown"
                yield mended("photos", text, repair=repair, did="hidden until it is back")
            else:
                hidden = counted(len(catalogue.paths(root, missing=True)), "photo")
                text = f"{root}: is not there now; {hidden} hidden until it is back"
                yield Finding("photos", "note", text)
            unknown.append(root)
            continue
        try:
            resolve_roots([root], [root])
        except UsageError as error:
            yield Finding("photos", "wrong", str(error), f"`photosearch forget {root}` drops it")
            continue
        for item in scan(root):
            if isinstance(item, Found):
                found[item.path] = item.stamp
            else:
                unknown.append(item.path)
                yield Finding("photos", "note", f"{item.path}: {item.reason}")
    yield from _hidden_and_shown(catalogue, found, tuple(unknown), repair)
    if bundle_id is not None:
        yield from _to_do(catalogue, found, bundle_id)


def _hidden_and_shown(
    catalogue: Catalogue, found: dict[str, FileStamp], unknown: tuple[str, ...], repair: bool
) -> Iterator[Finding]:
    def known_of(path: str) -> bool:
        return not any(is_within(path, place) for place in unknown)

    shown: set[str] = set()
    hidden: set[str] = set()
    for root in catalogue.folders():
        shown.update(catalogue.paths(root, missing=False))
        hidden.update(catalogue.paths(root, missing=True))
    outside = [path for path in catalogue.health.outside() if is_there(path)]
    gone = [path for path in shown if path not in found and known_of(path)]
    gone += [path for path in catalogue.health.outside() if not is_there(path)]
    back = [path for path in hidden if path in found]
    if repair:
        catalogue.mark_missing(gone)
        catalogue.mark_present(back)
    if gone:
        text = f"{counted(len(gone), 'photo')} shown that are gone or left out, as {min(gone)}"
        yield mended("photos", text, repair=repair, did="hidden")
    if back:
        text = f"{counted(len(back), 'photo')} hidden that are there, as {min(back)}"
        yield mended("photos", text, repair=repair, did="shown again")
    if outside:
        place = os.path.dirname(min(outside))
        yield Finding(
            "photos",
            "wrong",
            f"{counted(len(outside), 'photo')} in no known folder, so that no run looks at them",
            f"index their folder, or forget it: {place}",
        )
    if not gone and not back and not outside:
        yield Finding("photos", "ok", f"{counted(len(shown), 'photo')} shown, as on disk")


def _to_do(catalogue: Catalogue, found: dict[str, FileStamp], bundle_id: str) -> Iterator[Finding]:
    known: dict[str, FileStamp | None] = {
        problem.path: problem.stamp for problem in catalogue.problems()
    }
    if known:
        text = f"{counted(len(known), 'file')} could not be indexed"
        yield Finding("photos", "note", text, "`photosearch status --problems` lists them")
    for root in catalogue.folders():
        known |= catalogue.stamps(root, bundle_id)
    waiting = sum(known.get(path) != stamp for path, stamp in found.items())
    if waiting:
        text = f"{counted(waiting, 'photo')} new, changed or not encoded by this model"
        yield Finding("photos", "note", text, "run `photosearch index`")
