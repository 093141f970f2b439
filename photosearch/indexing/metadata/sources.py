"""All that is known of one photo, from the sources in their order of trust."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import BinaryIO, TypeVar

from index import Metadata, Region
from photosearch.indexing.metadata import exif, iptc, picasa, takeout, values, xmp
from photosearch.indexing.metadata.blocks import Blocks, blocks_of
from photosearch.indexing.metadata.findings import NOTHING, Findings, first_said
from photosearch.indexing.metadata.regions import Faces, upright
from photosearch.indexing.metadata.video import Video, about_video
from photosearch.indexing.metadata.when import Sources, when_taken
from photosearch.kinds import HEAD, is_video
from photosearch.regular_file import open_regular

# To be raised when more is read than before: photos are then read again, without being encoded.
VERSION = 5

_Read = TypeVar("_Read")


def metadata_of(file: BinaryIO, path: str, sidecars: Sequence[str] = ()) -> Metadata:
    """What the photo in `file`, at `path`, says of itself.

    What its owner wrote into the files beside it (`sidecars`, the first goes before the second) is
    believed before what is inside, which is older; on what it was taken with, its EXIF is.
    Whatever cannot be read is not said; nothing is raised.
    """
    video = _tried(lambda: _video(file, path))
    blocks = Blocks() if video else _tried(lambda: blocks_of(file)) or Blocks()
    exif_said = _tried(lambda: _camera(blocks))
    camera = video.findings if video else exif_said or NOTHING
    packet = video.xmp if video else blocks.xmp
    inside = (packet and _tried(lambda: xmp.from_xmp(packet))) or NOTHING
    press = _tried(lambda: _press(blocks)) or NOTHING
    beside = [_tried(partial(_sidecar, one)) or NOTHING for one in sidecars if _is_xmp(one)]
    name = os.path.basename(path)
    exports = (_tried(partial(_export, one, name)) for one in sidecars if not _is_xmp(one))
    exported = first_said(*(export for export in exports if export is not None))
    sources = Sources(
        beside,
        exported,
        camera,
        inside,
        press,
        _first_position(*beside, exported, camera, inside),
        path,
        video is not None,
        None if video is None else video.seconds,
    )
    facts = first_said(camera, *beside, inside)
    words = first_said(*beside, exported, inside, press, camera)
    faces = words.faces
    regions = _tried(lambda: _regions(file, blocks, faces)) if faces else None
    return _put_together(sources, facts, words, regions or ())


def without_metadata(path: str) -> Metadata:
    """What is known of a photo whose inside cannot be read."""
    sources = Sources((), NOTHING, NOTHING, NOTHING, NOTHING, None, path)
    return _put_together(sources, NOTHING, NOTHING)


def orientation_of(file: BinaryIO) -> int:
    """How the picture in `file` is stored, as EXIF counts it; 1, upright, where it is not said."""
    blocks = _tried(lambda: blocks_of(file)) or Blocks()
    source = blocks.exif or (blocks.separate or {}).get("CMT1")
    return (source and _tried(lambda: exif.orientation(source))) or 1


def video_at(path: str) -> Video | None:
    """What the video at `path` says of itself, None when it is no video or cannot be read."""

    def read() -> Video | None:
        with open_regular(path) as file:
            return _video(file, path)

    return _tried(read)


def _put_together(
    sources: Sources, facts: Findings, words: Findings, regions: tuple[Region, ...] = ()
) -> Metadata:
    taken = _tried(lambda: when_taken(sources))
    latitude, longitude = sources.position or (None, None)
    people = words.people or ()
    return Metadata(
        taken_at=None if taken is None else taken.date.text,
        taken_offset_minutes=None if taken is None else taken.date.offset,
        # Without a date there is that of the file.
        taken_source="mtime" if taken is None else taken.source,
        latitude=latitude,
        longitude=longitude,
        camera=facts.camera,
        lens=facts.lens,
        exposure_time=facts.exposure_time,
        f_number=facts.f_number,
        iso=facts.iso,
        focal_length=facts.focal_length,
        # Cameras write 0 into every photo.
        rating=words.rating or None,
        caption=words.caption,
        # Whoever looks for a keyword looks for people, too.
        keywords=values.words([*(words.keywords or ()), *people]) or (),
        people=people,
        favourite=bool(words.favourite),
        live_id=facts.live_id,
        regions=regions,
    )


def _first_position(*sources: Findings) -> tuple[float, float] | None:
    return next((source.position for source in sources if source.position is not None), None)


def _video(file: BinaryIO, path: str) -> Video | None:
    """None of what is no video."""
    file.seek(0)
    head = file.read(HEAD)
    return about_video(file) if is_video(head, os.path.splitext(path)[1].lower()) else None


def _camera(blocks: Blocks) -> Findings | None:
    if blocks.separate is not None:
        return exif.from_separate(blocks.separate)
    return None if blocks.exif is None else exif.from_directories(blocks.exif)


def _press(blocks: Blocks) -> Findings | None:
    if blocks.iptc is not None:
        return iptc.from_iptc(blocks.iptc)
    return None if blocks.photoshop is None else iptc.from_photoshop(blocks.photoshop)


def _is_xmp(path: str) -> bool:
    return path.lower().endswith(".xmp")


def _sidecar(path: str) -> Findings:
    with open_regular(path) as file:
        return xmp.from_xmp(file.read(xmp.LONGEST))


def _export(path: str, name: str) -> Findings:
    """What another program says in the file at `path` of the picture of that name beside it."""
    if os.path.basename(path).lower() in picasa.NAMES:
        return picasa.from_ini(_folders_own(path), name)
    with open_regular(path) as file:
        return takeout.from_takeout(file.read(takeout.LONGEST))


def _folders_own(path: str) -> bytes:
    """The content of a file that all pictures of its folder have in common."""
    status = os.stat(path)
    return _content(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1)
def _content(path: str, size: int, mtime_ns: int) -> bytes:
    with open_regular(path) as file:
        return file.read(picasa.LONGEST)


def _regions(file: BinaryIO, blocks: Blocks, faces: Faces) -> tuple[Region, ...]:
    """Where faces are in the upright picture."""
    stored, lies = _tried(lambda: _stored(file)) or (None, None)
    if lies is None:
        source = blocks.exif or (blocks.separate or {}).get("CMT1")
        lies = (source and _tried(lambda: exif.orientation(source))) or 1
    return upright(faces, lies, stored)


def _stored(file: BinaryIO) -> tuple[tuple[int, int], int | None]:
    """Width and height of the picture as it is stored, and how it lies, where that is known here.

    HEIF's decoder gives it upright, and says so in its EXIF.
    """
    from PIL import Image

    file.seek(0)
    with Image.open(file) as image:
        width, height = image.size
        if image.format != "HEIF":
            return (width, height), None
        lies = int(image.info.get("original_orientation") or 1)
        return ((height, width) if lies > 4 else (width, height)), lies


def _tried(read: Callable[[], _Read]) -> _Read | None:
    try:
        return read()
    except Exception:  # bad metadata never stops a photo
        return None
