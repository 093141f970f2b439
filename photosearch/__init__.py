"""Find any photo on your own machine by describing it.

from photosearch import Library

with Library.open() as library:
    for event in library.index(["~/Pictures"]):
        print(event)
    for hit in library.search("two dogs on a beach"):
        print(hit.score, hit.path)
"""

from typing import TYPE_CHECKING, Any

from photosearch.errors import (
    BundleError,
    DownloadError,
    LibraryError,
    PhotoIdError,
    PhotosearchError,
    UsageError,
)

if TYPE_CHECKING:
    from photosearch.library import Library
    from photosearch.models import Model, Removed
    from photosearch.pulling.offers import Offer
    from photosearch.search.filters import Filters
    from photosearch.search.hits import Hit, Hits
    from photosearch.search.query import QueryError
    from photosearch.search.why import Why
    from photosearch.status import Status

__version__ = "0.1.0"

__all__ = [
    "BundleError",
    "DownloadError",
    "Filters",
    "Hit",
    "Hits",
    "Library",
    "LibraryError",
    "Model",
    "Offer",
    "PhotoIdError",
    "PhotosearchError",
    "QueryError",
    "Removed",
    "Status",
    "UsageError",
    "Why",
]

_LATER = {
    "Filters": "photosearch.search.filters",
    "Hit": "photosearch.search.hits",
    "Hits": "photosearch.search.hits",
    "Library": "photosearch.library",
    "Model": "photosearch.models",
    "Offer": "photosearch.pulling.offers",
    "QueryError": "photosearch.search.query",
    "Removed": "photosearch.models",
    "Status": "photosearch.status",
    "Why": "photosearch.search.why",
}


def __getattr__(name: str) -> Any:
    # The processes that decode pictures import this package too, and need none of the rest.
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
