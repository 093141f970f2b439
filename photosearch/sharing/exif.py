"""What a copy says of itself: EXIF written anew from what the library knows.

Nothing is copied from the photo's own but its copyright, so that what a camera hides there, such as
serial numbers and places in maker notes, stays at home.
"""

from __future__ import annotations

from typing import BinaryIO

from PIL import ExifTags, Image

from index import Metadata
from photosearch.indexing.metadata.blocks import blocks_of
from photosearch.indexing.metadata.values import text

_RIGHTS = (ExifTags.Base.Artist, ExifTags.Base.Copyright)


def exif_of(
    metadata: Metadata,
    *,
    position: bool,
    details: bool,
    orientation: int = 1,
    rights: dict[int, str] | None = None,
) -> bytes:
    """EXIF with its mark before it; empty where there is nothing to say."""
    exif = Image.Exif()
    if orientation != 1:
        exif[ExifTags.Base.Orientation] = orientation
    if details:
        _tell(exif, metadata)
        for tag, said in (rights or {}).items():
            exif[tag] = said.encode()
    if position and metadata.latitude is not None and metadata.longitude is not None:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(_where(metadata.latitude, metadata.longitude))
    return exif.tobytes() if len(exif) or exif.get_ifd(ExifTags.IFD.GPSInfo) else b""


def rights_of(file: BinaryIO) -> dict[int, str]:
    """Who made the picture, and whose it is, by EXIF's tags."""
    try:
        source = blocks_of(file).exif
        tags = source.read(source.first, _RIGHTS) if source else {}
    except Exception:  # on damaged files the parsing trips over anything
        return {}
    said = {tag: text(value) for tag, value in tags.items() if isinstance(value, bytes)}
    return {tag: one for tag, one in said.items() if one}


def _tell(exif: Image.Exif, metadata: Metadata) -> None:
    if metadata.caption:
        exif[ExifTags.Base.ImageDescription] = metadata.caption.encode()
    if metadata.camera:
        exif[ExifTags.Base.Model] = metadata.camera.encode()
    more = exif.get_ifd(ExifTags.IFD.Exif)
    if taken := _moment(metadata.taken_at):
        more[ExifTags.Base.DateTimeOriginal] = taken
        if (minutes := metadata.taken_offset_minutes) is not None:
            hours, rest = divmod(abs(minutes), 60)
            more[ExifTags.Base.OffsetTimeOriginal] = f"{'-+'[minutes >= 0]}{hours:02}:{rest:02}"
    for tag, value in (
        (ExifTags.Base.LensModel, metadata.lens and metadata.lens.encode()),
        (ExifTags.Base.ExposureTime, metadata.exposure_time),
        (ExifTags.Base.FNumber, metadata.f_number),
        (ExifTags.Base.FocalLength, metadata.focal_length),
    ):
        if value:
            more[tag] = value
    if metadata.iso and metadata.iso < 1 << 16:  # more than the field can hold
        more[ExifTags.Base.ISOSpeedRatings] = metadata.iso


def _moment(taken: str | None) -> str | None:
    """A moment as EXIF writes it, blank where a day is all that is known; less it cannot say."""
    if taken is None or len(taken) < 10:
        return None
    day, _, time = taken.partition("T")
    return f"{day.replace('-', ':')} {time[:8] or '  :  :  '}"


def _where(latitude: float, longitude: float) -> dict[int, object]:
    north, east = ("N", "S")[latitude < 0], ("E", "W")[longitude < 0]
    return {
        ExifTags.GPS.GPSVersionID: b"\2\3\0\0",
        ExifTags.GPS.GPSLatitudeRef: north,
        ExifTags.GPS.GPSLatitude: _degrees(abs(latitude)),
        ExifTags.GPS.GPSLongitudeRef: east,
        ExifTags.GPS.GPSLongitude: _degrees(abs(longitude)),
    }


def _degrees(value: float) -> tuple[float, float, float]:
    """Degrees, minutes and seconds."""
    # Rounded as one number, so that no part comes to 60.
    total = round(value * 3600, 3)
    return total // 3600, total % 3600 // 60, round(total % 60, 3)
