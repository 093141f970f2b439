"""Dropping what is recorded of the photos below a folder."""

from __future__ import annotations

import os

from index import Catalogue, FaissIndex, WriterLock
from photosearch.errors import UsageError


def forget(
    catalogue: Catalogue, lock: WriterLock, folder: str | os.PathLike[str], *, dry_run: bool
) -> int:
    """See `Library.forget`."""
    if not os.fspath(folder):
        raise UsageError("the name of a folder to forget is empty; give its path")
    from index.catalogue.written_names import WrittenNames
    from photosearch.indexing.spelling import as_recorded

    known = catalogue.folders()
    path = as_recorded(folder, known)
    # Or the same folder, with its accents written in another way.
    spelt = [path] if any(catalogue.count_below(path)) else catalogue.spellings(path)
    if not spelt:
        names = ", ".join(known) or "none"
        raise UsageError(f"{path}: nothing is recorded below it; known folders: {names}")
    if dry_run:
        return sum(catalogue.count_below(each)[0] for each in spelt)
    with lock.held():
        forgotten = sum(catalogue.forget(each) for each in spelt)
        # They can be built again, and hold the vectors and names of what was forgotten.
        FaissIndex.discard(catalogue.folder)
        WrittenNames.discard(catalogue.folder)
    return forgotten
