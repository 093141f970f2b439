"""Photos that are named, by id or path, to give them something by their bytes."""

from __future__ import annotations

from collections.abc import Sequence

from index import Catalogue, PhotoFile
from photosearch.errors import UsageError
from photosearch.photo import PhotoName, photo_named


def ids_named(catalogue: Catalogue, photos: Sequence[PhotoName]) -> list[int]:
    """The ids of photos, each once.

    Raises `UsageError` when the library has no such photo, or its bytes were never hashed.
    """
    names = [photo_named(photo) for photo in photos]
    known = {one.id: one for one in catalogue.files([n for n in names if type(n) is int])}
    ids = []
    for name in names:
        file = known.get(name) if isinstance(name, int) else catalogue.file_at(name)
        ids.append(_hashed(name, file).id)
    return list(dict.fromkeys(ids))


def _hashed(name: int | str, file: PhotoFile | None) -> PhotoFile:
    if file is None:
        what = f"photo of the id {name}" if isinstance(name, int) else f"photo at {name}"
        raise UsageError(f"there is no {what} in this library; index its folder first")
    if file.digest is None:
        # It has changed into what cannot be read, or was indexed before there were hashes.
        raise UsageError(
            f"{file.path}: its bytes are not known, for it could not be read when it was last "
            "indexed; index its folder again, with --retry once it is mended"
        )
    return file
