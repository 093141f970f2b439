"""How far it is with what commands fetch of a shared archive: a bar on a terminal, or lines."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from index.shared.address import address_of
from photosearch.commands.output import shown
from photosearch.errors import UsageError
from photosearch.fetching import MOMENT, in_words, what
from photosearch.settings import library_folder

if TYPE_CHECKING:
    from index.shared.progress import Fetching

# Seconds between two lines, where there is no terminal.
_LINES = 30.0


def tell_of_fetching(library: str | None) -> None:
    """From now on it is told on standard error, of what takes longer than a moment."""
    with suppress(UsageError):  # which the command tells
        if address_of(library_folder(library)) is None:
            return
        from index.shared.progress import listen

        listen(_Telling())


class _Telling:
    """Is told of what goes on by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By what it is: how far it is, a bar of tqdm, and when the last line was written.
        self._now: dict[str, Fetching] = {}
        self._later: dict[str, threading.Timer] = {}
        self._bars: dict[str, Any] = {}
        self._lines: dict[str, float] = {}

    def __call__(self, fetching: Fetching, ended: bool) -> None:
        kind = fetching.kind
        with self._lock:
            if ended:
                self._now.pop(kind, None)
                if kind in self._later:
                    self._later.pop(kind).cancel()
                self._lines.pop(kind, None)
                if kind in self._bars:
                    self._draw(fetching)
                    self._bars.pop(kind).close()
                return
            if kind not in self._now:
                # Where nothing comes for long, that is told as well.
                later = self._later[kind] = threading.Timer(MOMENT, self._show, [kind])
                later.daemon = True
                later.start()
            self._now[kind] = fetching
        self._show(kind)

    def _show(self, kind: str) -> None:
        with self._lock:
            fetching = self._now.get(kind)
            if fetching is None or time.monotonic() - fetching.begun < MOMENT:
                return
            if sys.stderr.isatty():
                self._draw(fetching)
            elif time.monotonic() - self._lines.get(kind, -_LINES) >= _LINES:
                self._lines[kind] = time.monotonic()
                click.echo(f"{shown(in_words(fetching))}.", err=True)

    def _draw(self, fetching: Fetching) -> None:
        bar = self._bars.get(fetching.kind)
        if bar is None:
            from tqdm import tqdm

            bar = self._bars[fetching.kind] = tqdm(
                total=fetching.total,
                desc=shown(what(fetching)),
                initial=fetching.done,
                unit=" rows",
                unit_scale=True,
                file=sys.stderr,
            )
        bar.total = fetching.total
        bar.update(fetching.done - bar.n)
