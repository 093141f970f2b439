"""All that is known of one photo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from index import Catalogue, FileStamp, Metadata, PhotoFile
from photosearch.errors import UsageError


@dataclass(frozen=True)
class About:
    """A photo's file, what it says of itself, and the files that belong to it."""

    file: PhotoFile
    metadata: Metadata
    companions: tuple[str, ...]

    @property
    def file_date(self) -> str | None:
        return file_date(self.file.stamp)

    @property
    def film_inside(self) -> int | None:
        """Bytes of the film inside a motion photo, as its file is now; None without one."""
        from photosearch.indexing.motion import film_inside

        found = film_inside(self.file.path)
        return found and found[1]


def file_date(stamp: FileStamp) -> str | None:
    """When a file was changed last, local time, ISO 8601; None beyond the calendar."""
    try:
        return datetime.fromtimestamp(stamp.mtime_ns // 1_000_000_000).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def about(catalogue: Catalogue, photo: int | str) -> About:
    """What the catalogue has of the photo of this id, or at this absolute path.

    Raises `UsageError` when there is none.
    """
    with catalogue.snapshot():
        if isinstance(photo, int):
            file = next(iter(catalogue.files([photo])), None)
        else:
            path = photo
            file = catalogue.file_at(path)
            if file is None:
                reasons = [item.reason for item in catalogue.problems() if item.path == path]
                if reasons:
                    raise UsageError(f"{path}: is not indexed, since it {reasons[0]}")
                raise UsageError(f"{path}: is no photo of this library; index its folder first")
        if file is None:
            raise UsageError(f"there is no photo of the id {photo} in this library")
        metadata = catalogue.metadata([file.id]).get(file.id, Metadata())
        (recorded,) = catalogue.photos([file.id])
        return About(file, metadata, recorded.companions)
