"""How a photo is named, the same everywhere: by its id, as `photo:ID`, or by its path."""

from __future__ import annotations

import os
import re
from typing import TypeAlias

from photosearch.errors import PhotoIdError, UsageError
from photosearch.typed_path import absolute_path

# What a person or a program gives.
PhotoName: TypeAlias = int | str | os.PathLike[str]

_PREFIX = re.compile(r"photo:", re.IGNORECASE)
# The ids of SQLite end there.
_LARGEST = (1 << 63) - 1


def photo_named(name: PhotoName) -> int | str:
    """The id of a photo, or its absolute path.

    A number is an id; a file of that name is given as `./12`.

    Raises `PhotoIdError` for a number that is none, `UsageError` for an empty name.
    """
    if isinstance(name, int):
        return _checked(name)
    text = os.fspath(name)
    found = _PREFIX.match(text)
    if found is not None:
        text = text[found.end() :]
    if not text.strip():
        raise UsageError("the name of a photo is empty; give its id, photo:ID, or its path")
    if re.fullmatch(r"-?\d+", text, re.ASCII):
        return _checked(int(text))
    return absolute_path(text)


def _checked(number: int) -> int:
    if abs(number) > _LARGEST:
        raise PhotoIdError(
            f"there is no photo of the id {number}, which is too large for one; "
            "give the id that a search shows, or a path"
        )
    return number
