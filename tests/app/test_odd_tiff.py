"""TIFFs of unusual layouts: deep, floating, planar, with more channels, in Lab, packed rarely."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decoded import PREPROCESS, distance
from numpy.typing import NDArray
from optional import module
from PIL import Image, ImageCms
from test_colour import WIDE, stored

from photosearch.indexing.decode import Decoded, DecodeError, decode

tifffile = module("tifffile")
module("imagecodecs")
pytestmark = pytest.mark.usefixtures("decoders")


Values = NDArray[Any]


@pytest.fixture(scope="module")
def cat(pictures: Path) -> Image.Image:
    with Image.open(pictures / "chelsea.png") as image:
        return image.convert("RGB").resize((120, 80))


def deep(values: Values, kind: str = "u2") -> Values:
    most = {"u2": 257, "u4": 16843009}[kind]
    return (values.astype("u8") * most).astype(kind)


def more(values: Values, count: int) -> Values:
    """With so many channels more, which are no colours."""
    extra = np.full((*values.shape[:2], count), np.iinfo(values.dtype).max, values.dtype)
    return np.concatenate([values.reshape(*values.shape[:2], -1), extra], axis=-1)


def planar(values: Values) -> Values:
    return np.moveaxis(values, -1, 0)


def floats(values: Values, kind: str = "f4") -> Values:
    return (values / 255).astype(kind)


COLOURS = {
    "16 bits": lambda rgb: (deep(rgb), {}),
    "16 bits, planes": lambda rgb: (planar(deep(rgb)), {"planarconfig": "separate"}),
    "8 bits, planes": lambda rgb: (planar(rgb), {"planarconfig": "separate"}),
    "32 bits": lambda rgb: (deep(rgb, "u4"), {}),
    "10 bits": lambda rgb: (deep(rgb) >> 6, {"bitspersample": 10}),
    "half floats": lambda rgb: (floats(rgb, "f2"), {}),
    "floats": lambda rgb: (floats(rgb), {}),
    "floats up to 255": lambda rgb: (rgb.astype("f4"), {}),
    "doubles": lambda rgb: (floats(rgb, "f8"), {}),
    "floats, predicted": lambda rgb: (floats(rgb), {"predictor": 3, "compression": "deflate"}),
    "floats, planes": lambda rgb: (planar(floats(rgb)), {"planarconfig": "separate"}),
    "16 bits and alpha": lambda rgb: (more(deep(rgb), 1), {"extrasamples": ["unassalpha"]}),
    "two more": lambda rgb: (more(rgb, 2), {"extrasamples": ["unspecified"] * 2}),
    "two more of 16 bits": lambda rgb: (more(deep(rgb), 2), {"extrasamples": ["unspecified"] * 2}),
    "five more": lambda rgb: (more(rgb, 5), {"extrasamples": ["unspecified"] * 5}),
    "tiles": lambda rgb: (deep(rgb), {"tile": (64, 64), "compression": "deflate"}),
    "high byte first": lambda rgb: (deep(rgb), {"byteorder": ">"}),
    "BigTIFF": lambda rgb: (deep(rgb), {"bigtiff": True}),
    "a palette of 16 bits": lambda rgb: (
        deep(rgb[..., 1]),
        {"photometric": "palette", "colormap": np.tile(np.arange(65536, dtype="u2"), (3, 1))},
    ),
} | {
    f"packed by {name}": lambda rgb, name=name: (rgb, {"compression": name})
    for name in ("jpeg", "zstd", "lzma", "webp", "jpeg2000", "jpegxl", "jpegxr", "lerc", "png")
}  # fmt: skip

GREYS = {
    "16 bits": lambda grey: (deep(grey), {}),
    "16 bits and alpha": lambda grey: (more(deep(grey), 1), {"extrasamples": ["unassalpha"]}),
    "8 bits and alpha": lambda grey: (more(grey, 1), {"extrasamples": ["unassalpha"]}),
    "white is 0": lambda grey: (255 - grey, {"photometric": "miniswhite"}),
    "white is 0 in 16 bits": lambda grey: (65535 - deep(grey), {"photometric": "miniswhite"}),
    "32 bits": lambda grey: (deep(grey, "u4"), {}),
    "12 bits": lambda grey: (deep(grey) >> 4, {"bitspersample": 12}),
    "signed": lambda grey: ((deep(grey) >> 1).astype("i2"), {}),
    "half floats": lambda grey: (floats(grey, "f2"), {}),
    "doubles": lambda grey: (floats(grey, "f8"), {}),
    "four channels": lambda grey: (np.stack([grey] * 4, axis=-1), {"planarconfig": "contig"}),
}  # fmt: skip


def read(path: Path, values: Values, **options: Any) -> Decoded:
    tifffile.imwrite(path, values, **options)
    return decode(str(path), PREPROCESS)


@pytest.mark.parametrize("name", COLOURS)
def test_colours(tmp_path: Path, cat: Image.Image, name: str) -> None:
    values, options = COLOURS[name](np.asarray(cat))
    decoded = read(tmp_path / "a.tif", values, **{"photometric": "rgb"} | options)
    assert (decoded.width, decoded.height, decoded.format) == (120, 80, "TIFF")
    wanted = cat.getchannel("G").convert("RGB") if "palette" in name else cat
    assert distance(decoded, wanted) < 3


@pytest.mark.parametrize("name", GREYS)
def test_greys(tmp_path: Path, cat: Image.Image, name: str) -> None:
    grey = cat.convert("L")
    values, options = GREYS[name](np.asarray(grey))
    decoded = read(tmp_path / "a.tif", values, **{"photometric": "minisblack"} | options)
    assert (decoded.width, decoded.height, decoded.format) == (120, 80, "TIFF")
    assert distance(decoded, grey.convert("RGB")) < 3


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["cielab", "icclab"])
def test_lab(tmp_path: Path, cat: Image.Image, kind: str, bits: int) -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(cat, srgb, lab, outputMode="LAB")
    assert image is not None
    signed = np.asarray(image)  # Pillow hands out what a TIFF has, with signs
    light, colours = signed[..., :1].astype("u2"), signed[..., 1:]
    if kind == "icclab":
        colours = colours ^ 128
    values = np.concatenate([light, colours], axis=-1).astype("u1")
    if bits == 16:
        light = light * 257 if kind == "cielab" else light * 256
        values = np.concatenate([light, colours.astype("u2") << 8], axis=-1).astype("u2")
    assert distance(read(tmp_path / "a.tif", values, photometric=kind), cat) < 4


@pytest.mark.parametrize("kind", ["8 bits", "16 bits", "with alpha"])
def test_cmyk(tmp_path: Path, cat: Image.Image, kind: str) -> None:
    inks = np.asarray(cat.convert("CMYK"))
    options = {}
    if kind == "16 bits":
        inks = deep(inks)
    elif kind == "with alpha":
        inks, options = more(inks, 1), {"extrasamples": ["unassalpha"]}
    assert distance(read(tmp_path / "a.tif", inks, photometric="separated", **options), cat) < 3


def test_a_profile_and_an_orientation_are_heeded(tmp_path: Path) -> None:
    image = stored(WIDE["adobe"])
    values = floats(np.asarray(image))
    extra = [(34675, 7, len(WIDE["adobe"]), WIDE["adobe"], True), (274, 3, 1, 6, True)]
    decoded = read(tmp_path / "a.tif", values, photometric="rgb", extratags=extra)
    assert (decoded.width, decoded.height) == (image.height, image.width)
    assert np.abs(decoded.pixels.reshape(-1, 3) - np.array((200, 60, 40))).max() <= 3


@pytest.mark.parametrize("kind", ["u1", "f4"])
def test_of_many_pages_the_first_that_is_no_thumbnail(
    tmp_path: Path, cat: Image.Image, kind: str
) -> None:
    values = np.asarray(cat) if kind == "u1" else floats(np.asarray(cat))
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(values[::4, ::4], photometric="rgb", subfiletype=1)
        writer.write(values, photometric="rgb")
        writer.write(values[::-1], photometric="rgb")
    decoded = decode(str(tmp_path / "a.tif"), PREPROCESS)
    assert (decoded.width, decoded.height) == (120, 80)
    assert distance(decoded, cat) < 3
    tifffile.imwrite(tmp_path / "b.tif", values, photometric="rgb", subfiletype=1)
    assert distance(decode(str(tmp_path / "b.tif"), PREPROCESS), cat) < 3  # there is no other


@pytest.mark.parametrize("compression", [6, 7])
def test_a_jpeg_in_a_tiff(tmp_path: Path, cat: Image.Image, compression: int) -> None:
    """Of the present kind, and of the old one, which names the JPEG by tags of its own."""
    content = io.BytesIO()
    cat.save(content, "JPEG", quality=95, subsampling=0)
    jpeg = content.getvalue() + b"\0" * (len(content.getvalue()) % 2)
    entries = [
        (256, 4, 120), (257, 4, 80), (258, 3, 8), (259, 3, compression), (262, 3, 6), (273, 4, 8),
        (277, 3, 3), (278, 4, 80), (279, 4, len(jpeg)), (284, 3, 1),
    ]  # fmt: skip
    if compression == 6:
        entries += [(512, 3, 1), (513, 4, 8), (514, 4, len(jpeg))]
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    head = struct.pack("<2sHI", b"II", 42, 8 + len(jpeg))
    (tmp_path / "a.tif").write_bytes(head + jpeg + directory + bytes(4))
    assert distance(decode(str(tmp_path / "a.tif"), PREPROCESS), cat) < 4


def test_what_is_cut_short_is_damaged_whatever_its_layout(tmp_path: Path, cat: Image.Image) -> None:
    for name, values in (("a", np.asarray(cat)), ("b", floats(np.asarray(cat)))):
        path = tmp_path / f"{name}.tif"
        tifffile.imwrite(path, values, photometric="rgb", rowsperstrip=8)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) - values.nbytes // 2])
        with pytest.raises(DecodeError):
            decode(str(path), PREPROCESS)
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((9, 9), "c8"))
    with pytest.raises(DecodeError, match="complex numbers"):
        decode(str(tmp_path / "c.tif"), PREPROCESS)


def test_without_the_extra_it_is_named(
    tmp_path: Path, cat: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", floats(np.asarray(cat)), photometric="rgb")
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(DecodeError, match=r"pip install 'photosearch\[tiff\]'") as caught:
        decode(str(tmp_path / "a.tif"), PREPROCESS)
    assert caught.value.passing
