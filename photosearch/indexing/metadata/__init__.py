"""What a photo says of itself: when and where it was taken, with what, and its owner's words.

    about = metadata_of(file, path, changed_ns, sidecars)

Runs in worker processes, beside the decoder. Metadata is often wrong, and sometimes hostile: what
cannot be read counts as not said, and never stops a photo.
"""

from photosearch.indexing.metadata.sources import (
    VERSION,
    metadata_of,
    orientation_of,
    video_at,
    without_metadata,
)
from photosearch.indexing.metadata.video import Video
from photosearch.indexing.metadata.when import dated_alike

__all__ = [
    "VERSION",
    "Video",
    "dated_alike",
    "metadata_of",
    "orientation_of",
    "video_at",
    "without_metadata",
]
