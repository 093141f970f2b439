"""A path as a person or a program gives it, and the absolute path that is meant."""

from __future__ import annotations

import os

from photosearch.elsewhere.addresses import is_address


def absolute_path(given: str | os.PathLike[str]) -> str:
    """The path from the root on, without `..`; `~` is the home folder. Links stay as they are.

    An address such as s3://bucket/photos is one already.
    """
    if is_address(given):
        return os.fspath(given).rstrip("/")
    return os.path.abspath(os.path.expanduser(os.fspath(given)))
