"""Vectors in SQLite, and the files that FAISS searches, which say the same or are wrong."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress

from index import Catalogue, FaissIndex
from index.safety.agreement import file_state, stray_files
from index.vectors.vectors import vector_file
from photosearch.doctor.finding import INDEX, Finding, counted, mended
from photosearch.doctor.models import Checked


def check_vectors(
    catalogue: Catalogue, models: Checked, *, repair: bool
) -> Generator[Finding, None, bool]:
    """Look at every vector in SQLite; whether all can be used now."""
    bad = catalogue.health.bad_vectors(models.widths)
    if not bad.rows:
        return True
    kinds = ", ".join(f"{number} {reason}" for reason, number in sorted(bad.reasons.items()))
    if repair:
        catalogue.health.drop_vectors(bad)
    text = f"{counted(len(bad.rows), 'vector')} cannot be right: {kinds}"
    yield mended("vectors", text, repair=repair, did=f"dropped; {INDEX} to encode them again")
    return repair


def check_files(catalogue: Catalogue, models: Checked, *, repair: bool) -> Iterator[Finding]:
    """Compare the files of FAISS with SQLite, vector by vector."""
    for bundle_id in catalogue.bundle_ids():
        path = vector_file(catalogue, bundle_id)
        answers = bundle_id == models.answering
        state = file_state(catalogue, bundle_id)
        if state == "sound":
            yield Finding("vectors", "ok", f"{path} agrees with the catalogue")
        elif state in ("missing", "behind"):
            if answers:
                what = "is not there" if state == "missing" else "is of another state"
                text = f"{path} {what}; the next search makes it anew"
                yield Finding("vectors", "note", text)
        else:
            if repair:
                path.unlink(missing_ok=True)
                if answers:
                    FaissIndex.refresh(catalogue, bundle_id)
            what = "is damaged" if state == "damaged" else "differs from the catalogue"
            yield mended("vectors", f"{path} {what}", repair=repair, did="made anew")
    for path in stray_files(catalogue):
        if repair:
            with suppress(OSError):
                path.unlink()
        yield mended("vectors", f"{path} belongs to nothing", repair=repair, did="removed")
