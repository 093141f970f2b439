"""All that is known of one photo, from the sources in their order of trust."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import BinaryIO, TypeVar

from index import Metadata
from photosearch.indexing.kinds import HEAD, is_film
from photosearch.indexing.metadata import exif, iptc, values, xmp
from photosearch.indexing.metadata.blocks import Blocks, blocks_of
from photosearch.indexing.metadata.film import Film, about_film
from photosearch.indexing.metadata.findings import Findings, first_said
from photosearch.indexing.metadata.names import moment_of_name

# To be raised when more is read than before: photos are then read again, without being encoded.
VERSION = 3

_Read = TypeVar("_Read")


def metadata_of(
    file: BinaryIO, path: str, changed_ns: int, sidecars: Sequence[str] = ()
) -> Metadata:
    """What the photo in `file`, at `path`, last changed at `changed_ns`, says of itself.

    Of words and stars, the XMP files beside it (`sidecars`, the first goes before the second) are
    believed before what is inside; of when, where and with what it was taken, its EXIF is.
    Whatever cannot be read is not said; nothing is raised.
    """
    film = _tried(lambda: _film(file, path))
    blocks = Blocks() if film else _tried(lambda: blocks_of(file)) or Blocks()
    exif_said = _tried(lambda: _camera(blocks))
    camera = film.findings if film else exif_said or Findings()
    packet = film.xmp if film else blocks.xmp
    beside = [_tried(partial(_sidecar, sidecar)) or Findings() for sidecar in sidecars]
    inside = _tried(lambda: xmp.from_xmp(packet or b"")) or Findings()
    press = _tried(lambda: _press(blocks)) or Findings()
    facts = first_said(camera, *beside, inside)
    words = first_said(*beside, inside, press, camera)
    return _put_together(facts, words, camera.taken is not None, path, changed_ns)


def without_metadata(path: str, changed_ns: int) -> Metadata:
    """What is known of a photo whose inside cannot be read."""
    return _put_together(Findings(), Findings(), False, path, changed_ns)


def orientation_of(file: BinaryIO) -> int:
    """How the picture in `file` is stored, as EXIF counts it; 1, upright, where it is not said."""
    blocks = _tried(lambda: blocks_of(file)) or Blocks()
    source = blocks.exif or (blocks.separate or {}).get("CMT1")
    return (source and _tried(lambda: exif.orientation(source))) or 1


def film_at(path: str) -> Film | None:
    """What the film at `path` says of itself, None when it is no film or cannot be read."""

    def read() -> Film | None:
        with open(path, "rb") as file:
            return _film(file, path)

    return _tried(read)


def _put_together(
    facts: Findings, words: Findings, by_camera: bool, path: str, changed_ns: int
) -> Metadata:
    taken, source = facts.taken, "exif" if by_camera else "xmp"
    if taken is None:
        named = moment_of_name(os.path.basename(path))
        taken, source = (None if named is None else (named, None)), "name"
    if taken is None:
        changed = _tried(lambda: datetime.fromtimestamp(changed_ns // 1_000_000_000))
        taken = (changed, None) if changed is not None and values.is_credible(changed) else None
        source = "mtime"
    latitude, longitude = facts.position or (None, None)
    return Metadata(
        taken_at=None if taken is None else taken[0].isoformat(timespec="seconds"),
        taken_offset_minutes=None if taken is None else taken[1],
        taken_source=None if taken is None else source,
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
        keywords=words.keywords or (),
        live_id=facts.live_id,
    )


def _film(file: BinaryIO, path: str) -> Film | None:
    """None of what is no film."""
    file.seek(0)
    head = file.read(HEAD)
    return about_film(file) if is_film(head, os.path.splitext(path)[1].lower()) else None


def _camera(blocks: Blocks) -> Findings | None:
    if blocks.separate is not None:
        return exif.from_separate(blocks.separate)
    return None if blocks.exif is None else exif.from_directories(blocks.exif)


def _press(blocks: Blocks) -> Findings | None:
    if blocks.iptc is not None:
        return iptc.from_iptc(blocks.iptc)
    return None if blocks.photoshop is None else iptc.from_photoshop(blocks.photoshop)


def _sidecar(path: str) -> Findings:
    with open(path, "rb") as file:
        return xmp.from_xmp(file.read(xmp.LONGEST))


def _tried(read: Callable[[], _Read]) -> _Read | None:
    try:
        return read()
    except Exception:  # bad metadata never stops a photo
        return None
