"""Writing ratings and keywords into XMP files beside photos: the only files of theirs it writes.

packet   one XMP packet as a tree of what stands where in it
edit     the packet with other ratings and keywords, all else in it byte for byte as it was
beside   which file describes a photo, and writing it whole or not at all
run      the marks of photos, written
"""

from photosearch.sidecars.files import Naming
from photosearch.sidecars.run import Sidecar, write_sidecars

__all__ = ["Naming", "Sidecar", "write_sidecars"]
