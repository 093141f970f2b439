"""The folders of photos, and the words of their files' names, kept from one process to the next."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from index.catalogue.connection import Connection
from index.catalogue.feed import changed_after, last_place
from index.catalogue.functions import words_in
from index.paths import separator_of
from index.safety.whole import write_whole

# Beside the catalogue: made of it, and may be deleted.
FILE_NAME = "names.json"
# Of another layout nothing is read.
_LAYOUT = 1
_DIGITS = str.maketrans("", "", "0123456789")
_AT_ONCE = 1 << 14  # paths read as one text, and ids in a part
_MOST = 1 << 16  # changes that are looked at one by one


class FileNames:
    """Those of one catalogue, in parts of so many ids: after a change only the parts are read again
    in which photos changed.

    Of a catalogue of more than one part they are kept in a file, by which a process that begins
    need not read all paths: that takes a tenth of a second for 100,000.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._file = connection.path.with_name(FILE_NAME)
        self._place: str | None = None
        self._parts: dict[int, tuple[set[str], set[str]]] = {}

    @staticmethod
    def discard(folder: Path) -> None:
        """Delete what is kept in a library's folder, where something in it is to be forgotten."""
        with suppress(OSError):
            (folder / FILE_NAME).unlink()

    def read(self) -> tuple[set[str], set[str]]:
        """Folders as they are in the catalogue, and words, folded and without digits."""
        with self._connection.snapshot():
            if self._place is None:
                self._take_kept()
            changed: Sequence[int] | None = changed_after(self._connection, self._place, _MOST)
            self._place = last_place(self._connection)
            if changed is None:
                ((most,),) = self._connection.rows("SELECT coalesce(max(id), -1) FROM photos")
                self._parts = {}
                changed = range(0, most + 1, _AT_ONCE)
            parts = {photo // _AT_ONCE for photo in changed}
            for part in parts:
                self._parts[part] = self._part(part * _AT_ONCE)
        if parts and len(self._parts) > 1:
            self._keep()
        folders: set[str] = set()
        words: set[str] = set()
        for some, others in self._parts.values():
            folders |= some
            words |= others
        return folders, words

    def _part(self, first: int) -> tuple[set[str], set[str]]:
        # As one text, as in `Holding`; no path has a NUL.
        ((text,),) = self._connection.rows(
            "SELECT group_concat(path, char(0)) FROM photos"
            " WHERE id >= ? AND id < ? AND NOT missing",
            [first, first + _AT_ONCE],
        )
        if not text:
            return set(), set()
        # Most are IMG and a number: few are left, and taken apart.
        without_digits = set(text.translate(_DIGITS).split("\0"))
        # Also those at addresses, which have strokes on every system.
        stems = {path.rpartition(os.sep)[2].rpartition("/")[2] for path in without_digits}
        words = {word for stem in stems for word in words_in(re.sub(r"\.[^.]*$", "", stem))}
        return set(_folders(text.split("\0"))), words

    def _take_kept(self) -> None:
        """What the file says; nothing where there is none, or it is damaged."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._file.read_bytes())
            if kept["layout"] == [_LAYOUT, _AT_ONCE]:
                parts = {int(part): tuple(map(set, both)) for part, both in kept["parts"].items()}
                self._place, self._parts = str(kept["place"]), parts  # type: ignore[assignment]

    def _keep(self) -> None:
        if self._connection.readonly:
            return
        parts = {part: [sorted(each) for each in both] for part, both in self._parts.items()}
        kept: dict[str, Any] = {"layout": [_LAYOUT, _AT_ONCE], "place": self._place, "parts": parts}
        # It only saves time.
        with suppress(OSError):
            write_whole(self._file, json.dumps(kept).encode(), sync=False)


def _folders(paths: Sequence[str]) -> Iterable[str]:
    if os.sep == "/":  # as in addresses, so that none has to be told from the others
        return {path.rpartition("/")[0] for path in paths}
    return {path.rpartition(separator_of(path))[0] for path in paths}
