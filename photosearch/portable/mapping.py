"""Paths of another machine, and what they are here."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence

from photosearch.errors import UsageError


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
            pairs.append((option[: fitting[-1]], os.path.abspath(os.path.expanduser(new))))
        return cls(pairs, separator)

    def __call__(self, path: str) -> str:
        for old, new in self._pairs:
            if (rest := _below(path, old, self._separator)) is not None:
                return os.path.join(new, *rest) if rest else new
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
    """The names that lead from `folder` to `path`; None when it is not below."""
    start = folder.rstrip(separator)
    head, tail = path[: len(start)], path[len(start) :]
    if separator == "\\":
        # Windows knows no difference.
        head, start = head.lower(), start.lower()
    if head != start or (tail and not tail.startswith(separator)):
        return None
    return [name for name in tail.split(separator) if name]
