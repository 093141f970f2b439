"""Paths of another machine, and what they are here."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence

from index.catalogue.functions import composed
from photosearch.elsewhere.addresses import is_address
from photosearch.errors import UsageError
from photosearch.typed_path import absolute_path


class PathMap:
    """Changes the paths below some folders; `separator` is that of the old paths."""

    def __init__(self, pairs: Iterable[tuple[str, str]], separator: str) -> None:
        self._separator = separator
        # The nearest folder decides.
        self._pairs = sorted(
            ((old.rstrip(separator), new) for old, new in pairs),
            key=lambda pair: len(pair[0]),
            reverse=True,
        )

    @classmethod
    def parse(cls, options: Sequence[str], paths: Collection[str], separator: str) -> PathMap:
        """The map of options OLD=NEW, for `paths`; OLD and NEW may hold "=" themselves.

        Raises `UsageError` for an option that none of the paths is concerned by.
        """
        pairs = []
        for option in options:
            at = [place for place, letter in enumerate(option) if letter == "="]
            if not at:
                raise UsageError(f"--map {option}: has no =; give it as OLD=NEW")
            fitting = [
                place
                for place in at
                if option[:place] and any(_below(path, option[:place], separator) for path in paths)
            ]
            if not fitting:
                raise UsageError(
                    f"--map {option}: nothing in the library lies below {option[: at[0]]}; "
                    "photosearch import --dry-run FILE lists its folders"
                )
            new = option[fitting[-1] + 1 :]
            if not new:
                raise UsageError(f"--map {option}: says no new folder; give it as OLD=NEW")
            if is_address(new):
                raise UsageError(f"--map {option}: {new} is no folder; give it as OLD=NEW")
            pairs.append((option[: fitting[-1]], absolute_path(new)))
        return cls(pairs, separator)

    def __call__(self, path: str) -> str:
        for old, new in self._pairs:
            if (rest := _below(path, old, self._separator)) is not None:
                # Not os.path.join, for which a folder called "C:" would be another drive.
                return os.sep.join([new.rstrip(os.sep), *rest]) if rest else new
        return path

    def left(self, paths: Iterable[str]) -> list[str]:
        """The paths of another kind of system that no folder of the map is above."""
        if self._separator == os.sep:
            return []
        return [
            path
            for path in paths
            if all(_below(path, old, self._separator) is None for old, _ in self._pairs)
        ]


def _below(path: str, folder: str, separator: str) -> list[str] | None:
    """The names that lead from `folder` to `path`; None when it is not below.

    macOS may have written accents as letters of their own, which nobody types so.
    """
    if separator == "\\":
        # Windows takes either.
        path, folder = path.replace("/", "\\"), folder.replace("/", "\\")
    names, start = path.split(separator), folder.rstrip(separator).split(separator)
    if _as_compared(names[: len(start)], separator) != _as_compared(start, separator):
        return None
    return [name for name in names[len(start) :] if name]


def _as_compared(names: Sequence[str], separator: str) -> list[str]:
    same = [composed(name) for name in names]
    # Windows knows no difference between capitals and small letters.
    return [name.lower() for name in same] if separator == "\\" else same
