"""What the catalogue is given and gives: plain records."""

from __future__ import annotations

from dataclasses import dataclass, field

# The first album, which every catalogue has.
FAVOURITES = 1


@dataclass(frozen=True)
class FileStamp:
    """By which an unchanged file is known: bytes, and time of change in nanoseconds."""

    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Place:
    """Where a photo was taken, by name."""

    city: str
    region: str
    country: str


@dataclass(frozen=True)
class Region:
    """Where a face is: parts, 0 to 1, of the width and height of the upright picture.

    `name` is "" where nobody has said whose it is.
    """

    name: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Metadata:
    """What a photo says of itself; None where it says nothing.

    `taken_at` is local time, ISO 8601 without zone, as exactly as it is known: "1985", "1985-07",
    "1985-07-04" or "1985-07-04T12:00:00". `taken_source` says where it is from: "sidecar" (XMP
    beside it), "takeout", "exif" (the camera's own record), "gps" (its satellites), "xmp" or "iptc"
    (inside it), "name", "clock" (a video's, of no zone that is known), "modified" or "folder".
    Without any of these it is "mtime": there is only the file's time of change, which is no date.

    Degrees north and east, seconds, millimetres. `keywords` has the names of `people` in it, and of
    a path of keywords each level and all of it, "Places|Rome". `favourite` is what its owner said
    elsewhere. `live_id` is what the still and the video of a Live Photo have in common. `regions`
    are the faces of which it is said where they are, which may not be those of all `people`.
    """

    taken_at: str | None = None
    taken_offset_minutes: int | None = None
    taken_source: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    camera: str | None = None
    lens: str | None = None
    exposure_time: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length: float | None = None
    rating: int | None = None
    caption: str | None = None
    keywords: tuple[str, ...] = ()
    place: Place | None = None
    live_id: str | None = None
    people: tuple[str, ...] = ()
    favourite: bool = False
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True)
class Mark:
    """What the user marked a photo with, which goes before what its file says.

    `stars` are 0 to 5, and None where the file's own count. `added` are keywords put on it, and
    `removed` those that do not count, whether or not its file has them; both may be paths.
    """

    stars: int | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether a photo `fits` what is described by `query`, as somebody said who read it in `locale`
    (or "")."""

    query: str
    photo_id: int
    fits: bool
    locale: str = ""


@dataclass(frozen=True)
class NewPhoto:
    """A photo to record; width and height in pixels, as seen after EXIF orientation.

    `digest` is the hash of the file's bytes, by which copies are known. `companions` are the paths
    of files that belong to it: the RAW beside a JPEG, a Live Photo's video. `metadata_state` is
    the caller's note of what the metadata was read from, and `look` says how it looks, empty where
    nothing does; None leaves what is known.
    """

    path: str
    stamp: FileStamp
    width: int
    height: int
    format: str
    digest: bytes | None = None
    metadata: Metadata | None = None
    metadata_state: str = ""
    companions: tuple[str, ...] = ()
    look: bytes | None = None


@dataclass(frozen=True)
class KnownFile:
    """A file to record whose bytes, named by `digest`, are already embedded.

    `renamed` where its metadata has to be read again, since its path says something else now.
    """

    path: str
    stamp: FileStamp
    digest: bytes
    companions: tuple[str, ...] = ()
    renamed: bool = False


@dataclass(frozen=True)
class Photo:
    """A recorded photo; `missing` when its file was gone at the last look."""

    id: int
    path: str
    width: int
    height: int
    format: str
    missing: bool
    companions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """Bytes that a bundle is still to embed, and a file that held them when it was recorded."""

    content_id: int
    digest: bytes | None
    path: str
    stamp: FileStamp


@dataclass(frozen=True)
class PhotoFile:
    """The file of a photo as it was when it was recorded; no digest where none was taken."""

    id: int
    path: str
    stamp: FileStamp
    digest: bytes | None
    width: int
    height: int
    format: str
    missing: bool


@dataclass(frozen=True)
class ListedPhoto(PhotoFile):
    """And what a list of photos shows of it; dates and place are as in `Metadata`.

    `favourite` is whether it is in that album, which makes no other photo of it. `companions` are
    the paths of files that belong to it: the RAW beside a JPEG, a Live Photo's video.
    """

    taken_at: str | None
    taken_source: str | None
    place: Place | None
    favourite: bool = field(compare=False)
    companions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """A file that could not be indexed, and why; no stamp where even that could not be read.

    `printed` is what its decoder said of it besides, in lines.
    """

    path: str
    stamp: FileStamp | None
    reason: str
    printed: str = ""


@dataclass(frozen=True)
class Counts:
    """How many there are.

    `photos` can be found, `missing` could be if their files were there, and `embeddings` counts
    both by the bundle that made them.
    """

    photos: int
    missing: int
    problems: int
    embeddings: dict[str, int]


@dataclass(frozen=True)
class SavedSearch:
    """What is typed into the box, and the order of the photos, under a name."""

    name: str
    text: str
    sort: str
