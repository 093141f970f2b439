"""Answers as JSON, the same over HTTP and for MCP. Nothing here changes a library."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from photosearch.described import described
from photosearch.errors import UsageError
from photosearch.photo import photo_named
from photosearch.search.report import VERSION, report, understood

if TYPE_CHECKING:
    from index import PhotoFile
    from photosearch.library import Library


class UnknownPhotoError(UsageError):
    """The library holds no photo of this id, or at this path."""


def search(library: Library, text: str, *, saved: str | None = None, **view: Any) -> dict[str, Any]:
    """See `Library.search`; the text opens no file, only photos of the library.

    With `saved` it is added to the saved search of that name.
    """
    if saved is not None:
        text, view["sort"] = library.saved.query(saved, text, view["sort"])
    hits = library.search(text, files=False, **view)
    if hits or view.get("offset"):
        return report(hits)
    same = {name: view[name] for name in ("filters", "images", "locale") if name in view}
    return report(hits, library.instead(text, files=False, **same))


def photo_file(library: Library, photo: int | str) -> PhotoFile:
    """The file of a photo of the library, named by id, photo:ID, or path; raises as `photo`."""
    return _found(library, photo)


def similar(library: Library, photo: int | str, **view: Any) -> dict[str, Any]:
    """The photos that look most like one of the library, named by id, photo:ID, or path."""
    return report(library.photos.similar(_found(library, photo).id, files=False, **view))


def understand(library: Library, text: str, locale: str) -> dict[str, Any]:
    query = library.understand(text, locale=locale)
    return {"version": VERSION, "query": text, "understood": understood(query)}


def photo(library: Library, photo: int | str) -> dict[str, Any]:
    """All that is known of a photo of the library, named by id, photo:ID, or path."""
    file = _found(library, photo)
    return described(library.photos.about(file.id), library.texts.of(file.id))


def status(library: Library) -> dict[str, Any]:
    now = asdict(library.status())
    problems = now.pop("problems")
    del now["printed"]
    return {"version": VERSION} | now | {"problems": len(problems)}


def people(library: Library) -> dict[str, Any]:
    return {"version": VERSION, "people": [asdict(each) for each in library.people.all()]}


def saved(library: Library) -> dict[str, Any]:
    return {"version": VERSION, "searches": [asdict(each) for each in library.saved.all()]}


def _found(library: Library, photo: int | str) -> PhotoFile:
    """Raises `UnknownPhotoError`; `PhotoIdError` for a number that is no id."""
    name = photo_named(photo)
    file = next(iter(library.photos.files([name])), None) if isinstance(name, int) else None
    # A path is one of this machine, and not of the folder in which the server happens to run.
    if isinstance(name, str) and os.path.isabs(str(photo).removeprefix("photo:")):
        file = library.photos.file_at(name)
    if file is None:
        raise UnknownPhotoError(f"there is no photo {photo} in the library; search for its id")
    return file
