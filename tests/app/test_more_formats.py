"""Videos, RAW files and pictures of the less usual kinds, and files that are called wrongly."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decoded import distance, read
from optional import module
from PIL import Image
from test_formats import dng, jpeg, mosaic

from photosearch.indexing.decode import DecodeError, prepare_decoders
from photosearch.indexing.pairs import groups
from photosearch.kinds import HEAD, RAW, VIDEOS, is_raw, video_format

pytestmark = pytest.mark.usefixtures("decoders")
COLOUR = (200, 60, 40)


@pytest.fixture(scope="module")
def cat(pictures: Path) -> Image.Image:
    with Image.open(pictures / "chelsea.png") as image:
        return image.convert("RGB").resize((240, 160))


# Each suffix with a container and a codec that files of it have.
CONTAINERS = {
    ".avi": ("avi", "mpeg4"), ".divx": ("avi", "mjpeg"), ".mpg": ("mpeg", "mpeg1video"),
    ".mpeg": ("vob", "mpeg2video"), ".mpe": ("mpeg", "mpeg1video"), ".vob": ("vob", "mpeg2video"),
    ".m2v": ("mpeg2video", "mpeg2video"), ".mts": ("mpegts", "libx264"),
    ".m2ts": ("mpegts", "libx264"), ".m2t": ("mpegts", "mpeg2video"), ".3gp": ("3gp", "mpeg4"),
    ".3g2": ("3g2", "mpeg4"), ".wmv": ("asf", "wmv2"), ".asf": ("asf", "wmv1"),
    ".mkv": ("matroska", "libx264"), ".webm": ("webm", "libvpx"), ".ogv": ("ogg", "libvpx"),
    ".mj2": ("mov", "jpeg2000"), ".qt": ("mov", "mjpeg"), ".flv": ("flv", "flv"),
    ".f4v": ("mp4", "libx264"), ".dv": ("dv", "dvvideo"), ".mp4": ("mp4", "mpeg4"),
    ".mov": ("mov", "libx264"), ".m4v": ("mp4", "libx264"),
    ".mp": ("mp4", "libx264"),
}  # fmt: skip


def video(path: Path, images: list[Image.Image], gop: int = 1, suffix: str = "") -> Path:
    """A second of each picture, ten frames a second."""
    import av

    form, codec = CONTAINERS[suffix or path.suffix]
    options = {"mpegts_m2ts_mode": "1"} if path.suffix == ".m2ts" else {}
    rate = 25 if codec in ("dvvideo", "mpeg1video", "mpeg2video") else 10
    with av.open(str(path), "w", format=form, options=options) as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.width, stream.height = (720, 576) if codec == "dvvideo" else images[0].size
        stream.pix_fmt = {"mjpeg": "yuvj420p", "jpeg2000": "rgb24"}.get(codec, "yuv420p")
        stream.bit_rate, stream.gop_size = 4_000_000, gop * rate
        if codec == "libvpx":
            stream.options = {"deadline": "realtime", "cpu-used": "8"}
        for image in images:
            for _ in range(rate):
                container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("suffix", sorted(CONTAINERS))
def test_a_video_is_seen_at_several_moments(tmp_path: Path, suffix: str) -> None:
    """Each second has a shade of its own, so that a frame tells when it was."""
    module("av")
    # With grain, as of flat shades a file has so few packets that nobody can seek in it.
    grain = np.random.default_rng(1).integers(-12, 13, (6, 96, 128, 3))
    shades = [
        Image.fromarray(np.clip(grain[second] + 40 * second, 0, 255).astype(np.uint8))
        for second in range(6)
    ]
    decoded = read(video(tmp_path / f"a{suffix}", shades))
    assert decoded.format == "VIDEO"
    assert decoded.more is not None or suffix == ".m2v"  # a bare stream says nothing of times
    frames = [decoded.pixels, *(() if decoded.more is None else decoded.more)]
    assert len(frames) == len(decoded.moments) == len(set(decoded.moments))
    for seconds, pixels in zip(decoded.moments, frames, strict=True):
        assert 0 <= seconds < 6
        assert abs(float(pixels.mean()) - 40 * int(seconds + 0.02)) < 14


def test_every_suffix_of_videos_is_tried() -> None:
    assert CONTAINERS.keys() == VIDEOS


@pytest.mark.parametrize("suffix", [".mts", ".mkv", ".mpg", ".wmv", ".webm"])
def test_a_video_of_one_key_frame_has_one_moment(tmp_path: Path, suffix: str) -> None:
    module("av")
    images = [Image.new("RGB", (64, 48), COLOUR)] * 3
    decoded = read(video(tmp_path / f"a{suffix}", images, gop=100))
    assert decoded.moments[0] < 1.5
    assert np.abs(decoded.pixels.reshape(-1, 3) - np.array(COLOUR)).max() < 12


def test_pixels_that_are_no_squares(tmp_path: Path) -> None:
    """As on DVDs: 720 columns that are seen as 1024."""
    av = module("av")
    with av.open(str(tmp_path / "a.mpg"), "w", format="vob") as container:
        stream: Any = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(64, 45)
        for _ in range(5):
            frame = av.VideoFrame.from_image(Image.new("RGB", (720, 576), COLOUR))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    decoded = read(tmp_path / "a.mpg")
    assert (decoded.width, decoded.height) == (1024, 576)


def test_hdr_videos_have_the_colours_that_are_seen(tmp_path: Path) -> None:
    av = module("av")
    from test_colour import stored

    from photosearch.indexing.formats import profiles

    for transfer in (16, 18):
        icc = profiles.of_codes(9, transfer)
        assert icc is not None
        image = stored(icc)
        with av.open(str(tmp_path / "a.mkv"), "w") as container:
            stream: Any = container.add_stream("ffv1", rate=10)
            stream.width, stream.height, stream.pix_fmt = *image.size, "yuv420p10le"
            stream.codec_context.color_primaries = stream.codec_context.colorspace = 9
            stream.codec_context.color_trc = transfer
            for _ in range(3):
                frame = av.VideoFrame.from_image(image)
                frame = frame.reformat(format="yuv420p10le", dst_colorspace=9)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        pixels = read(tmp_path / "a.mkv").pixels.reshape(-1, 3)
        assert np.abs(pixels - np.array(COLOUR)).max() < 12


@pytest.mark.parametrize("suffix", sorted(RAW))
def test_raw_files_by_any_suffix(tmp_path: Path, cat: Image.Image, suffix: str) -> None:
    """Those of TIFF's structure, by LibRaw; and without anything known, by their preview."""
    module("rawpy")
    grey = Image.new("RGB", cat.size, "grey")
    (tmp_path / f"a{suffix}").write_bytes(dng(jpeg(cat), mosaic(grey), 1))
    decoded = read(tmp_path / f"a{suffix}")
    assert (decoded.width, decoded.height, decoded.format) == (240, 160, "RAW")
    assert distance(decoded, cat) < 8
    (tmp_path / f"b{suffix}").write_bytes(b"II*\0" + b"\0" * 99 + jpeg(cat) + b"sensor" * 99)
    decoded = read(tmp_path / f"b{suffix}")
    assert (decoded.width, decoded.height, decoded.format) == (240, 160, "RAW")


RAW_HEADS = {
    "raf": b"FUJIFILMCCD-RAW 0201", "x3f": b"FOVb\x01\0\3\0", "mrw": b"\0MRM\0\0\1\0",
    "crw": b"II\x1a\0\0\0HEAPCCDR", "cr3": b"\0\0\0\x18ftypcrx ", "orf": b"IIRO\x08\0\0\0",
    "rw2": b"IIU\0\x18\0\0\0", "cr2": b"II*\0\x10\0\0\0CR\2\0",
}  # fmt: skip


@pytest.mark.parametrize("kind", RAW_HEADS)
@pytest.mark.parametrize("suffix", ["", ".jpg", ".tif"])
def test_raw_files_that_begin_as_nothing_else(
    tmp_path: Path, cat: Image.Image, kind: str, suffix: str
) -> None:
    """They are known by that, also under another name; of damaged ones the preview is seen."""
    module("rawpy")
    path = tmp_path / f"a{suffix or '.' + kind}"
    path.write_bytes(RAW_HEADS[kind] + b"\0" * 200 + jpeg(cat) + b"sensor" * 99)
    decoded = read(path)
    assert (decoded.width, decoded.height, decoded.format) == (240, 160, "RAW")
    assert distance(decoded, cat) < 8


def test_a_tiff_that_is_called_raw(tmp_path: Path, cat: Image.Image) -> None:
    module("rawpy")
    cat.save(tmp_path / "a.nef", "TIFF")
    decoded = read(tmp_path / "a.nef")
    assert (decoded.width, decoded.height, decoded.format) == (240, 160, "TIFF")
    cat.resize((24, 16)).save(tmp_path / "b.nef", "TIFF")  # the thumbnail of a RAW
    with pytest.raises(DecodeError, match="cannot be decoded as camera RAW"):
        read(tmp_path / "b.nef")


def psd(image: Image.Image, depth: int = 8, version: int = 1) -> bytes:
    """Photoshop's file of a merged picture, not packed, without layers."""
    values = np.asarray(image)
    values = values.reshape(*values.shape[:2], -1)
    mode = {"RGB": 3, "L": 1, "CMYK": 4}[image.mode]
    channels = np.moveaxis(values, -1, 0)
    data = (channels.astype(">u2") * 257 if depth == 16 else channels).tobytes()
    head = b"8BPS" + struct.pack(
        ">H6xHIIHH", version, values.shape[2], *image.size[::-1], depth, mode
    )
    layers = bytes(8 if version == 2 else 4)
    return head + bytes(4) + bytes(4) + layers + struct.pack(">H", 0) + data


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def pfm(image: Image.Image) -> bytes:
    grey = np.asarray(image.convert("L"), "<f4")[::-1] / 255
    return b"Pf\n%d %d\n-1.0\n" % image.size + grey.tobytes()


PICTURES = {
    ".psd": (psd, "PSD"), ".jp2": (lambda image: saved(image, "JPEG2000"), "JP2"),
    ".j2k": (lambda image: saved(image, "JPEG2000", no_jp2=True), "JP2"),
    ".tga": (lambda image: saved(image, "TGA", compression="tga_rle"), "TGA"),
    ".ppm": (lambda image: saved(image, "PPM"), "PNM"),
    ".pgm": (lambda image: saved(image.convert("L"), "PPM"), "PNM"),
    ".pbm": (lambda image: saved(image.convert("1"), "PPM"), "PNM"),
    ".pfm": (pfm, "PNM"),
    ".dib": (lambda image: saved(image, "DIB"), "BMP"),
    ".apng": (lambda image: saved(image, "PNG", save_all=True, append_images=[image]), "PNG"),
    ".mpo": (lambda image: saved(image, "MPO", save_all=True, append_images=[image]), "JPEG"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", PICTURES)
def test_pictures_of_less_usual_kinds(tmp_path: Path, cat: Image.Image, suffix: str) -> None:
    write, name = PICTURES[suffix]
    (tmp_path / f"a{suffix}").write_bytes(write(cat))
    decoded = read(tmp_path / f"a{suffix}")
    assert (decoded.width, decoded.height, decoded.format) == (240, 160, name)
    expected = cat if suffix not in (".pgm", ".pbm", ".pfm") else cat.convert("L").convert("RGB")
    assert distance(decoded, expected) < (14 if suffix == ".pbm" else 3)


def test_the_largest_picture_of_an_icon(tmp_path: Path, cat: Image.Image) -> None:
    square = cat.resize((256, 256))
    square.save(tmp_path / "a.ico", sizes=[(16, 16), (256, 256), (48, 48)])
    decoded = read(tmp_path / "a.ico")
    assert (decoded.width, decoded.height, decoded.format) == (256, 256, "ICO")
    assert distance(decoded, square) < 3


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_jpeg_xr(tmp_path: Path, cat: Image.Image, kind: str) -> None:
    codecs = module("imagecodecs")
    values: np.ndarray[Any, Any] = np.asarray(cat)
    if kind == "uint16":
        values = values.astype(np.uint16) * 257
    elif kind == "float32":  # light, and some of it brighter than white
        shares = values.astype(np.float32) / 255
        values = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        values = values.astype(np.float32)
    (tmp_path / "a.jxr").write_bytes(codecs.jpegxr_encode(values, level=1.0))
    decoded = read(tmp_path / "a.jxr")
    assert (decoded.width, decoded.height, decoded.format) == (240, 160, "JXR")
    assert distance(decoded, cat) < 4


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory, cat: Image.Image) -> dict[str, bytes]:
    """A file of each kind that its first bytes tell."""
    prepare_decoders()
    kinds = ("JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF", "JPEG2000")
    found = {kind: saved(cat, kind) for kind in kinds} | {"PSD": psd(cat)}
    for suffix in (".mkv", ".mp4", ".avi"):
        path = video(tmp_path_factory.mktemp("videos") / f"a{suffix}", [cat])
        found[suffix] = path.read_bytes()
    return found


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".cr2", ".mp4", ".tif", ".psd", ".avi"])
def test_a_file_that_is_called_wrongly_is_read_by_its_content(
    tmp_path: Path, cat: Image.Image, contents: dict[str, bytes], suffix: str
) -> None:
    module("av")
    for kind, content in contents.items():
        path = tmp_path / f"a{suffix}"
        path.write_bytes(content)
        decoded = read(path)
        wanted = "VIDEO" if kind.startswith(".") else {"JPEG2000": "JP2"}.get(kind, kind)
        assert (decoded.width, decoded.height, decoded.format) == (240, 160, wanted)
        assert distance(decoded, cat) < 10


def test_no_still_is_taken_for_a_video() -> None:
    image = Image.new("RGB", (64, 64), COLOUR)
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "HEIF", "AVIF", "JPEG2000", "TGA"):
        head = saved(image, kind)[:HEAD]
        for suffix in (".mp4", ".avi", ".mts", ".jpg", ".dv"):
            assert video_format(head, suffix) is None
        assert not is_raw(head, ".jpg")


def test_a_shared_name_makes_no_live_photo_of_an_old_camera() -> None:
    """Only videos such as those of Live Photos belong to a still: an AVI of its name is a video."""
    found = {group.name: group.beside for group in groups(["a.jpg", "a.avi", "a.mts", "a.mov"])}
    assert found == {"a.jpg": None, "a.avi": None, "a.mts": None, "a.mov": "a.jpg"}
