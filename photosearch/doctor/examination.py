"""One look through a library: its catalogue, its models, its vectors, and the photos on disk."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

from index import Catalogue, CatalogueError
from index.catalogue.opened import FILE_NAME
from index.safety.salvage import salvage
from index.shared.address import address_of
from index.shared.connection import drop_copy
from photosearch.doctor.disk import compare
from photosearch.doctor.finding import INDEX, Finding, counted, mended
from photosearch.doctor.models import check_bundled, check_models
from photosearch.doctor.plugins import check_plugins
from photosearch.doctor.vectors import check_files, check_vectors

_MEND = (
    "`photosearch doctor --repair` saves what can be read of it, and keeps the damaged file beside"
)


def examine(
    folder: Path, model: str | os.PathLike[str] | None, *, repair: bool
) -> Iterator[Finding]:
    """Look through the library in `folder`, which exists, and mend what can be with `repair`.

    Nothing is changed without `repair`, and no photo ever is.

    Raises `CatalogueError` when the catalogue cannot be opened for another reason than damage.
    """
    path = folder / FILE_NAME
    faults = _faults(folder, repair=False)
    if faults and repair and address_of(folder) is not None:
        drop_copy(path)
        faults = _faults(folder, repair=False)
        text = f"{path}: was damaged, and is made anew from {address_of(folder)}"
        yield Finding("catalogue", "fixed", text)
    elif faults and repair:
        # Indexes can be made anew from the tables; only where that is not enough, rows may be lost.
        faults = _faults(folder, repair=True)
        if faults:
            yield _salvaged(path)
            faults = _faults(folder, repair=False)
        else:
            text = f"{path}: its indexes differed from its tables; they are made anew"
            yield Finding("catalogue", "fixed", text)
    if faults:
        text = f"{path}: is damaged ({faults[0]}; {counted(len(faults), 'fault')})"
        yield Finding("catalogue", "wrong", text, _MEND)
        yield from check_bundled(model)
        yield from check_plugins()
        return
    with Catalogue.open(folder, readonly=not repair, new=False) as catalogue:
        counts = catalogue.counts()
        held = counted(counts.photos + counts.missing, "photo")
        yield Finding("catalogue", "ok", f"{path} is sound and holds {held}")
        yield from _orphans(catalogue, repair)
        yield from _rows(catalogue, repair)
        models = yield from check_models(catalogue, model, repair=repair)
        if (yield from check_vectors(catalogue, models, repair=repair)):
            yield from check_files(catalogue, models, repair=repair)
        yield from compare(catalogue, models.answering, repair=repair)
    yield from check_plugins()


def _faults(folder: Path, *, repair: bool) -> list[str]:
    """What SQLite finds wrong, after making its indexes anew with `repair`."""
    try:
        with Catalogue.open(folder, readonly=not repair, new=False) as catalogue:
            if repair:
                catalogue.health.rebuild_indexes()
            return catalogue.health.faults()
    except CatalogueError as error:
        if not error.damaged:
            raise
        return [str(error.__cause__)]


def _salvaged(path: Path) -> Finding:
    kept, photos = salvage(path)
    where = f"the damaged file is kept as {kept.name}"
    if not photos:
        text = f"{path}: was damaged, and no photo in it could be read; {where}"
        return Finding("catalogue", "fixed", text, "run `photosearch index FOLDER` on your folders")
    text = f"{path}: was damaged; {counted(photos, 'photo')} could be saved, and {where}"
    return Finding("catalogue", "fixed", text, f"{INDEX} for those that could not")


def _orphans(catalogue: Catalogue, repair: bool) -> Generator[Finding, None, None]:
    orphans = catalogue.health.orphans()
    wrong = [
        f"{counted(number, noun)} {what}"
        for number, noun, what in (
            (orphans.photos, "photo", "without contents"),
            (orphans.vectors, "vector", "of no contents"),
            (orphans.metadata, "description", "of no photo"),
            (orphans.digests, "content", "whose hash is none"),
            (orphans.others, "reference", "to nothing"),
        )
        if number
    ]
    if repair and (wrong or orphans.unused):
        catalogue.health.settle_orphans()
    if wrong:
        yield mended("catalogue", ", ".join(wrong), repair=repair, did=f"settled; {INDEX}")
    if orphans.unused:
        text = f"{counted(orphans.unused, 'content')} of no photo, left by a run that was killed"
        if repair:
            yield Finding("catalogue", "fixed", f"{text}; dropped")
        else:
            yield Finding("catalogue", "note", text, "the next index run drops them")


def _rows(catalogue: Catalogue, repair: bool) -> Iterator[Finding]:
    bad = catalogue.health.bad_rows()
    if not bad.rows:
        return
    if repair:
        catalogue.health.drop_rows(bad.rows)
    kinds = ", ".join(f"{number} by {reason}" for reason, number in sorted(bad.reasons.items()))
    number = sum(map(len, bad.rows.values()))
    text = f"{counted(number, 'row')} cannot be used: {kinds}"
    yield mended("catalogue", text, repair=repair, did=f"dropped; {INDEX}")
