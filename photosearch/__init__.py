"""Find any photo on your own machine by describing it.

from photosearch import Library

with Library.open() as library:
    for event in library.index(["~/Pictures"]):
        print(event)
    for hit in library.search("two dogs on a beach"):
        print(hit.score, hit.path)
"""

from typing import TYPE_CHECKING, Any

from photosearch.errors import BundleError, LibraryError, PhotosearchError, UsageError

if TYPE_CHECKING:
    from photosearch.library import Hit, Library, Status
    from photosearch.models import Model, Removed

__version__ = "0.1.0"

__all__ = [
    "BundleError",
    "Hit",
    "Library",
    "LibraryError",
    "Model",
    "PhotosearchError",
    "Removed",
    "Status",
    "UsageError",
]

_IN_LIBRARY = frozenset({"Hit", "Library", "Model", "Removed", "Status"})


def __getattr__(name: str) -> Any:
    # The processes that decode pictures import this package too, and need none of the rest.
    if name in _IN_LIBRARY:
        import photosearch.library

        return getattr(photosearch.library, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
