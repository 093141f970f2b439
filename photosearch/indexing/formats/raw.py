"""Camera RAW: the embedded preview, or a demosaic, at half size where that will do."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from PIL import ExifTags, Image

from photosearch.formats import CAMERA_RAW
from photosearch.indexing.formats import pillow, profiles
from photosearch.indexing.formats.colour import to_srgb
from photosearch.indexing.formats.embedded import jpegs
from photosearch.indexing.formats.picture import (
    Asked,
    DecodeError,
    Picture,
    is_sideways,
    needs_extra,
    refuse_above,
    upright,
)
from photosearch.indexing.formats.tags import raw_says_adobe_rgb, says_adobe_rgb
from photosearch.indexing.metadata import orientation_of

# LibRaw's flips as EXIF orientations.
_ORIENTATION = {0: 1, 3: 3, 5: 8, 6: 6}
# Of the sensor's short side.
_NEARLY = 0.95
_TIFF = (b"II*\0", b"MM\0*")


def picture(asked: Asked) -> Picture:
    """As `read`; or by Pillow, since scanners write TIFFs that they call RAW."""
    try:
        return read(asked.file, asked.side, asked.max_pixels)
    except DecodeError as error:
        if error.passing or not asked.head.startswith(_TIFF):
            raise
        asked.file.seek(0)
        try:
            found = pillow.picture(asked)
        # Pillow raises whatever its parsing tripped over.
        except Exception as other:
            error.add_note(f"as a TIFF: {other!r}")
            raise error from other
        # What is small is the thumbnail of a RAW.
        if min(found.width, found.height) >= asked.side:
            return found
        raise


def read(file: BinaryIO, side: int, max_pixels: int) -> Picture:
    """The picture in a RAW `file`, its short side no less than `side` where it has as much.

    The preview is what the camera made of the picture, at a hundredth of a demosaic's cost. Where
    LibRaw does not know the camera, or the sensor's data are damaged, any preview will do.
    Raises `DecodeError` without the extra, above `max_pixels`, and where there is no picture.
    """
    try:
        import rawpy
    except ImportError:
        raise needs_extra(CAMERA_RAW.called, CAMERA_RAW.extra) from None
    try:
        return _read(file, side, max_pixels)
    except rawpy.LibRawError as error:
        picture = _preview_alone(file, side, max_pixels)
        if picture is not None:
            return picture
        # LibRaw's message comes as bytes.
        said = error.args[0] if error.args else b""
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise DecodeError(f"cannot be decoded as camera RAW ({text})") from error


def _read(file: BinaryIO, side: int, max_pixels: int) -> Picture:
    import rawpy

    with rawpy.imread(file) as raw:
        width, height = raw.sizes.width, raw.sizes.height
        orientation = _ORIENTATION.get(raw.sizes.flip, 1)
        # Previews of full size lack some rows and columns at the edges.
        enough = min(side, int(min(width, height) * _NEARLY))
        image = _preview(raw, file, orientation, enough, max_pixels)
        if image is None:
            # A screen is filled by half of what any camera of today has.
            half = side <= max(width, height) // 2
            refuse_above(max_pixels, width >> half, height >> half)
            # LibRaw turns it upright by itself.
            image = Image.fromarray(raw.postprocess(half_size=half, use_camera_wb=True))
        if is_sideways(orientation):
            width, height = height, width
        return Picture(image, width, height, "RAW")


def _preview(
    raw: Any, file: BinaryIO, orientation: int, side: int, max_pixels: int
) -> Image.Image | None:
    """The largest preview, upright; None where there is none that can be used for `side`."""
    import rawpy

    try:
        found = raw.extract_thumb()
    except rawpy.LibRawError:
        return None
    if found.format != rawpy.ThumbFormat.JPEG:
        image = Image.fromarray(found.data)
        return upright(image, orientation) if min(image.size) >= side else None
    preview = _opened(found.data, file, orientation, side, side, max_pixels)
    return None if preview is None else preview.image


def _preview_alone(file: BinaryIO, side: int, max_pixels: int) -> Picture | None:
    """The largest preview of a file that LibRaw cannot read, which then counts as the photo.

    A small one, as of a file that was cut short, is taken down to half of `side`.
    """
    least, orientation = side // 2, orientation_of(file)
    for content in jpegs(file, least):
        found = _opened(content, file, orientation, least, side, max_pixels)
        if found is not None:
            return found
    return None


def _opened(
    content: bytes, file: BinaryIO, orientation: int, least: int, side: int, max_pixels: int
) -> Picture | None:
    """The JPEG `content` of `file`, upright; None where it is damaged or smaller than `least`."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            width, height = image.size
            if min(width, height) < least:
                return None
            image.draft("RGB", (side, side))
            refuse_above(max_pixels, *image.size)
            profile = image.info.get("icc_profile")
            if profile is None and (says_adobe_rgb(image) or raw_says_adobe_rgb(file)):
                profile = profiles.adobe_rgb()
            image.load()
            # A preview that is a whole JPEG file says itself how it lies.
            own = image.getexif().get(ExifTags.Base.Orientation)
            orientation = own if isinstance(own, int) else orientation
            if is_sideways(orientation):
                width, height = height, width
            seen = upright(to_srgb(image, profile, side), orientation)
            return Picture(seen, width, height, "RAW")
    except (OSError, SyntaxError, ValueError):  # damaged; the sensor's data may be whole
        return None
