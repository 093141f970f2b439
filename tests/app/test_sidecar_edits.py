"""An XMP packet with another rating and other keywords, and all else in it as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from optional import needs

from index import Mark
from index.catalogue.marks import counting
from photosearch.indexing.metadata.xmp import from_xmp
from photosearch.sidecars.edit import Wanted, edited
from photosearch.sidecars.packet import NotUnderstoodError

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DARKTABLE = f"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:darktable="http://darktable.sf.net/"
   xmp:Rating="1"
   darktable:xmp_version="5" >
   <!-- a remark -->
   <darktable:history>
    <rdf:Seq>
     <rdf:li darktable:num="0" darktable:operation="raw > prepare" darktable:params='a"b'/>
    </rdf:Seq>
   </darktable:history>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Sea</rdf:li>
     <rdf:li>caf\u00e9</rdf:li>
    </rdf:Bag>
   </dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
""".encode()
LIGHTROOM = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/">
<xmp:Rating>2</xmp:Rating><MicrosoftPhoto:Rating>25</MicrosoftPhoto:Rating>
<dc:subject><rdf:Bag><rdf:li>Rome</rdf:li><rdf:li>Places</rdf:li></rdf:Bag></dc:subject>
<lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|Rome</rdf:li></rdf:Bag></lr:hierarchicalSubject>
</rdf:Description></rdf:RDF></x:xmpmeta>""".encode()


def with_tags(content: bytes, *added: str, removed: tuple[str, ...] = ()) -> bytes:
    """With what the photo would be said to have then."""
    mark = Mark(None, added, removed)
    return edited(content, Wanted(mark, counting(from_xmp(content).keywords or (), mark)))


def test_only_what_changes_is_written() -> None:
    now = edited(DARKTABLE, Wanted(Mark(4), ()))
    assert now == DARKTABLE.replace(b'xmp:Rating="1"', b'xmp:Rating="4"')
    assert edited(now, Wanted(Mark(4), ())) == now

    now = with_tags(DARKTABLE, "beach & sun")
    line = "     <rdf:li>caf\u00e9</rdf:li>\n".encode()
    assert now == DARKTABLE.replace(line, line + b"     <rdf:li>beach &amp; sun</rdf:li>\n")
    assert with_tags(DARKTABLE, removed=("CAFE\u0301",)) == DARKTABLE.replace(line, b"")


def test_elements_trees_and_windows_ratings() -> None:
    now = edited(LIGHTROOM, Wanted(Mark(5), ()))
    assert now == LIGHTROOM.replace(b">2<", b">5<").replace(b">25<", b">99<")

    now = with_tags(LIGHTROOM, "Trips|Sea")
    assert b"<rdf:li>Places|Rome</rdf:li><rdf:li>Trips|Sea</rdf:li>" in now
    assert b"<rdf:li>Places</rdf:li><rdf:li>Trips</rdf:li><rdf:li>Sea</rdf:li>" in now
    now = with_tags(LIGHTROOM, removed=("Places|Rome",))
    assert from_xmp(now).keywords == ("Places",)


@pytest.mark.parametrize("marked", [b"", "\ufeff".encode()])
@pytest.mark.parametrize(
    "body",
    [
        '<rdf:Description rdf:about=""/>',
        '<rdf:Description rdf:about="" />',
        '<rdf:Description rdf:about=""></rdf:Description>',
        # A prefix of ours that means something else.
        '<rdf:Description xmlns:xmp="urn:a" xmlns:dc="urn:b" xmp:a="b"><dc:c/></rdf:Description>',
        # Ours by other prefixes.
        '<rdf:Description xmlns:a="http://ns.adobe.com/xap/1.0/" a:Rating="1" '
        'xmlns:b="http://purl.org/dc/elements/1.1/"><b:subject>one</b:subject></rdf:Description>',
        "<rdf:Description xmlns:a=\"http://ns.adobe.com/xap/1.0/\" a:Rating='1' "
        'xmlns:b="http://purl.org/dc/elements/1.1/" b:subject="one"/>',
        '<rdf:Description><dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Seq/>'
        '</dc:subject><xmp:Rating xmlns:xmp="http://ns.adobe.com/xap/1.0/"/></rdf:Description>',
        '<rdf:Description><dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/"/>'
        "</rdf:Description><rdf:Description/>",
        # In two descriptions.
        '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="1"/>'
        '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="2"/>',
    ],
)
def test_however_a_packet_is_written(body: str, marked: bytes) -> None:
    content = marked + f'<rdf:RDF xmlns:rdf="{RDF}">{body}</rdf:RDF>'.encode()
    now = with_tags(content, "\u00dcbersee", "Places|Rome")
    now = edited(now, Wanted(Mark(3), ()))
    found = from_xmp(now)
    assert found.rating == 3
    words = {"\u00dcbersee", "Places", "Rome", "Places|Rome"}
    assert {*(found.keywords or ())} == words | ({"one"} if "one" in body else set())
    assert now.startswith(marked)
    gone = with_tags(now, removed=("\u00dcbersee", "Places", "Rome", "one"))
    assert from_xmp(gone).keywords is None


def test_a_new_one() -> None:
    mark = Mark(4, ("beach", "Places|Rome"))
    now = edited(None, Wanted(mark, ("sea", "beach", "Places", "Rome", "Places|Rome")))
    found = from_xmp(now)
    assert found.rating == 4
    assert found.keywords == ("sea", "beach", "Places", "Rome", "Places|Rome")
    assert from_xmp(edited(None, Wanted(Mark(0), ()))).rating == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not XML",
        DARKTABLE[:-20],
        DARKTABLE.decode().encode("utf-16"),
        DARKTABLE.replace(b"UTF-8", b"ISO-8859-1"),
        DARKTABLE.replace("caf\u00e9".encode(), b"caf\xe9"),
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + DARKTABLE[39:],
        b"<html><body/></html>",
        f'<rdf:RDF xmlns:rdf="{RDF}"/>'.encode(),
        DARKTABLE.replace(b"<rdf:li>Sea</rdf:li>", b"<rdf:li><rdf:value>Sea</rdf:value></rdf:li>"),
        b"<a>" * 100 + b"</a>" * 100,
        DARKTABLE + b" " * (5 << 20),
    ],
)
def test_what_is_not_understood_is_refused(content: bytes) -> None:
    with pytest.raises(NotUnderstoodError):
        edited(content, Wanted(Mark(4, ("beach",)), ("beach",)))


@needs(shutil.which("exiftool"), "exiftool: apt-get install libimage-exiftool-perl")
@pytest.mark.parametrize("content", [None, DARKTABLE, LIGHTROOM])
def test_exiftool_reads_what_is_written(tmp_path: Path, content: bytes | None) -> None:
    mark = Mark(4, ("beach & <sun>", "Places|\u00dcbersee"))
    words = ("beach & <sun>", "Places", "\u00dcbersee", "Places|\u00dcbersee")
    said = exiftool(tmp_path / "a.jpg.xmp", edited(content, Wanted(mark, words)))
    assert said["XMP-xmp:Rating"] == 4
    assert {"beach & <sun>", "Places", "\u00dcbersee"} <= {*said["XMP-dc:Subject"]}
    paths = said["XMP-lr:HierarchicalSubject"]
    assert "Places|\u00dcbersee" in ([paths] if isinstance(paths, str) else paths)
    before = {} if content is None else exiftool(tmp_path / "before.xmp", content)
    assert said.get("ExifTool:Warning") == before.get("ExifTool:Warning")


def exiftool(path: Path, content: bytes) -> dict[str, Any]:
    path.write_bytes(content)
    done = subprocess.run(["exiftool", "-json", "-a", "-G1", path], capture_output=True, check=True)
    (said,) = json.loads(done.stdout)
    return dict(said)
