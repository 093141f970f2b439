"""Any bytes where metadata is: what can be believed is said, and nothing is raised."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from photo_metadata import bag, camera_exif, iptc, jpeg, with_segment, xmp

from index import Metadata
from photosearch.indexing.exports import exports
from photosearch.indexing.metadata import exif, sources, values
from photosearch.indexing.metadata.blocks import blocks_of
from photosearch.indexing.metadata.dates import Date, parsed
from photosearch.indexing.metadata.findings import Findings
from photosearch.indexing.metadata.folders import date_of_folder
from photosearch.indexing.metadata.iptc import from_iptc, from_photoshop
from photosearch.indexing.metadata.names import date_of_name
from photosearch.indexing.metadata.picasa import from_ini
from photosearch.indexing.metadata.takeout import from_takeout
from photosearch.indexing.metadata.tiff import Directories
from photosearch.indexing.metadata.video import about_video
from photosearch.indexing.metadata.xmp import from_xmp

EXIF = camera_exif().tobytes()
PRESS = iptc((5, b"Title"), (55, b"20190601"), (60, b"143005+0200"), (25, b"Rome"), (120, b"Said"))
PACKET = xmp(
    bag("dc:subject", "Rome", "boats")
    + "<dc:title><rdf:Alt><rdf:li>River</rdf:li></rdf:Alt></dc:title>",
    'exif:DateTimeOriginal="2019-06-01T14:30:05+02:00" exif:GPSLatitude="41,53.5N" '
    'exif:GPSLongitude="12,29.1E" xmp:Rating="4" exif:FNumber="28/10"',
)
FILE = with_segment(
    with_segment(jpeg(exif=camera_exif()), 0xED, PRESS),
    0xE1,
    b"http://ns.adobe.com/xap/1.0/\0" + PACKET,
)  # fmt: skip
REGIONS = xmp(
    "<mwg-rs:Regions rdf:parseType='Resource'><mwg-rs:AppliedToDimensions stDim:w='48' "
    "stDim:h='32'/><mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name='Ada' "
    "mwg-rs:Type='Face'><mwg-rs:Area stArea:x='0.5' stArea:y='0.4' stArea:w='0.2' stArea:h='0.3'/>"
    "</rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    "<MP:RegionInfo rdf:parseType='Resource'><MPRI:Regions><rdf:Bag><rdf:li "
    "MPReg:PersonDisplayName='Ben' MPReg:Rectangle='0.1, 0.2, 0.3, 0.4'/></rdf:Bag></MPRI:Regions>"
    "</MP:RegionInfo>",
    'xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
    'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" '
    'xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" '
    'xmlns:MP="http://ns.microsoft.com/photo/1.2/" '
    'xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" '
    'xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"',
)
INI = (
    b"[Contacts2]\r\nab=Ada;;\r\n[a.jpg]\r\nfaces=rect64(3f845bcb59418507),ab\r\nstar=yes\r\n"
    b"caption=By the river\r\nkeywords=Rome,boats\r\nrotate=rotate(0)\r\n"
)
TAKEOUT: dict[str, Any] = {
    "title": "a.jpg",
    "description": "By the river",
    "photoTakenTime": {"timestamp": "1559392205"},
    "creationTime": {"timestamp": "1600000000"},
    "geoData": {"latitude": 41.9, "longitude": 12.5, "altitude": 0.0},
    "people": [{"name": "Ada"}],
    "favorited": True,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("name", "timestamp", "latitude", "longitude")), inner)
    ),
    max_leaves=6,
)


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """`content` with some bytes replaced, taken out or put in."""

    def change(changes: list[tuple[int, int, bytes]]) -> bytes:
        changed = bytearray(content)
        for place, length, new in changes:
            at = place % (len(changed) + 1)
            changed[at : at + length] = new
        return bytes(changed)

    place = st.integers(0, len(content))
    one = st.tuples(place, st.integers(0, 8), st.binary(max_size=8))
    return st.lists(one, min_size=1, max_size=6).map(change)


def check(said: Findings) -> None:
    """What is said can be stored, and be believed."""
    for date in (*(said.taken or ()), *([said.modified] if said.modified else [])):
        check_date(date)
    assert said.universal is None or isinstance(said.universal, datetime)
    if said.position is not None:
        north, east = said.position
        assert abs(north) <= 90
        assert abs(east) <= 180
    for amount in (said.exposure_time, said.f_number, said.iso, said.focal_length):
        assert amount is None or 0 < amount < 1e9
    assert said.rating is None or -1 <= said.rating <= 5
    texts = (said.camera, said.lens, said.caption, *(said.keywords or ()), *(said.people or ()))
    faces = said.faces.regions if said.faces else ()
    for one in faces:
        assert 0 <= one.left <= one.left + one.width <= 1.0001
        assert 0 <= one.top <= one.top + one.height <= 1.0001
    for text in (*texts, *(one.name or None for one in faces)):
        assert text is None or text.strip()
        (text or "").encode()  # no half of a pair, which SQLite cannot store


def check_date(date: Date) -> None:
    assert re.fullmatch(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d)?)?)?", date.text)
    year, month, day = (date.text[:10] + "-01-01").split("-")[:3]
    whole = datetime(int(year), int(month), int(day))
    assert 1826 <= whole.year <= datetime.now().year + 1
    assert date.moment is None or date.moment.isoformat() == date.text
    assert date.offset is None or abs(date.offset) <= 14 * 60
    again = parsed(date.text)
    assert again is not None
    assert again.text == date.text


def from_exif(content: bytes) -> Findings:
    try:
        source = Directories(io.BytesIO(content))
    except ValueError:
        return Findings()
    assert exif.orientation(source) in (None, *range(1, 9))
    return exif.from_directories(source)


@given(st.binary(max_size=80).map(lambda rest: b"II*\0\x08\0\0\0" + rest) | damaged(EXIF[6:]))
def test_exif(content: bytes) -> None:
    check(from_exif(content))


@given(st.binary(max_size=80) | damaged(PACKET))
@example(PACKET.decode().encode("utf-16"))
def test_xmp(content: bytes) -> None:
    check(from_xmp(content))


@given(damaged(REGIONS))
def test_regions(content: bytes) -> None:
    check(from_xmp(content))


@given(st.binary(max_size=80) | damaged(INI))
def test_picasa(content: bytes) -> None:
    check(from_ini(content, "a.jpg"))


@given(damaged(PRESS[14:]) | st.binary(max_size=60))
def test_iptc(content: bytes) -> None:
    check(from_photoshop(content))
    check(from_iptc(content))


@given(st.dictionaries(st.sampled_from(sorted(TAKEOUT)), JSON))
@example({"photoTakenTime": {"timestamp": "9" * 5000}})
@example({"photoTakenTime": {"timestamp": float("inf")}})
@example({"geoData": {"latitude": "nan", "longitude": 1}})
def test_takeout(changes: dict[str, Any]) -> None:
    content = json.dumps(TAKEOUT | changes).encode("utf-8", "surrogatepass")
    check(from_takeout(content))


@given(damaged(json.dumps(TAKEOUT).encode()))
@example(b"[" * 100_000)
def test_a_damaged_sidecar_costs_only_itself(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "a.jpg.json"
    path.write_bytes(content)
    check_metadata(sources.metadata_of(io.BytesIO(FILE), "a.jpg", [str(path)]))


def check_metadata(metadata: Metadata) -> None:
    assert metadata.taken_source
    for field in fields(metadata):
        assert not isinstance(getattr(metadata, field.name), bytes)


HEADS: list[bytes] = [
    b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF\0\1\0\0WEBP", b"FUJIFILMCCD-RAW ",
    b"\0\0\0\x18ftypcrx ", b"\0\0\0\x0cJXL \r\n\x87\n", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08",
    b"\0\0\0\x14ftypqt  ", b"\0\0\0\x18ftypheic",
]  # fmt: skip


@given(damaged(FILE) | st.builds(bytes.__add__, st.sampled_from(HEADS), st.binary(max_size=90)))
def test_a_file_of_any_kind(content: bytes) -> None:
    check_metadata(sources.metadata_of(io.BytesIO(content), "a.jpg"))
    assert sources.orientation_of(io.BytesIO(content)) in range(1, 9)


def box(kind: bytes, *content: bytes) -> bytes:
    inner = b"".join(content)
    return (8 + len(inner)).to_bytes(4, "big") + kind + inner


MOVIE = box(b"ftyp", b"qt  \0\0\0\0") + box(
    b"moov",
    box(b"mvhd", b"\0" * 4 + b"\xd9\0\0\0" * 2 + b"\0\0\x03\xe8\0\0\x27\x10" + b"\0" * 80),
    box(
        b"udta",
        box(b"\xa9xyz", b"\0\x11\x15\xc7+41.8902+012.4922/"),
        box(b"\xa9mak", b"\0\5\0\0Apple"),
    ),
    box(
        b"meta",
        box(b"hdlr", b"\0" * 24),
        box(b"keys", b"\0\0\0\0\0\0\0\1", box(b"mdta", b"com.apple.quicktime.creationdate")),
        box(b"ilst", box(b"\0\0\0\1", box(b"data", b"\0" * 8 + b"2019-06-01T14:30:05+0200"))),
    ),
)


def test_the_movie_is_one() -> None:
    said = about_video(io.BytesIO(MOVIE)).findings
    assert (said.position, said.camera) == ((41.8902, 12.4922), "Apple")
    assert said.taken == (Date("2019-06-01T14:30:05", 120),)


@given(damaged(MOVIE))
def test_a_movie(content: bytes) -> None:
    check_metadata(sources.metadata_of(io.BytesIO(content), "a.mov"))


@pytest.mark.parametrize(
    "read", [parsed, date_of_name, lambda name: date_of_folder(f"{name}/a.jpg")]
)
@given(
    name=st.text(max_size=30)
    | st.from_regex(r"(IMG|PXL|Screenshot)?[-_ ]?(19|20)\d{6}[-_ T]\d{6}\w{0,3}", fullmatch=True)
    | st.from_regex(
        r"(19|20)\d\d[-:./ ][01]\d[-:./ ][0-3]\d[T ][0-2]\d[-:.][0-6]\d", fullmatch=True
    )
)
@example(name="\u0661\u0662\u0663\u0664-\u0661\u0662-\u0661\u0662")
@example(name="\u00b2019-05-03")
def test_dates_in_names(read: Callable[[str], Date | None], name: str) -> None:
    date = read(name)
    if date is not None:
        check_date(date)


@given(st.lists(st.text(max_size=60), max_size=4), st.lists(st.text(max_size=60), max_size=4))
def test_names_of_takeout(pictures: list[str], others: list[str]) -> None:
    beside = [f"{name}.json" for name in (*pictures, *others)]
    found = exports(pictures, beside)
    assert set(found) <= set(pictures)
    assert set(found.values()) <= set(beside)
    for name in pictures:
        assert name in found or not os.path.splitext(name)[0]


@given(st.text(), st.integers(1, 50))
def test_texts_are_clean_and_short(text: str, limit: int) -> None:
    clean = values.text(text, limit)
    assert clean is None or 0 < len(clean) <= limit
    assert values.text(clean, limit) == clean


def test_the_examples_say_something() -> None:
    blocks = blocks_of(io.BytesIO(FILE))
    assert blocks.exif
    assert blocks.photoshop
    assert from_exif(EXIF[6:]).camera
    assert from_xmp(PACKET).keywords == ("Rome", "boats")
    assert from_photoshop(PRESS[14:]).keywords == ("Rome",)
    assert from_takeout(json.dumps(TAKEOUT).encode()).people == ("Ada",)
    assert from_xmp(REGIONS).people == ("Ada", "Ben")
    assert len(from_xmp(REGIONS).faces.regions) == 2  # type: ignore[union-attr]
    assert from_ini(INI, "A.JPG").people == ("Ada",)
