"""The formats of pictures and videos: each is one object, and stands nowhere else.

Its suffixes are what a scan looks for, its first bytes decide who reads a file, its names are those
of `type:`. To add one, add it here, and the module that reads it; or in a package of its own, see
docs/plugins.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from photosearch.kinds import JPEG, RAW, VIDEOS, is_raw, is_video
from photosearch.plugins.announced import Announced
from photosearch.plugins.loading import Group, PluginError

_READERS = "photosearch.indexing.formats"


class Format(Struct, frozen=True, kw_only=True):
    """One format, or several that are told apart by nobody.

    `name` and `aliases` are what people call it, and `recorded` what the catalogue does, or did.

    `begins` tells whether a file with these first bytes, and this suffix, is one. Where it is None
    Pillow tells: any file is tried under its names in `pillow`, and one whose first bytes tell
    nothing by the name that its suffix has in `unmarked`.

    `reader` is the module with the function `picture` that reads it, imported when such a file
    comes. What it needs and is not installed comes with `extra`, and the reason calls the format
    `called`.
    """

    name: str
    suffixes: frozenset[str]
    recorded: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    begins: Callable[[bytes, str], bool] | None = None
    pillow: tuple[str, ...] = ()
    unmarked: tuple[tuple[str, str], ...] = ()
    reader: str = f"{_READERS}.pillow"
    called: str = ""
    extra: str = ""


def _starting(*signatures: bytes) -> Callable[[bytes, str], bool]:
    return lambda head, suffix: head.startswith(signatures)


def _by_pillow(name: str, pillow: str, *suffixes: str, aliases: tuple[str, ...] = ()) -> Format:
    return Format(
        name=name,
        suffixes=frozenset(suffixes),
        recorded=(name.upper(),),
        aliases=aliases,
        pillow=(pillow,),
    )


JXL = Format(
    name="jxl",
    suffixes=frozenset({".jxl"}),
    recorded=("JXL",),
    aliases=("jpegxl",),
    begins=_starting(b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),
    reader=f"{_READERS}.jxl",
    called="a JPEG XL picture",
    extra="jxl",
)
JXR = Format(
    name="jxr",
    suffixes=frozenset({".jxr", ".wdp", ".hdp"}),
    recorded=("JXR",),
    aliases=("jpegxr",),
    begins=_starting(b"II\xbc\x01"),
    reader=f"{_READERS}.jxr",
    called="a JPEG XR picture",
    extra="jxl",
)
VIDEO = Format(
    name="video",
    suffixes=VIDEOS,
    recorded=("VIDEO",),
    begins=is_video,
    reader=f"{_READERS}.video",
    called="a video",
    extra="video",
)
CAMERA_RAW = Format(
    name="raw",
    suffixes=RAW,
    recorded=("RAW",),
    begins=is_raw,
    reader=f"{_READERS}.raw",
    called="a camera RAW file",
    extra="raw",
)

# By name. The first whose beginning it is reads a file.
FORMATS: dict[str, Format] = {}
# All that are looked for; those of plugins are among them once `suffixes` was asked.
SUFFIXES: set[str] = set()


def add(*formats: Format) -> None:
    for one in formats:
        FORMATS[one.name] = one
        SUFFIXES.update(one.suffixes)


add(
    JXL,
    JXR,
    VIDEO,
    CAMERA_RAW,
    Format(
        name="jpeg",
        suffixes=JPEG,
        recorded=("JPEG", "MPO"),
        aliases=("jpg", "jpe", "mpo"),
        pillow=("JPEG",),
    ),
    _by_pillow("png", "PNG", ".png", ".apng"),
    _by_pillow("webp", "WEBP", ".webp"),
    _by_pillow("gif", "GIF", ".gif"),
    _by_pillow("tiff", "TIFF", ".tif", ".tiff", aliases=("tif",)),
    Format(
        name="bmp",
        suffixes=frozenset({".bmp", ".dib"}),
        recorded=("BMP",),
        pillow=("BMP",),
        unmarked=((".dib", "DIB"),),
    ),
    Format(
        name="heic",
        suffixes=frozenset({".heic", ".heif", ".hif"}),
        recorded=("HEIF", "HEIC"),
        aliases=("heif",),
        pillow=("HEIF",),
    ),
    _by_pillow("avif", "AVIF", ".avif"),
    _by_pillow("psd", "PSD", ".psd"),
    _by_pillow(
        "jp2",
        "JPEG2000",
        *(".jp2", ".jpx", ".jpf", ".j2k", ".j2c", ".jpc"),
        aliases=("jpeg2000",),
    ),
    Format(
        name="tga",
        suffixes=frozenset({".tga"}),
        recorded=("TGA",),
        unmarked=((".tga", "TGA"),),
    ),
    _by_pillow("pnm", "PPM", ".pbm", ".pgm", ".ppm", ".pnm", ".pfm"),
    _by_pillow("ico", "ICO", ".ico"),
)


# Files beside a picture, which describe it, end so.
_DESCRIPTIONS = frozenset({".xmp", ".json"})
# Those of plugins.
_added: dict[str, Format] = {}


def _accept(plugin: Announced, found: object) -> str:
    if not isinstance(found, Format):
        raise PluginError(f"{plugin.value} is no Format")
    _check(found)
    there = (*FORMATS.values(), *_added.values())
    taken = {word for one in there for word in (one.name, *one.aliases)}
    recorded = {word for one in there for word in one.recorded}
    for what, mine, others in (
        ("the name", {found.name, *found.aliases}, taken),
        ("the recorded name", set(found.recorded), recorded),
        ("the suffix", set(found.suffixes), SUFFIXES | _DESCRIPTIONS),
    ):
        if both := mine & others:
            raise PluginError(f"{what} {min(both)} is taken")
    _added[found.name] = found
    SUFFIXES.update(found.suffixes)
    return f"format {found.name} ({', '.join(sorted(found.suffixes))})"


def _check(one: Format) -> None:
    """Raises `PluginError` for what a format from elsewhere may not be."""
    if not all(re.fullmatch(r"[a-z0-9]+", name) for name in (one.name, *one.aliases)):
        raise PluginError("its names may have small letters and digits only")
    if not one.suffixes or not all(re.fullmatch(r"\.[^.A-Z\s]+", end) for end in one.suffixes):
        raise PluginError("its suffixes have to be small, with one dot, as in .ff")
    if isinstance(one.recorded, str) or not one.recorded or not all(one.recorded):
        raise PluginError("`recorded` has to be a tuple of names")
    if not callable(one.begins) or one.pillow or one.unmarked:
        raise PluginError("it needs `begins` and `reader`; Pillow's names are for our own")
    if not re.fullmatch(r"\w+(\.\w+)*", one.reader):
        raise PluginError("`reader` has to be the name of a module")


_PLUGINS = Group("formats", _accept)


def formats() -> dict[str, Format]:
    """All, by name, also those of plugins."""
    _PLUGINS.load()
    return FORMATS | _added


def suffixes() -> set[str]:
    """All that are looked for."""
    _PLUGINS.load()
    return SUFFIXES


def plugged(suffix: str) -> Format | None:
    """The plugin's format of files with this suffix. It is asked about no others."""
    _PLUGINS.load()
    return next((one for one in _added.values() if suffix in one.suffixes), None)


def format_named(name: str) -> Format | None:
    """The format that people call so."""
    found = formats().get(name)
    return found or next((one for one in formats().values() if name in one.aliases), None)


def reader_of(head: bytes, suffix: str) -> str:
    """The module of ours that reads a file which begins with `head`; Pillow's knows most."""
    for one in FORMATS.values():
        if one.begins is not None and one.begins(head, suffix):
            return one.reader
    return f"{_READERS}.pillow"
