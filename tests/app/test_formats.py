"""Formats beyond Pillow's: RAW, videos, JPEG XL; and what of them an editor leaves stale."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blake3 import blake3
from optional import module
from PIL import Image

from photosearch.encoders import ImageSettings, Preprocess
from photosearch.indexing import decode as decoding
from photosearch.indexing.decode import Decoded, DecodeError, decode, digest_of, prepare_decoders
from photosearch.indexing.formats.video import sample_frames

SIDE = 32
HALF = (0.5, 0.5, 0.5)
PREPROCESS = Preprocess(ImageSettings(SIDE, "squash", "none", "bicubic", HALF, HALF))


@pytest.fixture(autouse=True)
def decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    prepare_decoders()


@pytest.fixture(scope="module")
def cat(pictures: Path) -> Image.Image:
    with Image.open(pictures / "chelsea.png") as image:
        return image.convert("RGB").resize((240, 160))


def read(path: Path) -> Decoded:
    return decode(str(path), PREPROCESS)


def distance(decoded: Decoded, image: Image.Image) -> float:
    """Mean absolute difference from the pixels of `image`, of 255."""
    expected = PREPROCESS.pixels(image).astype(np.float64)
    return float(np.abs(decoded.pixels - expected).mean())


def dng(preview: bytes | None, sensor: np.ndarray[Any, Any], orientation: int) -> bytes:
    """A minimal DNG: a preview as a JPEG in the first directory, a Bayer mosaic in a second."""
    height, width = sensor.shape
    data = bytearray(b"II*\0\0\0\0\0")

    def put(content: bytes) -> int:
        data.extend(b"\0" * (len(data) % 2))
        data.extend(content)
        return len(data) - len(content)

    def directory(entries: list[tuple[int, int, list[int]]]) -> int:
        rows = b""
        for tag, kind, values in sorted(entries):
            letter = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 10: "i"}[kind]
            packed = struct.pack(f"<{len(values)}{letter}", *values)
            count = len(values) // (2 if kind in (5, 10) else 1)
            field = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", put(packed))
            rows += struct.pack("<HHI", tag, kind, count) + field
        return put(struct.pack("<H", len(entries)) + rows + b"\0\0\0\0")

    mosaic = sensor.astype("<u2").tobytes()
    raw: list[tuple[int, int, list[int]]] = [
        (254, 4, [0]), (256, 4, [width]), (257, 4, [height]), (258, 3, [16]), (259, 3, [1]),
        (262, 3, [32803]), (273, 4, [put(mosaic)]), (277, 3, [1]), (278, 4, [height]),
        (279, 4, [len(mosaic)]), (284, 3, [1]), (33421, 3, [2, 2]), (33422, 1, [0, 1, 1, 2]),
        (50717, 4, [65535]),
    ]  # fmt: skip
    matrix = [value for row in np.eye(3, dtype=int).tolist() for cell in row for value in (cell, 1)]
    about: list[tuple[int, int, list[int]]] = [
        (271, 2, list(b"Maker\0")), (272, 2, list(b"Model\0")), (274, 3, [orientation]),
        (50706, 1, [1, 4, 0, 0]), (50707, 1, [1, 1, 0, 0]), (50708, 2, list(b"Maker Model\0")),
        (50721, 10, matrix), (50728, 5, [1, 1, 1, 1, 1, 1]), (50778, 3, [21]),
    ]  # fmt: skip
    if preview is None:
        first = directory(raw + about)
    else:
        with Image.open(io.BytesIO(preview)) as image:
            wide, high = image.size
        first = directory(
            [
                (254, 4, [1]), (256, 4, [wide]), (257, 4, [high]), (258, 3, [8, 8, 8]),
                (259, 3, [7]), (262, 3, [6]), (273, 4, [put(preview)]), (277, 3, [3]),
                (278, 4, [high]), (279, 4, [len(preview)]), (330, 4, [directory(raw)]), *about,
            ]
        )  # fmt: skip
    data[4:8] = struct.pack("<I", first)
    return bytes(data)


def mosaic(image: Image.Image) -> np.ndarray[Any, Any]:
    """What an RGGB sensor sees of `image`, linear light, 16 bits."""
    light = (np.asarray(image, np.float64) / 255) ** 2.2 * 65535
    sensor = light[..., 1].copy()
    sensor[::2, ::2] = light[::2, ::2, 0]
    sensor[1::2, 1::2] = light[1::2, 1::2, 2]
    return sensor


def jpeg(image: Image.Image, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=92, **options)
    return content.getvalue()


STORED = {
    1: None,
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("source", ["preview", "sensor", "small preview"])
def test_raw_is_seen_upright(
    tmp_path: Path, cat: Image.Image, source: str, orientation: int
) -> None:
    """From the preview where it is large enough; the other source is a grey picture."""
    module("rawpy")
    how = STORED[orientation]
    stored = cat if how is None else cat.transpose(how)
    grey = Image.new("RGB", stored.size, "grey")
    if source == "preview":
        content = dng(jpeg(stored), mosaic(grey), orientation)
    elif source == "small preview":
        content = dng(jpeg(grey.resize((24, 24))), mosaic(stored), orientation)
    else:
        content = dng(None, mosaic(stored), orientation)
    (tmp_path / "a.dng").write_bytes(content)
    decoded = read(tmp_path / "a.dng")
    assert (decoded.width, decoded.height, decoded.format) == (240, 160, "RAW")
    # LibRaw's brightness and colours are its own, so that a demosaic looks alike and no more.
    assert likeness(decoded, cat) > (0.99 if source == "preview" else 0.75)
    assert likeness(decoded, cat.transpose(Image.Transpose.ROTATE_180)) < 0.6


def likeness(decoded: Decoded, image: Image.Image) -> float:
    """Correlation of the pixels with those of `image`."""
    return float(np.corrcoef(decoded.pixels.ravel(), PREPROCESS.pixels(image).ravel())[0, 1])


def test_a_damaged_preview_leaves_the_sensor(tmp_path: Path, cat: Image.Image) -> None:
    module("rawpy")
    content = dng(jpeg(Image.new("RGB", cat.size, "grey")), mosaic(cat), 1)
    start = content.index(b"\xff\xda")
    (tmp_path / "a.dng").write_bytes(content[:start] + b"\0" * 64 + content[start + 64 :])
    decoded = read(tmp_path / "a.dng")
    assert decoded.pixels.shape == (SIDE, SIDE, 3)


def test_what_is_no_raw_is_told(tmp_path: Path) -> None:
    module("rawpy")
    (tmp_path / "a.nef").write_bytes(b"II*\0" + b"\0" * 500)
    with pytest.raises(DecodeError, match="cannot be decoded as camera RAW") as caught:
        read(tmp_path / "a.nef")
    assert "b'" not in str(caught.value)
    assert not caught.value.passing


@pytest.mark.parametrize("orientation", STORED)
def test_of_a_camera_unknown_to_libraw_the_largest_preview_is_seen(
    tmp_path: Path, cat: Image.Image, orientation: int
) -> None:
    module("rawpy")
    how = STORED[orientation]
    stored = cat if how is None else cat.transpose(how)
    grey = Image.new("RGB", (stored.width * 2, stored.height * 2), "grey")
    larger_but_cut = jpeg(grey)[:-400]
    directory = struct.pack("<HHHII", 1, 274, 3, 1, orientation) + b"\0\0\0\0"
    parts = (
        b"II*\0\x08\0\0\0" + directory, jpeg(stored.resize((30, 20))), b"\xff\xd8\xff\xe1 noise",
        jpeg(stored), b"sensor" * 100, larger_but_cut,
    )  # fmt: skip
    (tmp_path / "a.nef").write_bytes(b"".join(parts))
    decoded = read(tmp_path / "a.nef")
    assert (decoded.width, decoded.height, decoded.format) == (240, 160, "RAW")
    assert likeness(decoded, cat) > 0.99


def test_a_thumbnail_is_no_photo(tmp_path: Path, cat: Image.Image) -> None:
    module("rawpy")
    (tmp_path / "a.nef").write_bytes(b"II*\0" + b"\0" * 500 + jpeg(cat.resize((24, 15))))
    with pytest.raises(DecodeError, match="cannot be decoded as camera RAW"):
        read(tmp_path / "a.nef")


def test_a_picture_named_raw_is_read(tmp_path: Path, cat: Image.Image) -> None:
    (tmp_path / "a.cr2").write_bytes(jpeg(cat))
    assert read(tmp_path / "a.cr2").format == "JPEG"


def video(path: Path, frames: list[Image.Image], **options: Any) -> None:
    """One second a frame, each a key frame."""
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=1)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        stream.gop_size = 1
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_the_frame_with_most_detail_stands_for_a_video(
    tmp_path: Path, cat: Image.Image, name: str
) -> None:
    module("av")
    black = Image.new("RGB", cat.size)
    video(tmp_path / name, [black, black, black, black, cat, black])
    # Of three parts of two seconds, the middles are at 1, 3 and 5; only one shows the cat.
    video(tmp_path / name, [black, black, black, cat, black, black])
    decoded = read(tmp_path / name)
    assert (decoded.width, decoded.height, decoded.format) == (240, 160, "VIDEO")
    assert distance(decoded, cat) < 6


def test_sampled_frames_are_spread_over_the_video(tmp_path: Path) -> None:
    module("av")
    shades = [Image.new("RGB", (64, 48), (40 * number,) * 3) for number in range(6)]
    video(tmp_path / "a.mp4", shades)
    frames = sample_frames(str(tmp_path / "a.mp4"), 3)
    assert [seconds for seconds, _ in frames] == [1.0, 3.0, 5.0]
    for seconds, image in frames:
        assert image.size == (64, 48)
        assert abs(float(np.asarray(image).mean()) - 40 * seconds) < 6
    assert len(sample_frames(str(tmp_path / "a.mp4"), 20)) == 6


def test_a_phone_held_upright_videos_upright(tmp_path: Path, cat: Image.Image) -> None:
    """The track header's matrix says that players turn the frames by a quarter, clockwise."""
    module("av")
    video(tmp_path / "a.mp4", [cat.transpose(Image.Transpose.ROTATE_90)] * 2)
    content = bytearray((tmp_path / "a.mp4").read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    one = 1 << 16
    content[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    (tmp_path / "a.mp4").write_bytes(content)
    decoded = read(tmp_path / "a.mp4")
    assert (decoded.width, decoded.height) == (240, 160)
    assert distance(decoded, cat) < 6


def test_a_playlist_named_video_leads_nowhere(tmp_path: Path) -> None:
    module("av")
    (tmp_path / "a.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n")
    with pytest.raises(DecodeError, match="is not a picture in a known format"):
        read(tmp_path / "a.mp4")


def test_a_damaged_video_does_not_pass(tmp_path: Path, cat: Image.Image) -> None:
    module("av")
    video(tmp_path / "a.mp4", [cat] * 3)
    (tmp_path / "a.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:3000])
    with pytest.raises(DecodeError) as caught:
        read(tmp_path / "a.mp4")
    assert not caught.value.passing


@pytest.mark.parametrize("deep", [False, True])
def test_jpeg_xl(tmp_path: Path, cat: Image.Image, deep: bool) -> None:
    codecs = module("imagecodecs")
    values: np.ndarray[Any, Any] = np.asarray(cat)
    if deep:  # whose header says that the numbers are light
        shares = values / 255
        light = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        values = np.rint(light * 65535).astype(np.uint16)
    (tmp_path / "a.jxl").write_bytes(codecs.jpegxl_encode(values, level=95))
    decoded = read(tmp_path / "a.jxl")
    assert (decoded.width, decoded.height, decoded.format) == (240, 160, "JXL")
    assert distance(decoded, cat) < 4


@pytest.mark.parametrize(
    ("module", "name", "head", "extra"),
    [
        ("rawpy", "a.nef", b"II*\0", "raw"),
        ("av", "a.mov", b"\0\0\0\x14ftypqt  ", "video"),
        ("imagecodecs", "a.jxl", b"\xff\x0a", "jxl"),
    ],
)
def test_a_format_whose_extra_is_missing_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, name: str, head: bytes, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).write_bytes(head + b"\0" * 99)
    with pytest.raises(DecodeError, match=rf"pip install 'photosearch\[{extra}\]'") as caught:
        read(tmp_path / name)
    assert caught.value.passing  # it may be installed another day


@pytest.mark.slow
def test_a_stale_thumbnail_in_a_heic_is_not_shown(tmp_path: Path, cat: Image.Image) -> None:
    """Editors write the picture and leave the thumbnail of before."""
    cat.resize((512, 512)).save(tmp_path / "a.heic", quality=90, thumbnails=[128])
    with Image.open(tmp_path / "a.heic") as image:
        before = image.size
        image.draft("RGB", (64, 64))
        assert image.size != before  # else the thumbnail could not be used, and nothing is tested
    from photosearch.indexing.formats import pillow

    with open(tmp_path / "a.heic", "rb") as file:
        assert pillow.read(file, ".heic", 64, 10**6).image.size == before


@pytest.mark.parametrize("held", [1 << 20, 1000])
@pytest.mark.parametrize("grown", [False, True])
def test_the_digest_is_of_the_whole_file(
    tmp_path: Path, cat: Image.Image, monkeypatch: pytest.MonkeyPatch, held: int, grown: bool
) -> None:
    """Whether it is held in memory or, larger, read in pieces; also where it grows meanwhile."""
    monkeypatch.setattr(decoding, "_HELD", held)
    if grown:
        monkeypatch.setattr(decoding, "_size", lambda _: 100)
    cat.save(tmp_path / "a.png")
    decoded = read(tmp_path / "a.png")
    expected = blake3((tmp_path / "a.png").read_bytes()).digest()
    assert decoded.digest == expected == digest_of(str(tmp_path / "a.png"))
    assert distance(decoded, cat) == 0


def test_a_big_jpeg_counts_at_the_size_it_is_shrunk_to(tmp_path: Path, cat: Image.Image) -> None:
    big = cat.resize((2400, 1600))
    (tmp_path / "a.jpg").write_bytes(jpeg(big))
    assert decode(str(tmp_path / "a.jpg"), PREPROCESS, 100_000).width == 2400
    # A progressive one is held whole while it is decoded.
    (tmp_path / "p.jpg").write_bytes(jpeg(big, progressive=True))
    with pytest.raises(DecodeError, match="has 4 megapixels"):
        decode(str(tmp_path / "p.jpg"), PREPROCESS, 100_000)


def test_a_grey_tiff_of_floats(tmp_path: Path, cat: Image.Image) -> None:
    grey = cat.convert("L")
    Image.fromarray(np.asarray(grey, np.float32) / 255).save(tmp_path / "a.tif")
    assert distance(read(tmp_path / "a.tif"), grey.convert("RGB")) < 1
