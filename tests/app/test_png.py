"""PNG files with long texts and profiles, wrong sums, and metadata written as text."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from decoded import PREPROCESS
from PIL import Image

from photosearch.indexing.decode import Decoded, DecodeError, decode

pytestmark = pytest.mark.usefixtures("decoders")
LONG = b"x" * (2 << 20)
COLOUR = (200, 60, 40)


def chunk(kind: bytes, content: bytes, wrong: int = 0) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content) ^ wrong)
    return struct.pack(">I", len(content)) + kind + content + checksum


def plain() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (48, 32), COLOUR).save(content, "PNG")
    return content.getvalue()


def read(folder: Path, more: bytes, *, behind: bool = False) -> Decoded:
    """The picture with `more` behind its header, or behind its pixels."""
    content = plain()
    place = len(content) - 12 if behind else 33
    path = folder / "a.png"
    path.write_bytes(content[:place] + more + content[place:])
    return decode(str(path), PREPROCESS)


ODD = {
    "profile": chunk(b"iCCP", b"x\0\0" + zlib.compress(b"\0" * 128 + LONG)),
    "zTXt": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LONG)),
    "iTXt": chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(LONG)),
    "xmp": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(LONG)),
    "tEXt": chunk(b"tEXt", b"Comment\0" + LONG) * 40,
    "packed in another way": chunk(b"zTXt", b"Comment\0\7" + zlib.compress(b"x")),
    "profile packed in another way": chunk(b"iCCP", b"x\0\7" + zlib.compress(b"x")),
    "wrong sum": chunk(b"tEXt", b"Comment\0x", wrong=1),
    "short primaries": chunk(b"cHRM", b"\0" * 31),
    "short unit": chunk(b"pHYs", b"\0"),
    "frames out of order": chunk(b"acTL", struct.pack(">II", 2, 0))
    + chunk(b"fcTL", struct.pack(">IIIIIHHBB", 5, 48, 32, 0, 0, 1, 1, 0, 0)),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("behind", [False, True])
def test_what_is_beside_the_pixels_never_costs_the_photo(
    tmp_path: Path, name: str, behind: bool
) -> None:
    decoded = read(tmp_path, ODD[name], behind=behind)
    assert (decoded.width, decoded.height, decoded.format) == (48, 32, "PNG")
    assert decoded.pixels.reshape(-1, 3).tolist() == [list(COLOUR)] * 32 * 32


def test_damaged_pixels_are_told_as_ever(tmp_path: Path) -> None:
    content = io.BytesIO()
    Image.effect_noise((48, 32), 90).save(content, "PNG")
    (tmp_path / "a.png").write_bytes(content.getvalue()[:-500])
    with pytest.raises(DecodeError):
        decode(str(tmp_path / "a.png"), PREPROCESS)


def exif() -> bytes:
    """A date, and that the picture lies on its side."""
    written = Image.Exif()
    written[0x0112] = 6
    written.get_ifd(0x8769)[0x9003] = "2011:12:13 14:15:16"
    return written.tobytes()


def as_text(name: bytes, content: bytes) -> bytes:
    digits = content.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return b"\n%s\n%8d\n%s\n" % (name, len(content), lines.encode())


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:exif="http://ns.adobe.com/exif/1.0/" '
    b'exif:DateTimeOriginal="2011-12-13T14:15:16"/></rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize("name", [b"exif", b"APP1"])
@pytest.mark.parametrize("kind", [b"zTXt", b"tEXt", b"iTXt"])
def test_exif_written_as_text(tmp_path: Path, kind: bytes, name: bytes) -> None:
    text = as_text(name, exif())
    keyword = b"Raw profile type " + name + b"\0"
    content = {
        b"tEXt": keyword + text,
        b"zTXt": keyword + b"\0" + zlib.compress(text),
        b"iTXt": keyword + b"\0\0\0\0" + text,
    }[kind]
    decoded = read(tmp_path, chunk(kind, content))
    assert decoded.metadata.taken_at == "2011-12-13T14:15:16"
    assert decoded.metadata.taken_source == "exif"


def test_exif_in_its_own_chunk_turns_the_picture(tmp_path: Path) -> None:
    decoded = read(tmp_path, chunk(b"eXIf", exif().removeprefix(b"Exif\0\0")))
    assert decoded.metadata.taken_at == "2011-12-13T14:15:16"
    assert (decoded.width, decoded.height) == (32, 48)


@pytest.mark.parametrize(
    ("name", "content"),
    [(b"xmp", XMP), (b"APP1", b"http://ns.adobe.com/xap/1.0/\0" + XMP)],
)
def test_xmp_written_as_text(tmp_path: Path, name: bytes, content: bytes) -> None:
    text = b"Raw profile type " + name + b"\0" + as_text(name, content)
    decoded = read(tmp_path, chunk(b"tEXt", text))
    assert decoded.metadata.taken_at == "2011-12-13T14:15:16"
    assert decoded.metadata.taken_source == "xmp"


@pytest.mark.parametrize("wrapped", [False, True])
def test_iptc_written_as_text(tmp_path: Path, wrapped: bool) -> None:
    record = b"\x1c\2\x78\0\6Harbor"
    resource = b"8BIM\4\4\0\0" + struct.pack(">I", len(record)) + record + b"\0"
    text = as_text(b"iptc", resource if wrapped else record)
    decoded = read(tmp_path, chunk(b"tEXt", b"Raw profile type iptc\0" + text))
    assert decoded.metadata.caption == "Harbor"


@pytest.mark.parametrize(
    "text", [b"", b"\nexif\n", b"\nexif\n  12\nno digits\n", b"\nexif\n-1\n00\n", b"\xff" * 99]
)
def test_damaged_metadata_as_text_says_nothing(tmp_path: Path, text: bytes) -> None:
    decoded = read(tmp_path, chunk(b"tEXt", b"Raw profile type exif\0" + text))
    assert decoded.metadata.taken_source == "mtime"
