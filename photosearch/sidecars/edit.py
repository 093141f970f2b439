"""A packet with another rating and other keywords; all else in it stays byte for byte as it was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from index import Mark
from index.catalogue.marks import LEVELS, holds, keyword_key
from photosearch.indexing.metadata.keywords import levels_of
from photosearch.indexing.metadata.rdf import RDF, SPACES, properties
from photosearch.indexing.metadata.xmp import TREES, from_xmp
from photosearch.sidecars.packet import (
    Element,
    NotUnderstoodError,
    Packet,
    attribute_names,
    packet_of,
)

_NEW = f"""\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="photosearch">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description rdf:about=""
    xmlns:xmp="{SPACES["xmp"]}"
    xmlns:dc="{SPACES["dc"]}"
    xmlns:lr="{SPACES["lr"]}">
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
""".encode()
_RATING, _SUBJECT, _PATHS = "xmp:Rating", "dc:subject", "lr:hierarchicalSubject"
# Trees in which programs keep also what stands in no path.
_ALL_IN_TREE = (_PATHS, "digiKam:TagsList", "MicrosoftPhoto:LastKeywordXMP")
_LISTS = ("rdf:Bag", "rdf:Seq", "rdf:Alt")
# As Windows writes stars.
_PERCENT = ("0", "1", "25", "50", "75", "99")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BLANKS = re.compile(rb"\s*\Z")


@dataclass(frozen=True)
class Wanted:
    """What a sidecar is to say: `mark` is the user's, `keywords` are all that count."""

    mark: Mark
    keywords: tuple[str, ...]

    @property
    def of_keywords(self) -> bool:
        return bool(self.mark.added or self.mark.removed)

    def goes(self, text: str, between: str) -> bool:
        """Whether an item of a list of keywords was removed by the user."""
        said = LEVELS.join(levels_of(text, between))
        if keyword_key(said) in map(keyword_key, self.keywords):
            return False
        last = {keyword_key(path.rpartition(LEVELS)[2]) for path in self.mark.removed}
        return keyword_key(said) in last or any(holds(said, gone) for gone in self.mark.removed)


def edited(content: bytes | None, wanted: Wanted) -> bytes:
    """The sidecar's `content`, or a new one's for None, with what is wanted in it.

    When it says that already it comes back as it is. Raises `NotUnderstoodError`.
    """
    before = _NEW if content is None else content
    edit = _Edit(packet_of(before))
    if wanted.mark.stars is not None:
        edit.rate(wanted.mark.stars)
    if wanted.of_keywords:
        edit.tag(wanted)
    after = edit.done()
    _check(before, after, wanted)
    return after


class _Edit:
    def __init__(self, packet: Packet) -> None:
        self._packet = packet
        self._changes: list[tuple[int, int, bytes]] = []
        # New properties, as they are written.
        self._new: list[str] = []

    def rate(self, stars: int) -> None:
        self._set(_RATING, str(stars), make=True)
        self._set("MicrosoftPhoto:Rating", _PERCENT[stars], make=False)

    def tag(self, wanted: Wanted) -> None:
        said = from_xmp(self._packet.content).keywords or ()
        there = {keyword_key(word) for word in said}
        missing = [word for word in wanted.keywords if keyword_key(word) not in there]
        paths = [word for word in missing if LEVELS in word]
        flat = [word for word in missing if LEVELS not in word]
        self._list(_SUBJECT, flat, wanted, make=bool(flat) or not said)
        # Where a tree is kept, it has also what stands in no path.
        alone = [word for word in flat if not any(holds(path, word) for path in paths)]
        for name, between in TREES.items():
            words = [*paths, *alone] if name in _ALL_IN_TREE else []
            if name == _PATHS and not self._has(name):
                words = paths
            self._list(name, words, wanted, between, make=name == _PATHS and bool(paths))

    def done(self) -> bytes:
        if self._new:
            self._insert("".join(self._new))
        content = self._packet.content
        for start, end, text in sorted(self._changes, reverse=True):
            content = content[:start] + text + content[end:]
        return content

    def _set(self, name: str, value: str, *, make: bool) -> None:
        """Give a property with one value another one wherever it stands, or make it."""
        there = False
        for description in self._packet.descriptions:
            known = attribute_names(description).get(name)
            if known is not None:
                there = True
                if known[1] != value:
                    self._replace_attribute(description, known[0], f'="{value}"')
            for element in description.children:
                if element.name == name:
                    there = True
                    if element.children:
                        raise NotUnderstoodError(f"has {name} in a form of its own")
                    if element.text.strip() != value:
                        self._refill(element, escape(value))
        if make and not there:
            self._new.append(self._property(name, value))

    def _has(self, name: str) -> bool:
        return any(
            name in attribute_names(one) or any(child.name == name for child in one.children)
            for one in self._packet.descriptions
        )

    def _list(
        self, name: str, words: Sequence[str], wanted: Wanted, between: str = LEVELS, *, make: bool
    ) -> None:
        """Take out of a list what is not wanted any more, and put `words` at its end.

        Where there is no such list, `make` makes one. `between` stands between levels in it.
        """
        # What has the mark in a level cannot be told as a path.
        words = [
            word.replace(LEVELS, between)
            for word in words
            if between == LEVELS or between not in word
        ]
        there = False
        for description in self._packet.descriptions:
            known = attribute_names(description).get(name)
            if known is not None:
                # It has one value; as an element it can have more.
                self._replace_attribute(description, known[0], None)
                kept = [] if wanted.goes(known[1], between) else [known[1]]
                self._new.append(self._property(name, self._bag(kept + words)))
                there, words = True, []
            for element in description.children:
                if element.name == name:
                    self._change_list(element, words, wanted, between)
                    there, words = True, []
        if make and not there:
            self._new.append(self._property(name, self._bag(words)))

    def _change_list(
        self, element: Element, words: Sequence[str], wanted: Wanted, between: str
    ) -> None:
        if not element.children:
            value = element.text.strip()
            kept = [value] if value and not wanted.goes(value, between) else []
            if words or (value and not kept):
                self._refill(element, self._bag([*kept, *words]))
            return
        within = element.children[0]
        plain = all(item.name == "rdf:li" and not item.children for item in within.children)
        if len(element.children) > 1 or within.name not in _LISTS or not plain:
            raise NotUnderstoodError(f"has {element.tag} in a form of its own")
        items = within.children
        for item in items:
            if wanted.goes(item.text, between):
                self._changes.append((self._before(item.start), item.end, b""))
        if not words:
            return
        rdf = self._packet.rdf_prefix
        new = [f"<{rdf}li>{_text(word)}</{rdf}li>" for word in words]
        if items:
            first, last = items[0].start, items[-1].end
            blanks = self._packet.content[self._before(first) : first].decode()
            self._changes.append((last, last, "".join(blanks + one for one in new).encode()))
        else:
            self._refill(within, "".join(new))

    def _before(self, at: int) -> int:
        """Where the blanks before a place begin."""
        found = _BLANKS.search(self._packet.content, max(0, at - 200), at)
        return at if found is None else found.start()

    def _refill(self, element: Element, inside: str) -> None:
        if element.is_empty:
            tag = self._packet.content[element.start : element.inner - 2].rstrip()
            text = tag + f">{inside}</{element.tag}>".encode()
            self._changes.append((element.start, element.end, text))
        else:
            self._changes.append((element.inner, element.close, inside.encode()))

    def _replace_attribute(self, element: Element, raw: str, value: str | None) -> None:
        where = self._packet.attribute(element, raw)
        if where is None:
            raise NotUnderstoodError(f"has {raw} in a form of its own")
        blanks = self._packet.content[slice(*where)]
        blanks = blanks[: len(blanks) - len(blanks.lstrip())]
        text = b"" if value is None else blanks + f"{raw}{value}".encode()
        self._changes.append((*where, text))

    def _insert(self, text: str) -> None:
        """Put new properties at the end of the first description."""
        into = self._packet.descriptions[0]
        if into.is_empty:
            self._changes.append((into.inner - 2, into.end, f">{text}\n</{into.tag}>".encode()))
        else:
            at = self._before(into.close) if into.children else into.inner
            self._changes.append((at, at, text.encode()))

    def _property(self, name: str, inside: str) -> str:
        prefix, _, local = name.partition(":")
        declared = self._packet.descriptions[0].prefixes.get(SPACES[prefix])
        tag = f"{declared or prefix}:{local}"
        space = "" if declared else f' xmlns:{prefix}="{SPACES[prefix]}"'
        return f"\n   <{tag}{space}>{inside}</{tag}>"

    def _bag(self, words: Sequence[str]) -> str:
        rdf = self._packet.rdf_prefix
        items = "".join(f"\n     <{rdf}li>{_text(word)}</{rdf}li>" for word in words)
        return f"\n    <{rdf}Bag>{items}\n    </{rdf}Bag>\n   "


def _text(word: str) -> str:
    return escape(_NOT_XML.sub("", word))


def _check(before: bytes, after: bytes, wanted: Wanted) -> None:
    """Raises `NotUnderstoodError` unless it is read as it was meant, and all else as it was."""
    packet_of(after)
    said, now = properties(before), properties(after)
    for one in (said, now):
        for name in (_RATING, _SUBJECT, "MicrosoftPhoto:Rating", *TREES):
            one.pop(name, None)
    found = from_xmp(after)
    words = {keyword_key(word) for word in found.keywords or ()}
    fits = said == now
    if wanted.mark.stars is not None:
        fits = fits and found.rating == wanted.mark.stars
    if wanted.of_keywords:
        fits = fits and {keyword_key(word) for word in wanted.keywords} <= words
    if not fits:
        raise NotUnderstoodError("is written in a way that cannot be changed safely")
