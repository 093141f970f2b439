"""All that is known of one photo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from index import Catalogue, FileStamp, Mark, Metadata, PhotoFile
from photosearch.browsing.people import PersonSeen, people_seen
from photosearch.errors import UsageError
from photosearch.silent_drive import NoAnswerError, within


@dataclass(frozen=True)
class About:
    """A photo's file, what is known of it, and the files that belong to it.

    Its rating and its keywords are those that count: `mark` is what the user gave it of them.
    `people` are by the names that are shown, and in `metadata` as they were read.
    """

    file: PhotoFile
    metadata: Metadata
    companions: tuple[str, ...]
    mark: Mark
    people: tuple[PersonSeen, ...] = ()

    @property
    def file_date(self) -> str | None:
        return file_date(self.file.stamp)

    @property
    def video_inside(self) -> int | None:
        """Bytes of the video inside a motion photo, as its file is now; None without one.

        None, too, where its drive does not answer.
        """
        from photosearch.indexing.motion import video_inside

        try:
            found = within(self.file.path, video_inside, self.file.path)
        except NoAnswerError:
            return None
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
        mark = catalogue.marks.of([file.id]).get(file.id, Mark())
        seen = people_seen(catalogue.selection, file.id, metadata.regions)
        return About(file, metadata, recorded.companions, mark, seen)
