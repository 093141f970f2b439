"""What a photo says of itself: when and where it was taken, with what, and its owner's words.

    about = metadata_of(file, path, changed_ns, sidecars)

Runs in worker processes, beside the decoder. Metadata is often wrong, and sometimes hostile: what
cannot be read counts as not said, and never stops a photo.
"""

from photosearch.indexing.metadata.film import Film
from photosearch.indexing.metadata.reading import (
    VERSION,
    film_at,
    metadata_of,
    orientation_of,
    without_metadata,
)
from photosearch.indexing.metadata.when import dated_alike

__all__ = [
    "VERSION",
    "Film",
    "dated_alike",
    "film_at",
    "metadata_of",
    "orientation_of",
    "without_metadata",
]
