"""XMP beside a photo, however it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import photo_metadata as make
import pytest
from photo_metadata import beside, camera_exif, exif, jpeg, xmp
from PIL import Image

from photosearch.indexing.metadata.keywords import categories
from photosearch.indexing.metadata.xmp import from_xmp
from photosearch.indexing.pairs import groups


def test_a_sidecar_goes_before_its_photo(tmp_path: Path) -> None:
    inside = xmp(make.bag("dc:subject", "inside"), 'xmp:Rating="2"')
    photo = jpeg(exif=camera_exif(), xmp=inside)
    found = beside(
        tmp_path,
        xmp(
            make.bag("dc:subject", "beside") + "<dc:description>Told</dc:description>",
            'xmp:Rating="5" exif:DateTimeOriginal="1998-01-02T03:04:05+01:00" '
            'exif:GPSLatitude="48,51.5N" exif:GPSLongitude="2,21.1E"',
        ),
        photo=photo,
    )
    assert (found.taken_at, found.taken_offset_minutes) == ("1998-01-02T03:04:05", 60)
    assert (found.taken_source, found.rating) == ("sidecar", 5)
    assert (found.latitude, found.longitude) == pytest.approx((48.858333, 2.351667), abs=1e-5)
    assert (found.keywords, found.caption) == (("beside",), "Told")
    # With what it was taken, its owner did not change.
    assert (found.camera, found.iso) == ("NIKON D750", 400)


@pytest.mark.parametrize(
    ("written", "expected", "source"),
    [
        # A day beside it, of which the camera knows the time.
        ("2019-06-01", "2019-06-01T14:30:05", "exif"),
        ("2019-06", "2019-06-01T14:30:05", "exif"),
        ("2019", "2019-06-01T14:30:05", "exif"),
        ("2018", "2018", "sidecar"),
        ("2019-06-02", "2019-06-02", "sidecar"),
        ("2019-06-01T14:30:05", "2019-06-01T14:30:05", "sidecar"),
        # Its owner did not know the day.
        ("1970-01-01", "1970-01-01", "sidecar"),
        ("", "2019-06-01T14:30:05", "exif"),
    ],
)
def test_the_date_beside_a_photo(tmp_path: Path, written: str, expected: str, source: str) -> None:
    packet = xmp("", f'photoshop:DateCreated="{written}"')
    found = beside(tmp_path, packet, photo=jpeg(exif=camera_exif()))
    assert (found.taken_at, found.taken_source) == (expected, source)
    if len(expected) == 19:
        assert found.taken_offset_minutes == 120


def test_a_sidecar_that_copies_a_clock_that_was_never_set(tmp_path: Path) -> None:
    packet = xmp("", 'exif:DateTimeOriginal="2002:12:08 12:00:00"')
    photo = jpeg(exif=exif(second={0x9003: "2002:12:08 12:00:00"}))
    found = beside(tmp_path, packet, photo=photo, name="IMG_20130712_165427.jpg")
    assert found.taken_at == "2013-07-12T16:54:27"


POSITIONS = [
    ('exif:GPSLatitude="52,30.5N" exif:GPSLongitude="13,24.0W"', (52.508333, -13.4)),
    ('exif:GPSLatitude="52,30,30S" exif:GPSLongitude="13,24,0E"', (-52.508333, 13.4)),
    ('exif:GPSLatitude="47.962512" exif:GPSLatitudeRef="N" '
     'exif:GPSLongitude="91.558964" exif:GPSLongitudeRef="W"', (47.962512, -91.558964)),
    ('exif:GPSLatitude="47.9" exif:GPSLatitudeRef="South" '
     'exif:GPSLongitude="91.5" exif:GPSLongitudeRef="East"', (-47.9, 91.5)),
    ('exif:GPSLatitude="-47.9" exif:GPSLongitude="91.5"', (-47.9, 91.5)),
    ('exif:GPSLatitude="-47.9" exif:GPSLatitudeRef="S" '
     'exif:GPSLongitude="+91.5" exif:GPSLongitudeRef="E"', (-47.9, 91.5)),
    ('exif:GPSLatitude="47.9 N" exif:GPSLongitude="91.5 W"', (47.9, -91.5)),
    ('exif:GPSLatitude="N 47.9" exif:GPSLongitude="W 91.5"', (47.9, -91.5)),
    ('exif:GPSLatitude="47,962512" exif:GPSLongitude="-91,558964"', (47.962512, -91.558964)),
    ("exif:GPSLatitude=\"47 deg 57' 45.04&quot; N\" exif:GPSLongitude=\"91 deg 33' 32.27&quot; W\"",
     (47.962511, -91.558964)),
    ('exif:GPSLatitude="47°57\u203245.04\u2033N" exif:GPSLongitude="91°33\u203232.27\u2033W"',
     (47.962511, -91.558964)),
    ('exif:GPSLatitude="47/1,57/1,4504/100N" exif:GPSLongitude="91/1,33/1,3227/100W"',
     (47.962511, -91.558964)),
    ('exif:GPSLatitude="0" exif:GPSLongitude="0"', None),
    ('exif:GPSLatitude="0,0N" exif:GPSLongitude="0,0E"', None),
    ('exif:GPSLatitude="147.9" exif:GPSLongitude="12"', None),
    ('exif:GPSLatitude="north" exif:GPSLongitude="12"', None),
    ('exif:GPSLatitude="47.9"', None),
    ('exif:GPSLatitude="1/0" exif:GPSLongitude="1/0"', None),
]  # fmt: skip


@pytest.mark.parametrize(("said", "expected"), POSITIONS)
def test_positions_as_they_are_written(said: str, expected: tuple[float, float] | None) -> None:
    properties = re.findall(r'(exif:\w+)="([^"]*)"', said)
    elements = "".join(f"<{name}>{value}</{name}>" for name, value in properties)
    for packet in (xmp("", said), xmp(elements)):
        found = from_xmp(packet).position
        assert found == (None if expected is None else pytest.approx(expected, abs=1e-5))


RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC, XAP = "http://purl.org/dc/elements/1.1/", "http://ns.adobe.com/xap/1.0/"
LIGHTROOM = "http://ns.adobe.com/lightroom/1.0/"


def whole(body: str, spaces: str = "", attributes: str = "") -> str:
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">'
        f'<rdf:Description rdf:about="" xmlns:dc="{DC}" xmlns:xmp="{XAP}" xmlns:lr="{LIGHTROOM}"'
        f" {spaces} {attributes}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


ITEMS = "<rdf:li>Rome</rdf:li><rdf:li>Übersee</rdf:li>"
SERIALISATIONS = {
    "bag": whole(f"<dc:subject><rdf:Bag>{ITEMS}</rdf:Bag></dc:subject>", "", 'xmp:Rating="4"'),
    "seq": whole(f"<dc:subject><rdf:Seq>{ITEMS}</rdf:Seq></dc:subject><xmp:Rating>4</xmp:Rating>"),
    "alt": whole(
        f"<dc:subject><rdf:Alt>{ITEMS}</rdf:Alt></dc:subject>"
        "<xmp:Rating><rdf:Alt><rdf:li>4</rdf:li></rdf:Alt></xmp:Rating>"
    ),
    "one by one": whole(
        "<dc:subject>Rome</dc:subject><dc:subject>Übersee</dc:subject><xmp:Rating>4</xmp:Rating>"
    ),
    "qualified": whole(
        '<dc:subject><rdf:Bag><rdf:li rdf:parseType="Resource"><rdf:value>Rome</rdf:value>'
        "</rdf:li><rdf:li><rdf:Description><rdf:value>Übersee</rdf:value></rdf:Description>"
        '</rdf:li></rdf:Bag></dc:subject><xmp:Rating rdf:parseType="Resource">'
        "<rdf:value>4</rdf:value></xmp:Rating>"
    ),
    "two descriptions": (
        f'<rdf:RDF xmlns:rdf="{RDF}"><rdf:Description xmlns:dc="{DC}">'
        f"<dc:subject><rdf:Bag>{ITEMS}</rdf:Bag></dc:subject></rdf:Description>"
        f'<rdf:Description xmlns:xmp="{XAP}" xmp:Rating="4"/></rdf:RDF>'
    ),
    "other prefixes": (
        f'<r:RDF xmlns:r="{RDF}" xmlns:a="{DC}" xmlns:b="{XAP.rstrip("/")}"><r:Description '
        f'b:Rating="4"><a:subject><r:Bag>{ITEMS.replace("rdf:", "r:")}</r:Bag></a:subject>'
        "</r:Description></r:RDF>"
    ),
    "default space": (
        f'<RDF xmlns="{RDF}"><Description xmlns:b="{XAP}" b:Rating="4"><subject xmlns="{DC}">'
        f'<Bag xmlns="{RDF}">{ITEMS.replace("rdf:", "")}</Bag></subject></Description></RDF>'
    ),
    "prefixes that nobody declared": (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description '
        f'xmp:Rating="4"><dc:subject><rdf:Bag>{ITEMS}</rdf:Bag></dc:subject></rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ),
    "nothing declared": (
        f'<rdf:RDF><rdf:Description xmp:Rating="4"><dc:subject><rdf:Bag>{ITEMS}</rdf:Bag>'
        "</dc:subject></rdf:Description></rdf:RDF>"
    ),
}
PLAIN = SERIALISATIONS["bag"]
WRAPPED = f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{PLAIN}<?xpacket end="w"?>'
BYTES = {name: text.encode() for name, text in SERIALISATIONS.items()} | {
    "wrapped": WRAPPED.encode() + b" " * 100,
    "declared": b"<?xml version='1.0' encoding='UTF-8'?>\n" + PLAIN.encode(),
    "mark": PLAIN.encode("utf-8-sig"),
    "blanks before": b"\r\n  " + PLAIN.encode(),
    "padded with NUL": PLAIN.encode() + b"\0" * 40,
    "something behind": PLAIN.encode() + b"\n# kept by a program",
    "a control": PLAIN.replace("Rome", "Ro\x0bme").encode(),
    "a reference to a control": PLAIN.replace("Rome", "Ro&#x1;me").encode(),
    "Latin-1, undeclared": PLAIN.encode("latin-1"),
    "Latin-1, declared": b"<?xml version='1.0' encoding='ISO-8859-1'?>" + PLAIN.encode("latin-1"),
    "said to be UTF-8": b"<?xml version='1.0' encoding='UTF-8'?>" + PLAIN.encode("latin-1"),
    "an encoding that nobody knows": b"<?xml version='1.0' encoding='X-1'?>" + PLAIN.encode(),
} | {
    f"{coding}{' with a mark' if mark else ''}": (mark + WRAPPED).encode(coding)
    for coding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    for mark in ("", "\ufeff")
} | {
    "UTF-16, declared": ("<?xml version='1.0' encoding='UTF-16'?>" + PLAIN).encode("utf-16")
}  # fmt: skip


@pytest.mark.parametrize("how", BYTES)
def test_xmp_however_it_is_written(how: str) -> None:
    found = from_xmp(BYTES[how])
    assert (found.keywords, found.rating) == (("Rome", "Übersee"), 4)


def test_a_text_in_several_languages() -> None:
    listed = '<rdf:li xml:lang="de">Fluss</rdf:li><rdf:li xml:lang="x-default">River</rdf:li>'
    body = f"<dc:description><rdf:Alt>{listed}</rdf:Alt></dc:description>"
    assert from_xmp(whole(body).encode()).caption == "River"
    body += '<lr:weightedFlatSubject xml:lang="x-default"/>'
    assert from_xmp(whole(body).encode()).caption == "River"


KINDS = "".join(
    f' xmlns:{prefix}="{address}"'
    for prefix, address in (
        ("digiKam", "http://www.digikam.org/ns/1.0/"),
        ("MicrosoftPhoto", "http://ns.microsoft.com/photo/1.0/"),
        ("acdsee", "http://ns.acdsee.com/iptc/1.0/"),
        ("mediapro", "http://ns.iview-multimedia.com/mediapro/1.0/"),
    )
)
TREE = (
    '<Categories><Category Assigned="0">Places<Category Assigned="0">Europe'
    '<Category Assigned="1">Rome</Category></Category></Category></Categories>'
)
ROME = ("Places", "Europe", "Rome", "Places|Europe|Rome")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (make.bag("lr:hierarchicalSubject", "Places|Europe|Rome"), ROME),
        ("<lr:hierarchicalSubject>Places|Europe|Rome</lr:hierarchicalSubject>", ROME),
        (make.bag("lr:hierarchicalSubject", "People|Anna"), ("People", "Anna", "People|Anna")),
        (make.bag("digiKam:TagsList", "Places/Europe/Rome"), ROME),
        (make.bag("MicrosoftPhoto:LastKeywordXMP", "Places/Europe/Rome"), ROME),
        (make.bag("mediapro:CatalogSets", "Places|Europe|Rome"), ROME),
        (f"<acdsee:categories>{TREE.replace('<', '&lt;')}</acdsee:categories>", ROME),
        (make.bag("dc:subject", "Places|Europe|Rome"), ROME),
        # Words that stand alone come first, and each word once.
        (make.bag("dc:subject", "Rome", "AC/DC") + make.bag("digiKam:TagsList", "Places/Rome"),
         ("Rome", "AC/DC", "Places", "Places|Rome")),
        (make.bag("dc:subject", "  ", "Rome") + make.bag("lr:hierarchicalSubject", "|", "Rome"),
         ("Rome",)),
    ],
)  # fmt: skip
def test_keywords_in_keywords(body: str, expected: tuple[str, ...]) -> None:
    assert from_xmp(whole(body, KINDS).encode()).keywords == expected


def test_ticked_categories() -> None:
    two = '<Category Assigned="1">Europe<Category Assigned="1">Rome</Category></Category>'
    assert categories(f"<Categories>{two}</Categories>") == [["Europe"], ["Europe", "Rome"]]
    assert categories('<Category Assigned="0">Europe</Category>') == []
    assert categories("<Categories><Category") == []
    deep = '<Category Assigned="1">a' * 5000
    assert len(categories(deep)) < 100
    bomb = '<!DOCTYPE x [<!ENTITY a "ha">]><Category Assigned="1">&a;</Category>'
    assert categories(bomb) == []


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('xmp:Rating="3"', 3),
        ('xmp:Rating="0" MicrosoftPhoto:Rating="99"', None),
        ('MicrosoftPhoto:Rating="1"', 1),
        ('MicrosoftPhoto:Rating="25"', 2),
        ('MicrosoftPhoto:Rating="50"', 3),
        ('MicrosoftPhoto:Rating="75"', 4),
        ('MicrosoftPhoto:Rating="99"', 5),
        ('acdsee:rating="2"', 2),
        ('xmp:Rating="-1"', -1),
        ('xmp:Rating="many"', None),
    ],
)
def test_stars(tmp_path: Path, attributes: str, expected: int | None) -> None:
    assert beside(tmp_path, whole("", KINDS, attributes).encode()).rating == expected


REGIONS = 'xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" ' \
    'xmlns:MP="http://ns.microsoft.com/photo/1.2/" ' \
    'xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#" ' \
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        # As elements, as attributes, and the kind after the name or before it.
        '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
        '<rdf:li rdf:parseType="Resource"><mwg-rs:Name>Anna</mwg-rs:Name>'
        "<mwg-rs:Type>Face</mwg-rs:Type></rdf:li>"
        '<rdf:li rdf:parseType="Resource"><mwg-rs:Type>Focus</mwg-rs:Type>'
        "<mwg-rs:Name>AF</mwg-rs:Name></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>",
        "<mwg-rs:Regions><rdf:Description><mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description "
        'mwg-rs:Name="Anna" mwg-rs:Type="Face"/></rdf:li><rdf:li><rdf:Description '
        'mwg-rs:Name="Rex" mwg-rs:Type="Pet"/></rdf:li></rdf:Bag></mwg-rs:RegionList>'
        "</rdf:Description></mwg-rs:Regions>",
        '<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions xmlns:MPRI="x"><rdf:Bag><rdf:li '
        'MPReg:PersonDisplayName="Anna"/></rdf:Bag></MPRI:Regions></MP:RegionInfo>',
        "<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Anna</rdf:li></rdf:Bag>"
        "</Iptc4xmpExt:PersonInImage>",
    ],
)
def test_names_of_people(tmp_path: Path, body: str) -> None:
    found = beside(tmp_path, whole(f"{body}<dc:subject>sea</dc:subject>", REGIONS).encode())
    assert (found.people, found.keywords) == (("Anna",), ("sea", "Anna"))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("a.jpg", "a.xmp"), ("a.xmp",)),
        (("a.jpg", "a.jpg.xmp"), ("a.jpg.xmp",)),
        (("a.jpg", "a.xmp", "a.jpg.xmp"), ("a.jpg.xmp", "a.xmp")),
        (("A.JPG", "a.xmp"), ("a.xmp",)),
        (("A.JPG", "A.jpg.XMP"), ("A.jpg.XMP",)),
        (("A.jpg", "a.jpg", "a.xmp"), ()),
        (("cafe\u0301.jpg", "caf\u00e9.xmp"), ("caf\u00e9.xmp",)),
        (("a.jpg", "a.jpg.json", "a.xmp"), ("a.xmp", "a.jpg.json")),
        (("a.jpg", "b.xmp", "metadata.json"), ()),
    ],
)
def test_which_sidecars_are_a_photos(files: Sequence[str], expected: tuple[str, ...]) -> None:
    assert next(iter(groups(files))).sidecars == expected


def test_a_long_sidecar_is_read_in_no_time(tmp_path: Path) -> None:
    words = make.bag("dc:subject", *(f"w{number}" for number in range(50_000)))
    found = beside(tmp_path, xmp(words), photo=jpeg(Image.new("RGB", (4, 4))))
    assert len(found.keywords) == 1000


@pytest.mark.parametrize(
    "text", ["1" + " " * 1_000_000, "1993-" + " " * 1_000_000, "1" * 1_000_000]
)
def test_long_values_cost_nothing(text: str) -> None:
    names = ("exif:DateTimeOriginal", "exif:GPSLatitude", "exif:GPSLongitude", "xmp:Rating")
    packet = xmp("".join(f"<{name}>{text}x</{name}>" for name in names))
    found = from_xmp(packet)
    assert (found.taken, found.position, found.rating) == (None, None, None)
