"""A format is one object: one that is registered is looked for, read, and found by its name."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index.catalogue.conditions import OfFormat
from photosearch import QueryError
from photosearch.formats import FORMATS, SUFFIXES, Format
from photosearch.indexing.formats import MAX_PIXELS, DecodeError, open_picture
from photosearch.indexing.formats.picture import Asked, Picture, needs_extra
from photosearch.indexing.scan import Found, scan
from photosearch.search.parse import parse
from photosearch.search.query import Pictured

SIGNATURE = b"farbfeld"
FARBFELD = Format(
    name="farbfeld",
    suffixes=frozenset({".ff"}),
    recorded=("FARBFELD",),
    aliases=("ff",),
    begins=lambda head, suffix: head.startswith(SIGNATURE),
    reader=__name__,
    called="a farbfeld picture",
    extra="farbfeld",
)


def picture(asked: Asked) -> Picture:
    """The reader: this module is the one that the format names."""
    content = asked.file.read()
    width, height = (int.from_bytes(content[at : at + 4]) for at in (8, 12))
    if not width:
        raise needs_extra(FARBFELD.called, FARBFELD.extra)
    values = np.frombuffer(content, ">u2", offset=16).reshape(height, width, 4)
    image = Image.fromarray((values[..., :3] >> 8).astype(np.uint8))
    return Picture(image, width, height, "FARBFELD")


@pytest.fixture
def farbfeld(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, FARBFELD.reader, sys.modules[__name__])
    monkeypatch.setitem(FORMATS, FARBFELD.name, FARBFELD)
    SUFFIXES.update(FARBFELD.suffixes)
    yield
    SUFFIXES.difference_update(FARBFELD.suffixes)


def content(width: int, height: int) -> bytes:
    pixels = np.full((height, width, 4), (0xFFFF, 0, 0, 0xFFFF), ">u2")
    return SIGNATURE + width.to_bytes(4) + height.to_bytes(4) + pixels.tobytes()


def test_it_is_looked_for_and_read(farbfeld: None, tmp_path: Path) -> None:
    (tmp_path / "red.FF").write_bytes(content(3, 2))
    assert [one.path for one in scan(str(tmp_path)) if isinstance(one, Found)] == [
        str(tmp_path / "red.FF")
    ]
    # The bytes decide, whatever the suffix.
    for suffix in (".ff", ".jpg"):
        found = open_picture(io.BytesIO(content(3, 2)), suffix, 2, MAX_PIXELS)
        assert (found.width, found.height, found.format) == (3, 2, "FARBFELD")
        assert found.image.getpixel((0, 0)) == (255, 0, 0)
    with pytest.raises(DecodeError, match=r"is a farbfeld picture, .*photosearch\[farbfeld\]"):
        open_picture(io.BytesIO(content(0, 0)), ".ff", 2, MAX_PIXELS)


def test_a_query_knows_it(farbfeld: None) -> None:
    assert parse("type:farbfeld").conditions == (OfFormat(("FARBFELD",)),)
    assert parse("type:.ff").conditions == (OfFormat(("FARBFELD",)),)
    assert parse("~/red.ff in snow").terms[0].content == Pictured("~/red.ff")
    with pytest.raises(QueryError, match=r"there are .*farbfeld"):
        parse("type:docx")


def test_without_it_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "red.ff").write_bytes(content(3, 2))
    assert list(scan(str(tmp_path))) == []
    with pytest.raises(QueryError, match="no type of file"):
        parse("type:farbfeld")


def test_formats_do_not_share_names_or_suffixes() -> None:
    words = [word for one in FORMATS.values() for word in (one.name, *one.aliases)]
    assert len(set(words)) == len(words)
    suffixes = [suffix for one in FORMATS.values() for suffix in one.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert set(suffixes) == SUFFIXES
    assert all(one.name == name and one.recorded for name, one in FORMATS.items())
