"""Filters by which files photos are, and of what form."""

from __future__ import annotations

import re

from index.catalogue.conditions import (
    Condition,
    InAlbum,
    InFolder,
    OfFormat,
    Screenshot,
    Shaped,
    Sized,
)
from index.catalogue.records import FAVOURITES
from photosearch.formats import FORMATS, VIDEO, format_named, formats
from photosearch.search.filters.filter import Argument, Filter, Help, Row
from photosearch.search.filters.world import World

_SHAPES = ("portrait", "landscape", "square", "panorama")


def _type(value: str, world: World) -> Condition:
    found = format_named(value.strip().lower().lstrip("."))
    if found is None:
        raise ValueError(f"{value!r} is no type of file; there are {', '.join(sorted(formats()))}")
    return OfFormat(found.recorded)


def _is(value: str, world: World) -> Condition:
    name = value.strip().lower()
    if name in _SHAPES:
        return Shaped(name)
    if name == "video":
        return OfFormat(VIDEO.recorded)
    if name == "screenshot":
        return Screenshot()
    if name in ("favourite", "favorite"):
        return InAlbum(FAVOURITES)
    known = ", ".join((*_SHAPES, "video", "screenshot"))
    raise ValueError(f"{value!r} is not known; photos are {known}, or favourite")


# What a unit has of what is counted.
_UNITS = {
    "mp": ("pixels", 10**6), "kb": ("bytes", 10**3), "mb": ("bytes", 10**6), "gb": ("bytes", 10**9)
}  # fmt: skip
_NUMBER = r"(\d{1,9}(?:\.\d{1,6})?)"
_SIZE = re.compile(rf"(>=|<=|>|<|){_NUMBER}(?:(?:\.\.|-){_NUMBER})?({'|'.join(_UNITS)})")


def _size(value: str, world: World) -> Condition:
    found = _SIZE.fullmatch(re.sub(r"\s", "", value.lower()))
    if found is None or (found[1] and found[3]):
        raise ValueError(
            f"{value!r} is no size; write it as size>=12mp, size<500kb, size>10mb or size:1-5mp"
        )
    of, unit = _UNITS[found[4]]
    least, most = (round(float(number) * unit) for number in (found[2], found[3] or found[2]))
    if found[3]:
        return Sized(of, least, most + 1)
    if not found[1]:  # as people say it: one of 12 MP has a little more or less
        return Sized(of, least - unit // 2, least + unit // 2)
    return {
        ">=": Sized(of, least),
        ">": Sized(of, least + 1),
        "<=": Sized(of, 0, least + 1),
        "<": Sized(of, 0, least),
    }[found[1]]


FILTERS = (
    Filter(
        name="folder",
        read=lambda value, world: InFolder(value),
        metavar="FOLDER",
        help=Help(
            "Only photos in such a folder, or below.",
            "Nur Fotos in einem solchen Ordner oder darunter.",
            "Seulement les photos d’un tel dossier, ou en dessous.",
            "Solo fotos de esa carpeta o de las que contiene.",
        ),
        examples=("folder:trips",),
        guide=(
            Row(
                ("`folder:NAME`",),
                "in a folder of that name, or below; an absolute path means just that folder",
            ),
        ),
        arguments=(Argument("folder", "Texts", several=True),),
        repeated=True,
        as_typed=True,
    ),
    Filter(
        name="type",
        read=_type,
        metavar="TYPE",
        help=Help(
            "Only files of this type, as in jpeg, heic, raw, video.",
            "Nur Dateien dieser Art, etwa jpeg, heic, raw, video.",
            "Seulement les fichiers de ce type\u202f: jpeg, heic, raw, video.",
            "Solo archivos de este tipo: jpeg, heic, raw, video.",
        ),
        examples=("type:raw",),
        guide=(Row(("`type:TYPE`",), ", ".join(sorted(FORMATS))),),
        arguments=(Argument("type", "Texts", several=True),),
        repeated=True,
    ),
    Filter(
        name="is",
        read=_is,
        metavar="SHAPE",
        choices=(*_SHAPES, "video", "screenshot", "favourite"),
        help=Help(
            "Only such photos.",
            "Nur solche Fotos.",
            "Seulement ces photos.",
            "Solo esas fotos.",
        ),
        examples=("is:portrait", "is:video"),
        guide=(
            Row(
                ("`is:portrait`", "`is:landscape`", "`is:square`"),
                "higher than wide, wider than high, or neither",
            ),
            Row(
                ("`is:panorama`",),
                "at least twice as long as wide, and neither a screenshot nor a video: upright "
                "ones, and those shorter than 2.4 times, have to say which camera took them",
            ),
            Row(("`is:video`",), "videos"),
            Row(
                ("`is:screenshot`",),
                "what a screen showed, as told by its name: a system's own, in some thirty "
                "languages, or an iPhone's IMG_1234.PNG, or that of its folder",
            ),
            Row(("`is:favourite`",), "favourites"),
        ),
        arguments=(
            Argument("shape", "Texts", several=True, choices=_SHAPES),
            Argument(
                "video",
                "bool | None",
                means="video",
                help=Help("Only videos; no videos, when false.", "Nur Videos; bei false keine."),
            ),
            Argument(
                "screenshot",
                "bool | None",
                means="screenshot",
                help=Help(
                    "Only screenshots; no screenshots, when false.",
                    "Nur Bildschirmfotos; bei false keine.",
                ),
            ),
            Argument(
                "favourite",
                "bool | None",
                means="favourite",
                help=Help(
                    "Only favourites; only others, when false.",
                    "Nur Favoriten; bei false nur andere.",
                ),
            ),
        ),
        repeated=True,
    ),
    Filter(
        name="size",
        read=_size,
        metavar="SIZE",
        help=Help(
            "Only photos of so many megapixels or bytes, as in '>=12mp', 1-5mp or '>10mb'.",
            "Nur Fotos mit so vielen Megapixeln oder Bytes, etwa '>=12mp', 1-5mp, '>10mb'.",
            "Seulement les photos de cette taille\u202f: '>=12mp', 1-5mp, '>10mb'.",
            "Solo fotos de este tamaño: '>=12mp', 1-5mp, '>10mb'.",
        ),
        examples=("size>=12mp",),
        guide=(
            Row(
                ("`size>=12mp`", "`size:1-5mp`", "`size>10mb`"),
                "with so many megapixels, or whose file is so large (kb, mb, gb)",
            ),
        ),
        arguments=(Argument("size", "Texts", several=True),),
        repeated=True,
        all_hold=True,
        compares=True,
    ),
)
