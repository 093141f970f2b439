"""Faces that other programs outlined: whose they are, and where they are in the upright photo."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import photo_metadata as make
import pytest
from PIL import Image, ImageDraw, ImageOps

from index import Metadata, Region
from photosearch import Library
from photosearch.indexing.decode import read_metadata

SPACES = " ".join(
    f'xmlns:{prefix}="{address}"'
    for prefix, address in {
        "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
        "stArea": "http://ns.adobe.com/xmp/sType/Area#",
        "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
        "MP": "http://ns.microsoft.com/photo/1.2/",
        "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
        "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
        "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        "lr": "http://ns.adobe.com/lightroom/1.0/",
        "digiKam": "http://www.digikam.org/ns/1.0/",
    }.items()
)
ANNA = Region("Anna", 0.25, 0.25, 0.125, 0.5)


def area(x: float, y: float, w: float, h: float, unit: str = "normalized") -> str:
    sides = " ".join(
        f'stArea:{side}="{value}"' for side, value in zip("xywh", (x, y, w, h), strict=True)
    )
    return f'<mwg-rs:Area {sides} stArea:unit="{unit}"/>'


def face(name: str, where: str, kind: str = "Face", more: str = "") -> str:
    """As Lightroom writes it, with the kind after the place and the name."""
    said = f'mwg-rs:Type="{kind}"' + (f' mwg-rs:Name="{name}"' if name else "")
    return f"<rdf:li><rdf:Description {said}>{more}{where}</rdf:Description></rdf:li>"


def mwg(*faces: str, size: tuple[int, int] | None = (48, 32)) -> bytes:
    """Regions of the Metadata Working Group, of a picture of this size in pixels."""
    applied = size and (
        f'<mwg-rs:AppliedToDimensions stDim:w="{size[0]}" stDim:h="{size[1]}" stDim:unit="pixel"/>'
    )
    body = (
        f'<mwg-rs:Regions rdf:parseType="Resource">{applied or ""}'
        f"<mwg-rs:RegionList><rdf:Bag>{''.join(faces)}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )
    return make.xmp(body, SPACES)


def microsoft(*people: tuple[str, str]) -> bytes:
    listed = "".join(
        f'<rdf:li MPReg:PersonDisplayName="{name}" MPReg:Rectangle="{where}"/>'
        if where
        else f'<rdf:li MPReg:PersonDisplayName="{name}"/>'
        for name, where in people
    )
    body = (
        f'<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>{listed}</rdf:Bag>'
        "</MPRI:Regions></MP:RegionInfo>"
    )
    return make.xmp(body, SPACES)


@pytest.mark.parametrize(
    ("sidecar", "people", "regions"),
    [
        (mwg(face("Anna", area(0.3125, 0.5, 0.125, 0.5))), ("Anna",), (ANNA,)),
        # Scaled since, and in pixels.
        (mwg(face("Anna", area(0.3125, 0.5, 0.125, 0.5)), size=(4800, 3200)), ("Anna",), (ANNA,)),
        (mwg(face("Anna", area(15, 16, 6, 16, "pixel"))), ("Anna",), (ANNA,)),
        # A picture that was cut since: who it is stays, where is not known any more.
        (mwg(face("Anna", area(0.3, 0.5, 0.2, 0.2)), size=(48, 48)), ("Anna",), ()),
        # A camera outlines faces and knows no names; pets and what was in focus are nobody.
        (
            mwg(
                face("", area(0.3125, 0.5, 0.125, 0.5)),
                face("Rex", area(0.5, 0.5, 0.2, 0.2), "Pet"),
                face("", area(0.5, 0.5, 0.2, 0.2), "Focus"),
            ),
            (),
            (Region("", 0.25, 0.25, 0.125, 0.5),),
        ),
        # Lists within an outline end none.
        (
            mwg(
                face(
                    "Anna",
                    area(0.3125, 0.5, 0.125, 0.5),
                    more="<mwg-rs:Extensions rdf:parseType='Resource'><dc:subject><rdf:Bag>"
                    "<rdf:li>x</rdf:li></rdf:Bag></dc:subject></mwg-rs:Extensions>",
                )
            ),
            ("Anna",),
            (ANNA,),
        ),
        # What reaches beyond the picture is cut, and what is no place is none.
        (
            mwg(face("Anna", area(0, 0.5, 0.5, 0.5)), face("Ben", area(2, 2, 0.1, 0.1))),
            ("Anna", "Ben"),
            (Region("Anna", 0.0, 0.25, 0.25, 0.5),),
        ),
        (mwg(face("Anna", '<mwg-rs:Area stArea:x="nan" stArea:y="0"/>')), ("Anna",), ()),
        (microsoft(("Anna", "0.25, 0.25, 0.125, 0.5"), ("Ben", "")), ("Anna", "Ben"), (ANNA,)),
        (microsoft(("Anna", "0.25, 0.25")), ("Anna",), ()),
        (
            make.xmp(make.bag("Iptc4xmpExt:PersonInImage", "Anna", "Ben"), SPACES),
            ("Anna", "Ben"),
            (),
        ),
    ],
)  # fmt: skip
def test_faces_of_a_sidecar(
    tmp_path: Path, sidecar: bytes, people: tuple[str, ...], regions: tuple[Region, ...]
) -> None:
    found = make.beside(tmp_path, sidecar)
    assert (found.people, found.regions) == (people, regions)


def test_of_faces_that_are_written_twice_each_counts_once(tmp_path: Path) -> None:
    both = mwg(face("Anna", area(0.3125, 0.5, 0.125, 0.5))).replace(
        b"</rdf:Description></rdf:RDF>",
        b'<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>'
        b'<rdf:li MPReg:PersonDisplayName="Anna" MPReg:Rectangle="0.25, 0.25, 0.125, 0.5"/>'
        b'<rdf:li MPReg:PersonDisplayName="Ben" MPReg:Rectangle="0.5, 0.25, 0.125, 0.5"/>'
        b"</rdf:Bag></MPRI:Regions></MP:RegionInfo></rdf:Description></rdf:RDF>",
    )
    found = make.beside(tmp_path, both)
    assert found.regions == (ANNA, Region("Ben", 0.5, 0.25, 0.125, 0.5))


def lying(orientation: int, size: tuple[int, int] = (96, 64)) -> tuple[bytes, list[float]]:
    """A photo that lies so, with a white spot; where that is as it is stored, by its middle."""
    image = Image.new("RGB", size)
    ImageDraw.Draw(image).rectangle((8, 40, 31, 55), fill="white")
    content = make.jpeg(image, exif=make.exif({0x0112: orientation}), quality=95, subsampling=0)
    return content, [20 / size[0], 48 / size[1], 24 / size[0], 16 / size[1]]


def white(content: bytes) -> list[float]:
    """Where the white spot is in the upright picture: left, top, width and height in parts."""
    with Image.open(io.BytesIO(content)) as stored:
        image = ImageOps.exif_transpose(stored).convert("L")
    rows, columns = np.nonzero(np.asarray(image) > 128)
    left, top = columns.min(), rows.min()
    sides = (left, top, columns.max() + 1 - left, rows.max() + 1 - top)
    return [float(side / image.size[at % 2]) for at, side in enumerate(sides)]


def place(region: Region) -> Any:
    return pytest.approx([region.left, region.top, region.width, region.height], abs=0.02)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_told_where_a_face_is_in_the_upright_photo(tmp_path: Path, orientation: int) -> None:
    photo, spot = lying(orientation)
    named = face("Anna", area(*spot))
    (of_stored,) = make.beside(tmp_path, mwg(named, size=(96, 64)), photo=photo).regions
    assert white(photo) == place(of_stored)
    left, top = spot[0] - spot[2] / 2, spot[1] - spot[3] / 2
    of_windows = microsoft(("Anna", f"{left}, {top}, {spot[2]}, {spot[3]}"))
    assert white(photo) == place(make.beside(tmp_path, of_windows, photo=photo).regions[0])
    # Inside of the picture, without a word on its size.
    inside = make.with_segment(
        photo, 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + mwg(named, size=None)
    )
    path = make.write(tmp_path / "b.jpg", inside)
    assert white(photo) == place(read_metadata(str(path)).regions[0])


def test_regions_of_the_upright_picture_are_known_by_its_size(tmp_path: Path) -> None:
    photo, _ = lying(6)
    left, top, width, height = white(photo)
    middle = (left + width / 2, top + height / 2, width, height)
    sidecar = mwg(face("Anna", area(*middle)), size=(64, 96))
    assert white(photo) == place(make.beside(tmp_path, sidecar, photo=photo).regions[0])


def rect64(left: float, top: float, right: float, bottom: float) -> str:
    digits = "".join(f"{round(side * 65535):04x}" for side in (left, top, right, bottom))
    return f"rect64({digits.lstrip('0')})"


INI = f"""[Picasa]
name=Holiday
[Contacts]
00ab=old_lh,4bd750800fb6a6b8
[Contacts2]
8e62398ebda8c1a5=Anna Berger;anna@example.org;
ab=Zoë;;
[a.JPG]
star=yes
faces={rect64(0, 0.25, 0.5, 0.75)},8e62398ebda8c1a5;{rect64(0.5, 0, 0.75, 0.5)},00ab;{rect64(0.8, 0.8, 0.9, 0.9)},ffffffffffffffff
backuphash=1
[turned.jpg]
rotate=rotate(1)
faces={rect64(0.1, 0.1, 0.2, 0.2)},8e62398ebda8c1a5
[straight.jpg]
rotate=rotate(0)
faces={rect64(0.1, 0.1, 0.2, 0.2)},unreadable;{rect64(0.2, 0.1, 0.3, 0.2)},1234
"""  # noqa: E501


def test_faces_in_picasas_ini(tmp_path: Path) -> None:
    ini = make.write(tmp_path / ".picasa.ini", INI.encode())

    def said(name: str, photo: bytes | None = None) -> Metadata:
        path = make.write(tmp_path / name, photo or make.jpeg())
        return read_metadata(str(path), (str(ini),))

    # Picasa shows photos upright, and Windows does not tell capitals from small letters.
    photo, _ = lying(6)
    found = said("A.jpg", photo)
    assert (found.people, found.favourite) == (("Anna Berger", "Zoë"), True)
    assert [one.name for one in found.regions] == ["Anna Berger", "Zoë", ""]
    assert place(found.regions[0]) == [0, 0.25, 0.5, 0.5]
    assert place(found.regions[1]) == [0.5, 0, 0.25, 0.5]
    # In Picasa alone it lies otherwise: who it is holds, where does not.
    turned = said("turned.jpg")
    assert (turned.people, turned.regions) == (("Anna Berger",), ())
    assert [one.name for one in said("straight.jpg").regions] == [""]
    assert said("other.jpg") == Metadata(taken_source="mtime")
    make.write(ini, b"\xff\xfe[a.jpg\nfaces=rect64()=,;\n[[]\n=\n")
    assert said("A.jpg").people == ()


@pytest.mark.slow
def test_what_picasa_says_is_found_and_read_again(library: Library, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    ini = make.write(photos / ".picasa.ini", INI.encode())
    make.write(photos / "a.jpg", make.jpeg())
    make.write(photos / "b.jpg", make.jpeg(Image.new("RGB", (8, 8))))

    def run(person: str) -> list[str]:
        list(library.index([photos], workers=1))
        return [Path(hit.path).name for hit in library.search(f"person:{person}")]

    assert run("anna") == ["a.jpg"]
    changed = INI.replace("Anna Berger", "Ida Maier").replace("[a.JPG]", "[b.jpg]")
    make.write(ini, changed.encode())
    assert run("ida") == ["b.jpg"]
    assert run("anna") == []
    assert library.status().others == {}
