"""The packages that photosearch is made of here, and the licences that they are under."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from photosearch import __version__

NAME = "photosearch"
# What the packaged app can hold: those for developers and for training are never in it.
_EXTRAS = ("desktop", "jxl", "mcp", "ocr", "raw", "tiff", "video")
_REQUIREMENT = re.compile(r"\s*([\w.-]+)")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")
_FILE = re.compile(r"(licen[cs]e|copying|notice|authors)[^/]*$", re.IGNORECASE)
_CLASSIFIER = "License :: "


@dataclass(frozen=True)
class Component:
    """A package: its name, version, licence as it says itself, and the texts that come with it."""

    name: str
    version: str
    licence: str
    texts: tuple[str, ...]


def components() -> list[Component]:
    """photosearch and all that is installed of what it needs or can use, by name.

    What the system's own package manager has put here, and tells nothing of, is not among them.
    """
    found: dict[str, Component] = {}
    waiting: list[tuple[str, tuple[str, ...]]] = [(NAME, _EXTRAS)]
    while waiting:
        name, extras = waiting.pop()
        key = _key(name)
        if key in found:
            continue
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another system, or not installed
        found[key] = _described(name, package)
        waiting += [(needed, ()) for needed in _needed(package, extras)]
    return [found[key] for key in sorted(found, key=lambda key: (key != NAME, key))]


def as_text() -> str:
    """What photosearch is, and the licences of all that is in it, to be read."""
    parts = [f"photosearch {__version__}"]
    # Of the packaged app as a whole, which is built with this file.
    if packed := getattr(sys, "_MEIPASS", None):
        parts.append(Path(packed, "LICENCES.md").read_text(encoding="utf-8").strip())
    for one in components():
        title = f"{one.name} {one.version}: {one.licence}"
        parts.append("\n\n".join([f"{title}\n{'-' * len(title)}", *one.texts]))
    return "\n\n\n".join(parts) + "\n"


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _needed(package: metadata.Distribution, extras: tuple[str, ...]) -> Iterator[str]:
    for line in package.requires or ():
        named = _REQUIREMENT.match(line)
        extra = _EXTRA.search(line)
        if named and (extra is None or extra[1] in extras):
            yield named[1]


def _described(name: str, package: metadata.Distribution) -> Component:
    said = package.metadata
    classified = [
        line.rsplit(" :: ", 1)[1]
        for line in said.get_all("Classifier") or ()
        if line.startswith(_CLASSIFIER)
    ]
    # Some put the whole text into the field that is meant for a name.
    named = [
        *(said.get_all("License-Expression") or ()),
        ", ".join(classified),
        *(said.get_all("License") or ()),
    ]
    licence = next((line.splitlines()[0] for line in named if line.strip()), "see below")
    files = sorted(
        (file for file in package.files or () if _FILE.search(str(file))),
        key=lambda file: str(file),
    )
    texts = []
    for file in files:
        if ".dist-info" in str(file) and file.suffix != ".py":
            try:
                texts.append(file.read_text(encoding="utf-8").strip())
            except (OSError, UnicodeDecodeError):
                continue
    return Component(name, package.version, licence, tuple(texts))
