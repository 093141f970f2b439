"""Answers as JSON, the same over HTTP and for MCP. Nothing here changes a library."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from photosearch.about import file_date
from photosearch.errors import UsageError
from photosearch.search.report import VERSION, report, understood

if TYPE_CHECKING:
    from index import PhotoFile
    from photosearch.library import Library

LARGEST_ID = (1 << 63) - 1


class UnknownPhotoError(UsageError):
    """The library holds no photo of this id."""


def search(library: Library, text: str, *, saved: str | None = None, **view: Any) -> dict[str, Any]:
    """See `Library.search`; the text opens no file, only photos of the library.

    With `saved` it is added to the saved search of that name.
    """
    if saved is not None:
        text, view["sort"] = library.saved_query(saved, text, view["sort"])
    return report(library.search(text, files=False, **view))


def similar(library: Library, photo_id: int, **view: Any) -> dict[str, Any]:
    _check(library, photo_id)
    return report(library.similar(photo_id, files=False, **view))


def understand(library: Library, text: str) -> dict[str, Any]:
    query = library.understand(text)
    return {"version": VERSION, "query": text, "understood": understood(query)}


def photo(library: Library, photo_id: int) -> dict[str, Any]:
    """All that is known of a photo."""
    file = _check(library, photo_id)
    metadata = library.metadata([photo_id]).get(photo_id)
    said: dict[str, Any] = {} if metadata is None else asdict(metadata)
    return {
        "version": VERSION,
        "photo_id": file.id,
        "path": file.path,
        "bytes": file.stamp.size,
        "width": file.width,
        "height": file.height,
        "format": file.format,
        "missing": file.missing,
        "metadata": said,
        "file_date": file_date(file.stamp),
        "text": library.text_of(photo_id),
    }


def status(library: Library) -> dict[str, Any]:
    now = asdict(library.status())
    problems = now.pop("problems")
    del now["printed"]
    return {"version": VERSION} | now | {"problems": len(problems)}


def saved(library: Library) -> dict[str, Any]:
    return {"version": VERSION, "searches": [asdict(each) for each in library.saved_searches()]}


def _check(library: Library, photo_id: int) -> PhotoFile:
    files = library.files([photo_id]) if 0 < photo_id <= LARGEST_ID else []
    if not files:
        raise UnknownPhotoError(f"there is no photo {photo_id} in the library; search for its id")
    return files[0]
