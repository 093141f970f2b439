"""Real pictures with real metadata, for the tests: EXIF by Pillow, XMP and IPTC by hand."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from photosearch.indexing.decode import read_metadata

RED = Image.new("RGB", (48, 32), (200, 30, 30))


def exif(
    first: dict[int, Any] | None = None,
    second: dict[int, Any] | None = None,
    where: dict[int, Any] | None = None,
) -> Image.Exif:
    """The three directories that say something of a photo, as Pillow writes them."""
    content = Image.Exif()
    for tag, value in (first or {}).items():
        content[tag] = value
    content.get_ifd(ExifTags.IFD.Exif).update(second or {})
    content.get_ifd(ExifTags.IFD.GPSInfo).update(where or {})
    return content


def camera_exif() -> Image.Exif:
    """A photo taken in Rome with everything that a good camera says."""
    return exif(
        {0x010F: "NIKON CORPORATION", 0x0110: "NIKON D750", 0x0132: "2021:01:01 00:00:00",
         0x010E: "By the river", 0x4746: 4},
        {0x9003: "2019:06:01 14:30:05", 0x9011: "+02:00", 0xA434: "AF-S 50mm f/1.8G",
         0x829A: IFDRational(1, 250), 0x829D: IFDRational(28, 10), 0x8827: 400,
         0x920A: IFDRational(50, 1)},
        {1: "N", 2: (41.0, 53.0, 30.0), 3: "E", 4: (12.0, 29.0, 0.0)},
    )  # fmt: skip


def xmp(body: str, attributes: str = "") -> bytes:
    """A packet with properties as elements (`body`) or as attributes."""
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
 xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">
<rdf:Description rdf:about="" {attributes}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>{" " * 100}""".encode()


def bag(name: str, *items: str) -> str:
    listed = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return f"<{name}><rdf:Bag>{listed}</rdf:Bag></{name}>"


def jpeg(image: Image.Image = RED, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG", **options)
    return content.getvalue()


def with_segment(content: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with one more segment, in front of the others."""
    return content[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + content[2:]


def iptc(*fields: tuple[int, bytes]) -> bytes:
    """Photoshop's resources with an IPTC record, a resource with an odd name before it."""
    record = b"".join(
        struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value for number, value in fields
    )
    other = b"8BIM" + struct.pack(">H", 0x03ED) + b"\3abc" + struct.pack(">I", 3) + b"xyz\0"
    return (
        b"Photoshop 3.0\0" + other + b"8BIM" + struct.pack(">H", 0x0404) + b"\0\0"
        + struct.pack(">I", len(record)) + record
    )  # fmt: skip


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def beside(folder: Path, *sidecars: bytes, photo: bytes | None = None, name: str = "a.jpg") -> Any:
    """What is known of a photo with these files beside it."""
    path = write(folder / name, jpeg() if photo is None else photo)
    written = []
    for number, content in enumerate(sidecars):
        suffix = "json" if content.lstrip()[:1] in (b"{", b"[") else "xmp"
        written.append(str(write(folder / f"{number}.{suffix}", content)))
    return read_metadata(str(path), tuple(written))
