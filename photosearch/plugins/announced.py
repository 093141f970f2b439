"""Which installed packages announce something for photosearch, by their entry points.

The folders are read here, and not by `importlib.metadata`: to import that takes 30 times as long as
to look, and every search would wait for it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, Literal, get_args

from msgspec import Struct

Kind = Literal["formats", "filters", "languages", "models"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ENVIRONMENT = "PHOTOSEARCH_PLUGINS"

_GROUP = "photosearch."
_ENDS = (".dist-info", ".egg-info")
# Compiled only where there is a plugin: that takes as long as to look for some.
_REFERENCE = r"([\w.]+)(?:\s*:\s*([\w.]+))?\s*(?:\[.*\])?"


class Announced(Struct, frozen=True):
    """An entry point: `value` is where the object is, as "package.module:NAME"."""

    kind: Kind
    name: str
    value: str
    package: str
    version: str

    def load(self) -> Any:
        """The object. Raises `ValueError` for what is no place of one, and what its import does."""
        found = re.fullmatch(_REFERENCE, self.value)
        if found is None:
            raise ValueError(f"{self.value!r} is not written as MODULE:NAME")
        loaded: Any = import_module(found[1])
        for name in filter(None, (found[2] or "").split(".")):
            loaded = getattr(loaded, name)
        return loaded


def switched_off() -> bool:
    """Whether the environment says that no package is to add anything."""
    return os.environ.get(ENVIRONMENT, "").strip().lower() in ("0", "no", "off", "false")


@cache
def announced() -> tuple[Announced, ...]:
    """What all packages announce, in order of their names; looked up once a process."""
    found = (each for folder in _packages() for each in _read(folder))
    return tuple(sorted(found, key=lambda each: (each.package.lower(), each.kind, each.name)))


def _packages() -> Iterator[str]:
    """The folders of metadata of all packages; of one that is there twice the first counts."""
    seen: set[str] = set()
    here = ""
    with suppress(OSError):
        here = os.getcwd()
    for place in sys.path:
        # Whoever runs Python's -m stands in a folder of photos, as likely as not.
        if place in ("", here):
            continue
        try:
            names = os.listdir(place)
        except OSError:
            continue
        for name in names:
            if name.endswith(_ENDS):
                # The same however it is written, in a folder that pip or an older tool made.
                package = name.rpartition(".")[0].partition("-")[0].replace(".", "_").lower()
                if package not in seen:
                    seen.add(package)
                    yield os.path.join(place, name)


def _read(folder: str) -> Iterator[Announced]:
    try:
        with open(os.path.join(folder, "entry_points.txt"), "rb") as file:
            content = file.read()
    except OSError:
        return
    if f"[{_GROUP}".encode() not in content:
        return
    package, version = _named(folder)
    group = ""
    for line in content.decode("utf-8", "replace").splitlines():
        line = line.strip()
        if line.startswith("["):
            group = line.strip("[]").strip()
        elif line and line[0] not in "#;":
            name, _, value = (part.strip() for part in line.partition("="))
            for kind in KINDS:
                if group == f"{_GROUP}{kind}":
                    yield Announced(kind, name, value, package, version)


def _named(folder: str) -> tuple[str, str]:
    """The name and the version of a package."""
    whole = os.path.basename(folder).rpartition(".")[0]
    name, _, version = whole.partition("-")
    for file in ("METADATA", "PKG-INFO"):
        path = os.path.join(folder, file)
        with suppress(OSError), open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if not value:  # the description follows an empty line
                    break
                name = value.strip() if key == "Name" else name
                version = value.strip() if key == "Version" else version
            break
    return name, version
