"""Any packet and any keywords: what is written is read again, or the packet is refused."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from photo_metadata import bag, xmp

from index import Mark
from index.catalogue.marks import counting, keyword_key
from photosearch.errors import UsageError
from photosearch.indexing.metadata.rdf import properties
from photosearch.indexing.metadata.xmp import from_xmp
from photosearch.library.marks import keyword
from photosearch.sidecars.edit import Wanted, edited
from photosearch.sidecars.packet import NotUnderstoodError

PACKET = xmp(
    "<!-- kept --><x:own xmlns:x='urn:own'>a &amp; b</x:own>"
    + bag("dc:subject", "Rome", "boats &amp; sun")
    + "<dc:title><rdf:Alt><rdf:li>River</rdf:li></rdf:Alt></dc:title>",
    'exif:DateTimeOriginal="2019-06-01T14:30:05+02:00" xmp:Rating="4" exif:FNumber="28/10"',
)
WORDS = st.lists(st.text(max_size=20) | st.sampled_from(["rome", "a|b", "&amp;", "]]>", "<b/>"]))


def kept(words: list[str]) -> tuple[str, ...]:
    found = []
    for word in words:
        with suppress(UsageError):
            found.append(keyword(word))
    return tuple(found)


@given(st.none() | st.integers(0, 5), WORDS, WORDS, st.booleans())
def test_what_is_written_is_read_again(
    stars: int | None, added: list[str], removed: list[str], new: bool
) -> None:
    mark = Mark(stars, kept(added), kept(removed))
    said = () if new else from_xmp(PACKET).keywords or ()
    wanted = Wanted(mark, counting(said, mark))
    content = edited(None if new else PACKET, wanted)
    found = from_xmp(content)
    if stars is not None:
        assert found.rating == stars
    words = {keyword_key(word) for word in found.keywords or ()}
    if wanted.of_keywords:
        assert words == {keyword_key(word) for word in wanted.keywords}
    if not new:
        before, after = properties(PACKET), properties(content)
        for name in ("dc:title", "exif:DateTimeOriginal", "exif:FNumber"):
            assert before[name] == after[name]
        assert b"<!-- kept --><x:own xmlns:x='urn:own'>a &amp; b</x:own>" in content


@given(st.integers(0, len(PACKET)), st.integers(0, 40), st.binary(max_size=8))
def test_a_damaged_packet_is_refused_or_keeps_the_rest(at: int, cut: int, put: bytes) -> None:
    content = PACKET[:at] + put + PACKET[at + cut :]
    with suppress(NotUnderstoodError):
        assert from_xmp(edited(content, Wanted(Mark(2, ("sea",)), ("sea",)))).rating == 2
