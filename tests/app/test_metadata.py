"""What photos say of themselves, by format and source; and that nothing they say does harm."""

from __future__ import annotations

import io
import os
import random
import struct
import time
from pathlib import Path
from typing import Any

import photo_metadata as make
import pytest
from photo_metadata import RED, camera_exif, exif, jpeg, xmp
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from index import Metadata
from photosearch.encoders import ImageSettings, Preprocess
from photosearch.indexing.decode import decode, prepare_decoders, read_metadata
from photosearch.indexing.metadata import metadata_of

HALF = (0.5, 0.5, 0.5)
PREPROCESS = Preprocess(ImageSettings(32, "squash", "none", "bicubic", HALF, HALF))


@pytest.fixture(autouse=True)
def decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    prepare_decoders()


def of(content: bytes, name: str = "a.jpg") -> Metadata:
    return metadata_of(io.BytesIO(content), f"/photos/{name}")


def saved(kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    RED.save(content, kind, **options)
    return content.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_what_a_camera_says(kind: str) -> None:
    found = of(saved(kind, exif=camera_exif().tobytes()))
    assert found.taken_at == "2019-06-01T14:30:05"
    assert found.taken_offset_minutes == 120
    assert found.taken_source == "exif"
    assert found.latitude == pytest.approx(41.891667, abs=1e-5)
    assert found.longitude == pytest.approx(12.483333, abs=1e-5)
    assert found.camera == "NIKON D750"
    assert found.lens == "AF-S 50mm f/1.8G"
    assert found.exposure_time == pytest.approx(1 / 250)
    assert found.f_number == pytest.approx(2.8)
    assert (found.iso, found.focal_length, found.rating) == (400, 50.0, 4)
    assert found.caption == "By the river"


@pytest.mark.parametrize("name", ["a.jpg", "a.heic"])
def test_decoding_brings_the_metadata(tmp_path: Path, name: str) -> None:
    RED.save(tmp_path / name, exif=camera_exif())
    decoded = decode(str(tmp_path / name), PREPROCESS)
    assert decoded.metadata.camera == "NIKON D750"
    assert decoded.metadata == read_metadata(str(tmp_path / name))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_what_an_editor_says(kind: str) -> None:
    packet = xmp(
        make.bag("dc:subject", "Rome", "river") + "<dc:description><rdf:Alt>"
        '<rdf:li xml:lang="it">Il fiume</rdf:li><rdf:li xml:lang="x-default">The river</rdf:li>'
        "</rdf:Alt></dc:description>"
        '<xmpMM:History><rdf:Seq><rdf:li><rdf:Description xmp:Rating="1"/></rdf:li></rdf:Seq>'
        "</xmpMM:History>",
        'xmp:Rating="5" exif:DateTimeOriginal="2018-03-04T05:06:07.89-03:00" '
        'exif:GPSLatitude="22,54.5S" exif:GPSLongitude="43,10,30W" tiff:Make="Canon" '
        'tiff:Model="EOS R5" exif:FNumber="28/10"',
    )
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode(), zip=True)
        content = saved("PNG", pnginfo=info)
    elif kind == "TIFF":
        content = saved("TIFF", tiffinfo={700: packet})
    else:
        content = saved(kind, xmp=packet)
    found = of(content)
    assert (found.taken_at, found.taken_source) == ("2018-03-04T05:06:07", "xmp")
    assert found.taken_offset_minutes == -180
    assert found.latitude == pytest.approx(-22.908333, abs=1e-5)
    assert found.longitude == pytest.approx(-43.175, abs=1e-5)
    assert (found.camera, found.rating, found.f_number) == ("Canon EOS R5", 5, 2.8)
    assert (found.keywords, found.caption) == (("Rome", "river"), "The river")


def test_the_camera_is_believed_on_facts_and_the_editor_on_words() -> None:
    packet = xmp("<dc:description>Edited</dc:description>", 'xmp:CreateDate="2000-01-01"')
    found = of(jpeg(exif=camera_exif(), xmp=packet))
    assert (found.taken_at, found.caption, found.rating) == ("2019-06-01T14:30:05", "Edited", 4)


def test_what_press_photographers_write() -> None:
    resources = make.iptc((25, b"harbour"), (25, "Z\u00fcrich".encode()), (120, b"Dawn"))
    found = of(make.with_segment(jpeg(), 0xED, resources))
    assert (found.keywords, found.caption) == (("harbour", "Z\u00fcrich"), "Dawn")


def test_what_windows_writes() -> None:
    words = "beach; sand;beach\0".encode("utf-16-le")
    assert of(jpeg(exif=exif({0x9C9E: words}))).keywords == ("beach", "sand")


def test_sidecars_go_before_what_is_inside(tmp_path: Path) -> None:
    inside = xmp(make.bag("dc:subject", "inside"), 'xmp:Rating="2"')
    photo = make.write(tmp_path / "a.jpg", jpeg(exif=camera_exif(), xmp=inside))
    own = make.write(tmp_path / "a.jpg.xmp", xmp("", 'xmp:Rating="0"'))
    shared = make.write(tmp_path / "a.xmp", xmp(make.bag("dc:subject", "beside"), 'xmp:Rating="3"'))
    found = read_metadata(str(photo), (str(own), str(shared)))
    # No stars is something to say, too.
    assert (found.rating, found.keywords, found.caption) == (None, ("beside",), "By the river")
    gone = str(tmp_path / "gone.xmp")
    assert read_metadata(str(photo), (gone, str(shared))).rating == 3


@pytest.mark.parametrize(
    "date", ["0000:00:00 00:00:00", "2019:13:41 99:00:00", "    :  :     :  :  ", "", "9999:01:01"]
)
def test_dates_that_cannot_be_are_passed_over(date: str) -> None:
    found = of(jpeg(exif=exif({0x0132: "2015:05:05 05:05:05"}, {0x9003: date})))
    assert found.taken_at == "2015-05-05T05:05:05"


@pytest.mark.parametrize(
    "where",
    [
        {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
        {1: "N", 2: (141.0, 0.0, 0.0), 3: "E", 4: (12.0, 0.0, 0.0)},
        {1: "N", 2: (41.0, 0.0, 0.0)},
        {1: "N", 2: (IFDRational(0, 0),) * 3, 3: "E", 4: (IFDRational(0, 0),) * 3},
    ],
)
def test_positions_that_cannot_be_are_not_said(where: dict[int, Any]) -> None:
    found = of(jpeg(exif=exif({0x0110: "Phone"}, where=where)))
    assert (found.latitude, found.longitude, found.camera) == (None, None, "Phone")


@pytest.mark.parametrize(
    ("make_and_model", "expected"),
    [
        (("Canon", "Canon EOS 5D"), "Canon EOS 5D"),
        (("Apple", "iPhone 15"), "Apple iPhone 15"),
        (("OLYMPUS IMAGING CORP.", "E-M1"), "OLYMPUS E-M1"),
        (("SONY", ""), "SONY"),
        (("", "X100V"), "X100V"),
    ],
)
def test_names_of_cameras(make_and_model: tuple[str, str], expected: str) -> None:
    maker, model = make_and_model
    assert of(jpeg(exif=exif({0x010F: maker, 0x0110: model}))).camera == expected


@pytest.mark.parametrize("caption", ["OLYMPUS DIGITAL CAMERA         ", "SONY DSC", "  "])
def test_what_cameras_write_under_every_picture_is_no_caption(caption: str) -> None:
    assert of(jpeg(exif=exif({0x010E: caption}))).caption is None


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    """A billion laughs, and a file of the machine: whoever has a DOCTYPE is not read at all."""
    secret = make.write(tmp_path / "secret", b"secret")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    for declared, used in (
        ('<!ENTITY l0 "ha">' + laughs, "&l9;"),
        (f'<!ENTITY f SYSTEM "{secret.as_uri()}">', "&f;"),
    ):
        body = xmp(f"<dc:description>{used}</dc:description>", 'xmp:Rating="5"').decode()
        body = body.partition("?>")[2]
        packet = f"<?xml version='1.0'?><!DOCTYPE x [{declared}]>{body}".encode()
        found = of(jpeg(xmp=packet) if len(packet) < 60_000 else jpeg())
        assert (found.caption, found.rating) == (None, None)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"<",
        b"<a>" * 500_000,
        xmp("")[:300],
        b"\xff\xfe<\0a\0",
        b"<?xml encoding='EBCDIC'?><a/>",
    ],
    ids=["empty", "cut", "deep", "half", "UTF-16", "encoding"],
)
def test_damaged_xmp(tmp_path: Path, packet: bytes) -> None:
    photo = make.write(tmp_path / "a.jpg", jpeg(exif=camera_exif()))
    sidecar = make.write(tmp_path / "a.xmp", packet)
    assert read_metadata(str(photo), (str(sidecar),)).camera == "NIKON D750"


def test_hostile_exif_costs_only_itself() -> None:
    """Directories that point at themselves, promise gigabytes, or end too early."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    huge = struct.pack("<HHII", 0x010F, 2, 0xFFFFFFFF, 8)
    odd = struct.pack("<HHII", 0x0110, 99, 3, 8)
    good = struct.pack("<HHI4s", 0x010F, 2, 4, b"Pix\0")
    for count, entries in (
        (1, entry),
        (0xFFFF, entry * 5000),
        (3, huge + odd + good),
        (50, good),
    ):
        blob = b"II*\0" + struct.pack("<IH", 8, count) + entries
        started = time.perf_counter()
        found = of(make.with_segment(jpeg(), 0xE1, b"Exif\0\0" + blob[:65_000]))
        assert time.perf_counter() - started < 5
        assert found.taken_source == "mtime"
        assert found.camera == ("Pix" if good in entries else None)


def test_random_damage_never_raises() -> None:
    generator = random.Random(7)
    sources = [saved(kind, exif=camera_exif()) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")]
    sources.append(make.with_segment(jpeg(), 0xED, make.iptc((25, b"a"), (120, b"b"))))
    for source in sources:
        for _ in range(150):
            content = bytearray(source)
            for _ in range(generator.randint(1, 12)):
                content[generator.randrange(len(content))] = generator.randrange(256)
            found = of(bytes(content[: generator.randint(10, len(content))]))
            assert found.taken_source is not None


def test_a_photo_with_hostile_metadata_is_decoded(tmp_path: Path) -> None:
    blob = (
        b"Exif\0\0II*\0" + struct.pack("<IH", 8, 0xFFFF) + b"\x69\x87\4\0\1\0\0\0\x08\0\0\0" * 5000
    )
    photo = make.write(tmp_path / "a.jpg", make.with_segment(jpeg(), 0xE1, blob))
    os.utime(photo, (0, 0))
    decoded = decode(str(photo), PREPROCESS)
    assert decoded.pixels.mean() > 50
    assert decoded.metadata.taken_source == "mtime"
