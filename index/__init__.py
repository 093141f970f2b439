"""Photos and their vectors on disk. Knows no model and no user interface.

SQLite holds the truth; the FAISS file is derived from it and can be deleted at any time.
"""

from typing import TYPE_CHECKING, Any

from index.catalogue.records import (
    Counts,
    FileStamp,
    KnownFile,
    ListedPhoto,
    Mark,
    Metadata,
    NewPhoto,
    Photo,
    PhotoFile,
    Place,
    Problem,
    Region,
    SavedSearch,
    Verdict,
    Waiting,
)
from index.errors import CatalogueError
from index.safety.filesystem import network_drive
from index.safety.lock import Holder, InUseError, WriterLock

if TYPE_CHECKING:
    from index.catalogue.catalogue import Catalogue
    from index.catalogue.frames import Frames
    from index.vectors.vectors import FaissIndex, VectorIndex

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Counts",
    "FaissIndex",
    "FileStamp",
    "Frames",
    "Holder",
    "InUseError",
    "KnownFile",
    "ListedPhoto",
    "Mark",
    "Metadata",
    "NewPhoto",
    "Photo",
    "PhotoFile",
    "Place",
    "Problem",
    "Region",
    "SavedSearch",
    "VectorIndex",
    "Verdict",
    "Waiting",
    "WriterLock",
    "network_drive",
]

_ELSEWHERE = {
    "Catalogue": "index.catalogue.catalogue",
    "FaissIndex": "index.vectors.vectors",
    "Frames": "index.catalogue.frames",
    "VectorIndex": "index.vectors.vectors",
}


def __getattr__(name: str) -> Any:
    # Processes that decode pictures import this package for its records and need no database.
    if name in _ELSEWHERE:
        from importlib import import_module

        return getattr(import_module(_ELSEWHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
