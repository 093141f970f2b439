"""What Picasa keeps of all pictures of a folder in its .picasa.ini: faces above all.

[Contacts2]
8e62398ebda8c1a5=Anna Berger;;
[IMG_2041.JPG]
faces=rect64(3f845bcb59418507),8e62398ebda8c1a5;rect64(...),ffffffffffffffff
star=yes
"""

from __future__ import annotations

import re
import unicodedata

from index import Region
from photosearch.indexing.metadata import values
from photosearch.indexing.metadata.findings import Findings
from photosearch.indexing.metadata.keywords import keywords
from photosearch.indexing.metadata.regions import Faces, region

# The files, in lower case; the second is what it was called by old versions.
NAMES = frozenset({".picasa.ini", "picasa.ini"})
# Some 200 bytes a picture.
LONGEST = 16 << 20
_CONTACTS = ("contacts2", "contacts")
_FACE = re.compile(r"rect64\(([0-9a-f]{1,16})\)\s*,\s*([0-9a-f]{1,16})", re.IGNORECASE)
_UNTURNED = re.compile(r"rotate\(0*\)", re.IGNORECASE)
# Whose face it is, where nobody said it.
_NOBODY = (1 << 64) - 1
_WHOLE = 65535.0


def from_ini(content: bytes, name: str) -> Findings:
    """What it says of the picture of this file name."""
    sections = _sections(content[:LONGEST])
    said = sections.get(name) or sections.get(_written(name)) or {}
    if not said:
        return Findings()
    contacts: dict[int, str] = {}
    for title in _CONTACTS:
        for digits, value in sections.get(title, {}).items():
            known = _person(value)
            if known and re.fullmatch("[0-9a-f]{1,16}", digits):
                contacts.setdefault(int(digits, 16), known)
    faces: list[Region] = []
    named: list[str] = []
    for rectangle, whose in _FACE.findall(said.get("faces", "")):
        number = int(whose, 16)
        person = "" if number == _NOBODY else contacts.get(number, "")
        named.append(person)
        # A number without the zeros that it began with: left, top, right, bottom.
        digits = rectangle.zfill(16)
        left, top, right, bottom = (int(digits[at : at + 4], 16) / _WHOLE for at in range(0, 16, 4))
        faces += region(person, left, top, right - left, bottom - top)
    # What was turned or cut in Picasa alone looks otherwise there than its file does.
    changed = "crop" in said or "crop64" in said.get("filters", "")
    changed = changed or not _UNTURNED.fullmatch(said.get("rotate", "rotate(0)").strip())
    return Findings(
        caption=values.caption(said.get("caption")),
        keywords=keywords(said.get("keywords", "").split(",")),
        people=values.words(named),
        faces=Faces(tuple(faces), upright=True) if faces and not changed else None,
        favourite=True if said.get("star", "").strip().lower() == "yes" else None,
    )


def _sections(content: bytes) -> dict[str, dict[str, str]]:
    """The values of each section, by its title as it is and in small letters."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = found.setdefault(line[1:-1], {})
            found.setdefault(_written(line[1:-1]), section)
        elif "=" in line:
            key, _, value = line.partition("=")
            section.setdefault(key.strip().lower(), value.strip())
    return found


def _written(name: str) -> str:
    """The name of a file, whatever its case, and however its accents are written."""
    return unicodedata.normalize("NFC", name).casefold()


def _person(value: str) -> str:
    """The name in "Anna Berger;anna@example.org;", empty in "user_lh,4bd750800fb6a6b8"."""
    if ";" not in value and re.search(r"_lh,", value):
        return ""
    return value.split(";")[0].strip()
