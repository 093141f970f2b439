"""Which JSON of Google Takeout describes which picture: their names are cut, and numbered twice."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator

SUFFIX = ".json"

# What stands between a picture's name and ".json" since 2024, or as much of it as there was room.
_KIND = ".supplemental-metadata"
# Characters at which names have been cut: of those of pictures without their suffix the first.
_CUT_STEM, _LONGEST = 46, 51
_NUMBERED = re.compile(r"(.+)\((\d+)\)\Z")
# What Google Photos adds to the name of a picture that it has changed, by its user's language.
_CHANGED = tuple(
    f"-{word}"
    for word in (
        "edited", "effects", "smile", "mix", "collage", "animation", "pano", "bearbeitet",
        "modifié", "modifie", "modificato", "editado", "ha editado", "editada", "editat", "bewerkt",
        "edytowane", "redigerad", "redigeret", "redigert", "muokattu", "upraveno", "upravené",
        "szerkesztve", "szerkesztett", "düzenlendi", "diedit", "đã chỉnh sửa", "изменено",
        "отредактировано", "измененный", "змінено", "编辑", "已修改", "已编辑", "已編輯",
        "編集済み", "수정됨",
    )
)  # fmt: skip
# Of a long name there may be room for a few of its letters only.
_SHORTEST = 2


def exports(pictures: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """For each of `pictures` that one of the files `others` describes, by its name, that file.

    Whether it is Takeout's its content tells.
    """
    found = {_base(name): name for name in others if name.lower().endswith(SUFFIX)}
    if not found:
        return {}
    cut = {(base[:_CUT_STEM], number): name for (base, number), name in found.items()}
    result = {}
    for picture in pictures:
        for title, number in _titles(unicodedata.normalize("NFC", picture)):
            name = _described(title, number, found, cut)
            if name is not None:
                result[picture] = name
                break
    return result


def _base(name: str) -> tuple[str, str]:
    """A JSON's name without its suffix, and the number in brackets at its end: "a.jpg", "1"."""
    base = unicodedata.normalize("NFC", name[: -len(SUFFIX)])
    numbered = _NUMBERED.match(base)
    return (numbered[1], numbered[2]) if numbered else (base, "")


def _titles(picture: str) -> Iterator[tuple[str, str]]:
    """The names under which a picture may be described, and their number, the likeliest first."""
    stem, suffix = os.path.splitext(picture)
    forms = [(stem, "")]
    numbered = _NUMBERED.match(stem)
    if numbered:
        forms.append((numbered[1], numbered[2]))
    for form, number in tuple(forms):
        original = _unchanged(form)
        if original is None:
            continue
        forms.append((original, number))
        inner = _NUMBERED.match(original)
        if inner and not number:
            forms.append((inner[1], inner[2]))
    for form, number in forms:
        yield form + suffix, number


def _unchanged(stem: str) -> str | None:
    """The name of the picture that was changed into this one; its mark may be cut."""
    at = stem.rfind("-")
    if at <= 0:
        return None
    mark = stem[at:].lower()
    whole = mark in _CHANGED or stem.lower().endswith("-ha editado")
    part = len(stem) >= _CUT_STEM and len(mark) > _SHORTEST
    if whole or (part and any(each.startswith(mark) for each in _CHANGED)):
        return stem[:at]
    return None


def _described(
    title: str, number: str, found: dict[tuple[str, str], str], cut: dict[tuple[str, str], str]
) -> str | None:
    if (title, number) in found:
        return found[title, number]
    if number and (f"{title}({number})", "") in found:
        return found[f"{title}({number})", ""]
    for length in range(len(_KIND), 0, -1):
        base = title + _KIND[:length]
        if (base, number) in found:
            return found[base, number]
    stem, _ = os.path.splitext(title)
    for length in range(min(_LONGEST, len(title) - 1), _CUT_STEM - 3, -1):
        if (title[:length], number) in found:
            return found[title[:length], number]
    if len(stem) >= _CUT_STEM and (stem[:_CUT_STEM], number) in cut:
        return cut[stem[:_CUT_STEM], number]
    # A title without a suffix.
    return found.get((stem, number))
