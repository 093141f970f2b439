"""Reading picture files: every format, orientation, damage; nothing is ever written."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from photosearch.encoders import ImageSettings, Preprocess
from photosearch.indexing.decode import Decoded, DecodeError, decode, prepare_decoders

SIDE = 64
SETTINGS = ImageSettings(SIDE, "squash", "none", "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
PREPROCESS = Preprocess(SETTINGS)
CROPPED = Preprocess(
    ImageSettings(SIDE, "shortest", "center", "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
)


@pytest.fixture(autouse=True)
def decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker process does when it starts; undone after each test."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    prepare_decoders()


@pytest.fixture(scope="module")
def cat(pictures: Path) -> Image.Image:
    """A real photo, 451 x 300, RGB."""
    with Image.open(pictures / "chelsea.png") as image:
        return image.convert("RGB")


def read(path: Path, preprocess: Preprocess = PREPROCESS) -> Decoded:
    decoded = decode(str(path), preprocess)
    assert decoded.pixels.shape == (SIDE, SIDE, 3)
    assert decoded.pixels.dtype == np.uint8
    return decoded


def reason(path: Path) -> str:
    """Why `path` cannot be decoded: one line, without the path."""
    with pytest.raises(DecodeError) as caught:
        decode(str(path), PREPROCESS)
    text = str(caught.value)
    assert text
    assert "\n" not in text
    assert str(path) not in text
    return text


def distance(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Mean absolute difference of pixels, of 255."""
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).mean())


def grey(image: Image.Image) -> Image.Image:
    return image.convert("L").convert("RGB")


FORMATS: list[tuple[str, str, dict[str, Any]]] = [
    ("a.jpg", "JPEG", {"quality": 92}),
    ("progressive.jpeg", "JPEG", {"quality": 92, "progressive": True}),
    ("full.jpe", "JPEG", {"quality": 95, "subsampling": 0}),
    ("a.png", "PNG", {}),
    ("a.webp", "WEBP", {"quality": 92}),
    ("lossless.webp", "WEBP", {"lossless": True}),
    ("a.tif", "TIFF", {}),
    ("lzw.tiff", "TIFF", {"compression": "tiff_lzw"}),
    ("a.bmp", "BMP", {}),
    ("a.gif", "GIF", {}),
    ("a.heic", "HEIF", {"quality": 90}),
    ("a.heif", "HEIF", {"quality": 90}),
    ("a.avif", "AVIF", {"quality": 90}),
]


@pytest.mark.parametrize(("name", "kind", "options"), FORMATS, ids=[f[0] for f in FORMATS])
def test_every_format(
    tmp_path: Path, cat: Image.Image, name: str, kind: str, options: dict[str, Any]
) -> None:
    path = tmp_path / name
    cat.save(path, format=kind, **options)
    decoded = read(path)
    assert (decoded.width, decoded.height, decoded.format) == (451, 300, kind)
    assert distance(decoded.pixels, PREPROCESS.pixels(cat)) < 3


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpegs_that_are_not_rgb(tmp_path: Path, cat: Image.Image, mode: str) -> None:
    path = tmp_path / "a.jpg"
    cat.convert(mode).save(path, quality=95)
    expected = grey(cat) if mode == "L" else cat
    assert distance(read(path).pixels, PREPROCESS.pixels(expected)) < 3


def test_png_of_16_bits(tmp_path: Path, cat: Image.Image) -> None:
    levels = np.asarray(cat.convert("L")).astype(np.uint16) * 257
    path = tmp_path / "a.png"
    Image.fromarray(levels).save(path)
    with Image.open(path) as image:
        assert image.mode == "I;16"
    assert distance(read(path).pixels, PREPROCESS.pixels(grey(cat))) < 1


@pytest.mark.parametrize("mode", ["P", "1", "LA"])
def test_png_of_other_modes(tmp_path: Path, cat: Image.Image, mode: str) -> None:
    path = tmp_path / "a.png"
    cat.convert(mode).save(path)
    expected = cat if mode == "P" else grey(cat)
    limit = {"P": 6, "1": 12, "LA": 1}[mode]
    assert distance(read(path).pixels, PREPROCESS.pixels(expected)) < limit


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.avif"])
def test_what_is_transparent_is_white(tmp_path: Path, cat: Image.Image, name: str) -> None:
    shown = cat.convert("RGBA")
    shown.paste((9, 200, 9, 0), (0, 0, 225, 300))
    path = tmp_path / name
    shown.save(path, lossless=True) if name == "a.webp" else shown.save(path)
    pixels = read(path).pixels
    assert pixels[:, : SIDE // 2 - 2].min() > 250
    assert distance(pixels[:, SIDE // 2 + 2 :], PREPROCESS.pixels(cat)[:, SIDE // 2 + 2 :]) < 4


def test_first_frame_of_an_animation(tmp_path: Path, cat: Image.Image) -> None:
    black = Image.new("RGB", cat.size)
    for name in ("a.gif", "a.webp", "a.png"):
        cat.save(tmp_path / name, save_all=True, append_images=[black, black], duration=50)
        assert distance(read(tmp_path / name).pixels, PREPROCESS.pixels(cat)) < 6


def test_first_page_of_a_tiff(tmp_path: Path, cat: Image.Image) -> None:
    path = tmp_path / "a.tif"
    cat.save(path, save_all=True, append_images=[Image.new("RGB", (99, 50))])
    decoded = read(path)
    assert (decoded.width, decoded.height) == (451, 300)
    assert distance(decoded.pixels, PREPROCESS.pixels(cat)) < 1


# By what each orientation is stored, seen from the upright picture.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "lzw.tif", "a.heic"])
def test_every_orientation_is_seen_upright(
    tmp_path: Path, cat: Image.Image, name: str, orientation: int
) -> None:
    how = STORED[orientation]
    stored = cat if how is None else cat.transpose(how)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / name
    options: dict[str, Any] = {"compression": "tiff_lzw"} if name == "lzw.tif" else {"quality": 95}
    stored.save(path, exif=exif.tobytes(), **options)  # pillow-heif wants bytes to turn it
    for preprocess in (PREPROCESS, CROPPED):
        decoded = read(path, preprocess)
        assert (decoded.width, decoded.height) == (451, 300)
        assert distance(decoded.pixels, preprocess.pixels(cat)) < 3


def test_avif_is_seen_upright(tmp_path: Path, cat: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.avif"
    cat.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=90)
    decoded = read(path)
    assert (decoded.width, decoded.height) == (451, 300)
    assert distance(decoded.pixels, PREPROCESS.pixels(cat)) < 3


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_no_matter(
    tmp_path: Path, cat: Image.Image, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    cat.save(tmp_path / "a.jpg", exif=exif, quality=95)
    decoded = read(tmp_path / "a.jpg")
    assert (decoded.width, decoded.height) == (451, 300)
    assert distance(decoded.pixels, PREPROCESS.pixels(cat)) < 3


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("size", [(2400, 1600), (1200, 800)])
def test_a_big_jpeg_is_shrunk_while_decoding_without_loss(
    tmp_path: Path, pictures: Path, orientation: int, size: tuple[int, int]
) -> None:
    """The pixels hardly differ from those of decoding it whole, in every part of the picture."""
    with Image.open(pictures / "coffee.png") as image:
        big = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    path = tmp_path / "big.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    big.save(path, quality=92, exif=exif)
    with Image.open(path) as image:
        image.draft("RGB", (PREPROCESS.side, PREPROCESS.side))
        assert image.width == size[0] // 8  # else nothing would be shrunk, and nothing tested
    with Image.open(path) as image:
        whole = image.convert("RGB")
    if orientation == 6:
        whole = whole.transpose(Image.Transpose.ROTATE_270)
    for preprocess in (PREPROCESS, CROPPED):
        decoded = read(path, preprocess)
        assert (decoded.width, decoded.height) == whole.size
        assert distance(decoded.pixels, preprocess.pixels(whole)) < 1.5


@pytest.mark.parametrize("block", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" * 99])
def test_corrupt_exif_does_not_stop_a_photo(tmp_path: Path, cat: Image.Image, block: bytes) -> None:
    path = tmp_path / "a.jpg"
    cat.save(path, quality=95)
    whole = path.read_bytes()
    path.write_bytes(
        whole[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + whole[2:]
    )
    decoded = read(path)
    assert (decoded.width, decoded.height) == (451, 300)
    assert distance(decoded.pixels, PREPROCESS.pixels(cat)) < 3


def test_exif_cut_short_still_gives_the_orientation(tmp_path: Path, cat: Image.Image) -> None:
    """The first entry says how to turn the picture; the second points behind the end."""
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack("<HHII", 0x010F, 2, 900, 9999)
    block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 0)
    path = tmp_path / "a.jpg"
    cat.transpose(Image.Transpose.ROTATE_90).save(path, quality=95)
    whole = path.read_bytes()
    path.write_bytes(
        whole[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + whole[2:]
    )
    decoded = read(path)
    assert (decoded.width, decoded.height) == (451, 300)
    assert distance(decoded.pixels, PREPROCESS.pixels(cat)) < 3


@pytest.mark.parametrize("name", ["a.png", "a.heic", "a.webp"])
def test_a_wrong_suffix_is_no_matter(tmp_path: Path, cat: Image.Image, name: str) -> None:
    cat.save(tmp_path / name)
    renamed = (tmp_path / name).rename(tmp_path / "a.jpg")
    assert distance(read(renamed).pixels, PREPROCESS.pixels(cat)) < 5


def test_no_bytes_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert reason(tmp_path / "a.jpg") == "is empty"


@pytest.mark.parametrize("content", [b"Dear diary,\n" * 50, b"\0" * 4096, b"\xff\xd8\xff", b"x"])
def test_what_is_no_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert reason(tmp_path / "a.jpg") == "is not a picture in a known format, or is damaged"


def test_formats_that_call_other_programs_are_not_tried(tmp_path: Path) -> None:
    """PostScript is a program; Pillow would hand it to Ghostscript."""
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"
    (tmp_path / "a.jpg").write_bytes(content)
    assert reason(tmp_path / "a.jpg") == "is not a picture in a known format, or is damaged"


@pytest.mark.parametrize("name", ["a.jpg", "progressive.jpg", "a.png", "a.webp", "a.heic", "a.tif"])
def test_a_file_cut_short_is_told(tmp_path: Path, cat: Image.Image, name: str) -> None:
    path = tmp_path / name
    cat.save(path, progressive=True) if "prog" in name else cat.save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(path)


def test_a_reason_is_one_line(tmp_path: Path, pictures: Path) -> None:
    """libheif ends its message with a line break, which would break a list of problems."""
    with Image.open(pictures / "coffee.png") as coffee:
        coffee.save(tmp_path / "a.heic")
    content = (tmp_path / "a.heic").read_bytes()
    (tmp_path / "a.heic").write_bytes(content[: len(content) // 2])
    assert reason(tmp_path / "a.heic").isprintable()


def png_header(width: int, height: int) -> bytes:
    """A valid beginning of a PNG, and of its data, that claims to be this large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 4096)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data)


def test_a_picture_too_large_for_memory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(png_header(60000, 60000))
    assert reason(tmp_path / "bomb.png") == "has 3600 megapixels; the limit is 256"


@pytest.mark.parametrize("size", [(60000, 1), (1, 60000)])
def test_a_strip_is_no_trouble(tmp_path: Path, size: tuple[int, int]) -> None:
    """Bringing its short side up to size would take gigabytes."""
    Image.new("RGB", size, "red").save(tmp_path / "strip.png")
    large = ImageSettings(224, "shortest", "center", "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    for settings in (SETTINGS, large):
        decoded = decode(str(tmp_path / "strip.png"), Preprocess(settings))
        assert (decoded.width, decoded.height) == size
        assert distance(decoded.pixels, np.full((1, 1, 3), [255, 0, 0])) == 0


@pytest.mark.parametrize("size", [(1901, 20), (20, 1900), (1600, 1)])
def test_the_middle_of_a_strip_is_what_the_model_sees(
    tmp_path: Path, cat: Image.Image, size: tuple[int, int]
) -> None:
    strip = cat.resize(size)
    strip.save(tmp_path / "strip.png")
    decoded = read(tmp_path / "strip.png", CROPPED)
    assert distance(decoded.pixels, CROPPED.pixels(strip)) < 0.5


@pytest.mark.slow
def test_a_thumbnail_in_a_heic_is_enough(tmp_path: Path, pictures: Path) -> None:
    """It may stand in for the picture, whose own size is still reported."""
    with Image.open(pictures / "coffee.png") as image:
        coffee = image.convert("RGB")
    coffee.save(tmp_path / "a.heic", quality=90, thumbnails=[64, 256])
    decoded = read(tmp_path / "a.heic")
    assert (decoded.width, decoded.height) == coffee.size
    assert distance(decoded.pixels, PREPROCESS.pixels(coffee)) < 5


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="disappeared") as caught:
        decode(str(tmp_path / "gone.jpg"), PREPROCESS)
    assert caught.value.passing


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PermissionError(13, "Permission denied"), "may not be read"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (MemoryError(), "memory"),
    ],
)
def test_reasons_outside_the_file_may_pass(
    tmp_path: Path,
    cat: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    text: str,
) -> None:
    """A disk that fails, or a lack of memory, says nothing of the file: it is tried again."""
    cat.save(tmp_path / "a.jpg")

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(DecodeError, match=text) as caught:
        decode(str(tmp_path / "a.jpg"), PREPROCESS)
    assert caught.value.passing


def test_damage_does_not_pass(tmp_path: Path, cat: Image.Image) -> None:
    cat.save(tmp_path / "a.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:2000])
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "bomb.png").write_bytes(png_header(60000, 60000))
    for name in ("cut.jpg", "empty.jpg", "bomb.png"):
        with pytest.raises(DecodeError) as caught:
            decode(str(tmp_path / name), PREPROCESS)
        assert not caught.value.passing


def test_an_error_without_a_message_still_has_a_reason(
    tmp_path: Path, cat: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat.save(tmp_path / "a.png")

    def fail(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr(Image.Image, "load", fail)
    assert reason(tmp_path / "a.png") == "cannot be decoded (ValueError)"


@pytest.mark.slow
def test_photos_are_never_written(tmp_path: Path, cat: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("a.jpg", "a.png", "a.tif", "a.heic", "a.avif", "a.gif", "a.webp"):
        path = tmp_path / name
        cat.save(path, exif=exif.tobytes())
        os.utime(path, ns=(1_600_000_000_000_000_001, 1_600_000_000_000_000_003))
    (tmp_path / "damaged.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:3000])

    def state() -> dict[str, tuple[bytes, int]]:
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}

    paths = sorted(tmp_path.iterdir())
    before = state()
    for path in paths:
        if path.name == "damaged.jpg":
            reason(path)
        else:
            read(path)
    assert state() == before
    assert sorted(tmp_path.iterdir()) == paths
