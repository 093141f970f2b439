"""Pixels of any colour space are seen as what they look like, in sRGB."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from photosearch.indexing.formats import MAX_PIXELS, open_picture, profiles
from photosearch.indexing.formats.colour import to_srgb

pytestmark = pytest.mark.usefixtures("decoders")
# What every picture here looks like.
WANTED = (200, 60, 40)
SIDE = 64
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
PROPHOTO_PRIMARIES = (
    (0.3457, 0.3585), (0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001),
)  # fmt: skip
P3 = profiles.of_codes(12, 13)
PROPHOTO = profiles.of_gamma(1.8, PROPHOTO_PRIMARIES)
assert P3 is not None
assert PROPHOTO is not None
WIDE = {"p3": P3, "adobe": profiles.adobe_rgb(), "prophoto": PROPHOTO}


def stored(profile: bytes, wanted: tuple[int, ...] = WANTED, mode: str = "RGB") -> Image.Image:
    """A picture that looks like `wanted`, in the colours of `profile`."""
    space = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    plain = Image.new("RGB", (160, 120), wanted)
    result = ImageCms.profileToProfile(plain, SRGB, space, 1, mode)
    assert result is not None
    del result.info["icc_profile"]  # it would be saved unasked
    return result


def seen(content: bytes, suffix: str = "") -> Image.Image:
    return open_picture(io.BytesIO(content), suffix, SIDE, MAX_PIXELS).image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def is_near(image: Image.Image, wanted: tuple[int, ...] = WANTED, levels: int = 2) -> bool:
    pixel = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= levels for a, b in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 98}),
        ("PNG", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
        ("HEIF", {"quality": 95}),
        ("AVIF", {"quality": 98}),
    ],
)
def test_an_embedded_profile_is_heeded(name: str, kind: str, options: dict[str, Any]) -> None:
    image = stored(WIDE[name])
    assert not is_near(image, levels=10)  # else nothing is tested
    content = saved(image, kind, icc_profile=WIDE[name], **options)
    assert is_near(seen(content), levels=2 if kind in ("PNG", "TIFF", "WEBP") else 4)


def deep(values: np.ndarray[Any, Any], icc: bytes, kinds: tuple[int, int]) -> bytes:
    """A 16-bit PNG of these values (height, width, channels), with the header's depth and kind."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(
        struct.pack(">IIBBBBB", width, height, *kinds, 0, 0, 0),
        rows,
        (b"iCCP", b"x\0\0" + zlib.compress(icc)),
    )


def png(header: bytes, rows: bytes, *before: tuple[bytes, bytes]) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    chunks = [(b"IHDR", header), *before, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, content) for kind, content in chunks)


def with_chunks(image: Image.Image, *chunks: tuple[bytes, bytes]) -> bytes:
    kinds = {"L": (8, 0), "RGB": (8, 2)}[image.mode]
    header = struct.pack(">IIBBBBB", *image.size, *kinds, 0, 0, 0)
    data, step = image.tobytes(), len(image.tobytes()) // image.height
    rows = b"".join(b"\0" + data[at : at + step] for at in range(0, len(data), step))
    return png(header, rows, *chunks)


def test_sixteen_bits_are_heeded_too() -> None:
    pixel = np.array(stored(PROPHOTO).getpixel((0, 0)))
    assert is_near(seen(deep(np.full((80, 90, 3), pixel * 257), PROPHOTO, (16, 2))))


@pytest.mark.parametrize("deep_grey", [False, True])
@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.6])
def test_a_grey_profile_is_a_curve(deep_grey: bool, gamma: float) -> None:
    icc = grey_profile(gamma)
    light = ((90 / 255 + 0.055) / 1.055) ** 2.4
    code = light ** (1 / gamma)
    if deep_grey:
        values = np.full((80, 90, 1), round(code * 65535))
        content = deep(values, icc, (16, 0))
    else:
        image = Image.new("L", (90, 80), round(code * 255))
        content = saved(image, "TIFF", icc_profile=icc)
    # In eight bits, one step of linear light is four of what is seen.
    assert is_near(seen(content), (90,) * 3, levels=4 if gamma == 1.0 else 2)
    transparent = Image.new("LA", (90, 80), (round(code * 255), 128))
    image = seen(saved(transparent, "PNG", icc_profile=icc))
    assert image.getchannel("A").getextrema() == (128, 128)
    assert is_near(image, (90,) * 3, levels=4 if gamma == 1.0 else 2)


def grey_profile(gamma: float) -> bytes:
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    table = struct.pack(">I4sII4sII", 2, b"wtpt", 156, 20, b"kTRC", 176, 16)
    head = bytearray(128)
    head[0:4] = struct.pack(">I", 192)
    head[8:24] = b"\2\x40\0\0mntrGRAYXYZ "
    head[36:40] = b"acsp"
    head[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    return bytes(head) + table + white + curve


def cmyk_profile() -> bytes:
    """One of two steps a channel, whose Lab falls with each ink: a press that hardly exists."""
    grid = bytearray()
    for inks in np.ndindex(2, 2, 2, 2):
        grid += bytes((max(0, 255 - 60 * sum(inks)), 128 + 40 * inks[1], 128 + 40 * inks[2]))
    identity = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0))
    table += struct.pack(">9i", *(65536 * value for value in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table += identity * 4 + bytes(grid) + identity * 3
    table += bytes(-len(table) % 4)
    head = bytearray(128)
    head[8:24] = b"\2\x40\0\0prtrCMYKLab "
    head[36:40] = b"acsp"
    head[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags = struct.pack(">I4sII4sII", 2, b"wtpt", 156, 20, b"A2B0", 176, len(table))
    head[0:4] = struct.pack(">I", 176 + len(table))
    return bytes(head) + tags + white + table


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_what_its_press_prints(kind: str) -> None:
    icc = cmyk_profile()
    image = Image.new("CMYK", (160, 120), (0, 255, 255, 0))
    lab = Image.new("LAB", (160, 120), (135, 168, 168))
    expected = to_srgb(lab, None, SIDE).getpixel((0, 0))
    assert isinstance(expected, tuple)
    options = {"quality": 98} if kind == "JPEG" else {}
    content = saved(image, kind, icc_profile=icc, **options)
    assert is_near(seen(content), expected, levels=4)
    assert is_near(seen(saved(image, kind, **options)), (255, 0, 0), levels=4)  # without one


@pytest.mark.parametrize("icc", [b"", b"no profile at all" * 20, P3])
def test_lab_is_seen_whatever_its_profile(icc: bytes) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    image = ImageCms.profileToProfile(Image.new("RGB", (160, 120), WANTED), SRGB, lab, 1, "LAB")
    assert image is not None
    assert is_near(seen(saved(image, "TIFF", icc_profile=icc)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda icc: icc[:200],
        lambda icc: icc[:128] + bytes(len(icc) - 128),
        lambda icc: icc[:36] + b"none" + icc[40:],
        lambda icc: b"",
        lambda icc: b"\xff" * 3000,
        lambda icc: grey_profile(1.0),
        lambda icc: cmyk_profile(),
        lambda icc: icc[:12] + b"link" + icc[16:],
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_damaged_profile_never_costs_the_photo(
    kind: str, spoil: Callable[[bytes], bytes]
) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    image = Image.new("RGB", (160, 120), WANTED)
    content = saved(image, kind, icc_profile=spoil(WIDE["adobe"]), **options)
    assert is_near(seen(content), levels=12)


@pytest.mark.parametrize("codes", [(12, 13), (9, 13), (1, 8), (9, 16), (9, 18), (12, 16), (5, 6)])
def test_code_points_of_png(codes: tuple[int, int]) -> None:
    """Also where a profile says something else: the code points go first."""
    icc = profiles.of_codes(*codes)
    assert icc is not None
    other = (b"iCCP", b"x\0\0" + zlib.compress(WIDE["adobe"]))
    content = with_chunks(stored(icc), (b"cICP", bytes((*codes, 0, 1))), other)
    assert is_near(seen(content))


def test_what_is_brighter_than_white_stays_below_it() -> None:
    """Codes of PQ and HLG that rise, rise in what is seen, up to white."""
    ramp = Image.linear_gradient("L").convert("RGB")
    for transfer in (16, 18):
        codes = (b"cICP", bytes((9, transfer, 0, 1)))
        levels = np.asarray(seen(with_chunks(ramp, codes)).convert("L"), np.int32)[:, 0]
        assert levels[0] == 0
        assert levels[-1] == 255
        assert (np.diff(levels) >= 0).all()


def test_gamma_and_primaries_of_png() -> None:
    icc = profiles.of_gamma(1.8, PROPHOTO_PRIMARIES)
    assert icc is not None
    flat = [round(value * 100_000) for point in PROPHOTO_PRIMARIES for value in point]
    primaries = (b"cHRM", struct.pack(">8I", *flat))
    gamma = (b"gAMA", struct.pack(">I", round(100_000 / 1.8)))
    assert is_near(seen(with_chunks(stored(icc), gamma, primaries)))
    # The chunk that says sRGB goes before both.
    plain = Image.new("RGB", (160, 120), WANTED)
    assert is_near(seen(with_chunks(plain, (b"sRGB", b"\0"), gamma, primaries)), levels=0)
    for odd in (b"\0" * 32, b"\xff" * 32, b"\0" * 31):
        seen(with_chunks(plain, gamma, (b"cHRM", odd)))
    usual = (b"gAMA", struct.pack(">I", 45455))
    assert is_near(seen(with_chunks(plain, usual)), levels=0)
    assert is_near(seen(with_chunks(plain, (b"gAMA", bytes(4)))), levels=0)


def test_code_points_of_heif() -> None:
    icc = profiles.of_codes(9, 16)
    assert icc is not None
    content = saved(stored(icc), "HEIF", quality=98, color_primaries=9, transfer_characteristics=16)
    with Image.open(io.BytesIO(content)) as image:
        assert image.info["nclx_profile"]["color_primaries"] == 9
    assert is_near(seen(content), levels=5)


def test_code_points_of_avif() -> None:
    icc = profiles.of_codes(12, 13)
    assert icc is not None
    content = bytearray(saved(stored(icc), "AVIF", quality=98))
    place = content.index(b"colrnclx") + 8
    content[place : place + 4] = struct.pack(">HH", 12, 13)
    assert is_near(seen(bytes(content)), levels=4)


def exif_of_adobe_rgb() -> bytes:
    """What cameras write that embed no profile: no colour space known, and R03."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 65535
    exif.get_ifd(0x8769)[0xA005] = {1: "R03", 2: b"0100"}
    content = exif.tobytes()
    assert b"R03" in content
    return content


def test_adobe_rgb_named_by_exif_alone() -> None:
    image = stored(WIDE["adobe"])
    content = saved(image, "JPEG", quality=98, exif=exif_of_adobe_rgb())
    assert is_near(seen(content), levels=4)
    # Somebody's name is no colour space, and a profile goes first.
    exif = Image.Exif()
    exif[0x013B] = "R03"
    plain = saved(Image.new("RGB", (160, 120), WANTED), "JPEG", quality=98, exif=exif.tobytes())
    assert is_near(seen(plain))
    both = saved(stored(WIDE["p3"]), "JPEG", quality=98, exif=exif_of_adobe_rgb(), icc_profile=P3)
    assert is_near(seen(both), levels=4)


def test_a_palette_and_a_clear_colour() -> None:
    image = stored(WIDE["p3"])
    palette = image.quantize(4)
    assert is_near(seen(saved(palette, "PNG", icc_profile=P3)))
    clear = Image.new("RGBA", (160, 120), (*image.getpixel((0, 0)), 128))  # type: ignore[misc]
    shown = seen(saved(clear, "PNG", icc_profile=P3))
    assert is_near(shown)
    assert shown.getchannel("A").getextrema() == (128, 128)
    keyed = saved(image, "PNG", icc_profile=P3, transparency=image.getpixel((0, 0)))
    assert seen(keyed).getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize(
    "icc", [SRGB.tobytes(), profiles._profile(profiles._REC_709, profiles._srgb)]
)
def test_what_is_srgb_is_left_as_it_is(icc: bytes) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8)
    image = Image.fromarray(noise)
    assert to_srgb(image, icc, SIDE) is image
    assert to_srgb(image, None, SIDE) is image


def test_a_large_picture_comes_no_smaller_than_asked(tmp_path: Path) -> None:
    image = stored(WIDE["adobe"]).resize((1000, 700))
    assert to_srgb(image, WIDE["adobe"], 200).size == (334, 234)
    assert to_srgb(image, WIDE["adobe"], 400).size == (1000, 700)
