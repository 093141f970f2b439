"""Photos and their vectors on disk. Knows no model and no user interface.

SQLite holds the truth; the FAISS file is derived from it and can be deleted at any time.
"""

from index.catalogue import Catalogue
from index.errors import CatalogueError
from index.records import (
    Counts,
    FileStamp,
    KnownFile,
    Metadata,
    NewPhoto,
    Photo,
    PhotoFile,
    Place,
    Problem,
    Waiting,
)
from index.vectors import FaissIndex, VectorIndex

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Counts",
    "FaissIndex",
    "FileStamp",
    "KnownFile",
    "Metadata",
    "NewPhoto",
    "Photo",
    "PhotoFile",
    "Place",
    "Problem",
    "VectorIndex",
    "Waiting",
]
