"""Answers as JSON, the same over HTTP and for MCP. Nothing here changes a library."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from photosearch.api.cursors import cursor_after, place_of
from photosearch.described import described
from photosearch.elsewhere.addresses import is_address
from photosearch.errors import UsageError
from photosearch.photo import photo_named
from photosearch.search.report import VERSION, report, understood

if TYPE_CHECKING:
    from index import PhotoFile
    from photosearch.library import Library
    from photosearch.search.hits import Hits
    from photosearch.search.instead import Instead


class UnknownPhotoError(UsageError):
    """The library holds no photo of this id, or at this path."""


def search(
    library: Library,
    text: str,
    *,
    saved: str | None = None,
    cursor: str | None = None,
    **view: Any,
) -> dict[str, Any]:
    """See `Library.search`; the text opens no file, only photos of the library.

    With `saved` it is added to the saved search of that name. `cursor` is what the page before gave
    as `next`; it goes before an offset. Raises `CursorError` for one of another search.
    """
    asked = {"q": text, "saved": saved} | view
    if cursor is not None:
        view |= place_of(cursor, asked)
    if saved is not None:
        text, view["sort"] = library.saved.query(saved, text, view["sort"])
    hits = library.search(text, files=False, **view)
    if hits or view.get("offset"):
        return _paged(hits, asked)
    same = {name: view[name] for name in ("filters", "images", "locale") if name in view}
    return _paged(hits, asked, library.instead(text, files=False, **same))


def _paged(hits: Hits, asked: dict[str, Any], instead: Instead | None = None) -> dict[str, Any]:
    return report(hits, instead) | {"next": cursor_after(hits, asked)}


def photo_file(library: Library, photo: int | str) -> PhotoFile:
    """The file of a photo of the library, named by id, photo:ID, or path; raises as `photo`."""
    return _found(library, photo)


def similar(
    library: Library, photo: int | str, *, cursor: str | None = None, **view: Any
) -> dict[str, Any]:
    """The photos that look most like one of the library, named by id, photo:ID, or path.

    `cursor` is as for `search`.
    """
    number = _found(library, photo).id
    asked = {"similar": number} | view
    if cursor is not None:
        view |= place_of(cursor, asked)
    return _paged(library.photos.similar(number, files=False, **view), asked)


def changes(library: Library, since: str | None, limit: int) -> dict[str, Any]:
    """Which photos changed; see `Photos.changes`."""
    told = library.photos.changes(since, limit=limit)
    listed = [
        {"photo_id": each.photo_id, "state": each.state, "path": each.path} for each in told.changes
    ]
    return {"version": VERSION, "changes": listed, "next": told.next, "more": told.more}


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
    given = str(photo).removeprefix("photo:")
    if isinstance(name, str) and (os.path.isabs(given) or is_address(given)):
        file = library.photos.file_at(name)
    if file is None:
        raise UnknownPhotoError(f"there is no photo {photo} in the library; search for its id")
    return file
