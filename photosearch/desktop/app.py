"""Server and window, started and ended together."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from photosearch.desktop.instance import Instance
from photosearch.desktop.windows import NoWindowError, Window, windows
from photosearch.serving.forced_exit import end_in_time
from photosearch.settings import library_folder
from photosearch.ui.context import DesktopWindow
from photosearch.ui.server import Server


def run(path: str | os.PathLike[str] | None, model: str | os.PathLike[str] | None) -> bool:
    """Show the library's window until it is closed; False when it was open already.

    Raises `LibraryError`, `BundleError` or `UsageError` when there is nothing to show.
    """
    folder = library_folder(path)
    instance = Instance(folder)
    if not instance.take() and instance.bring_forward():
        return False
    try:
        _run(folder, model, instance)
    finally:
        instance.leave()
    return True


def _run(folder: Path, model: str | os.PathLike[str] | None, instance: Instance) -> None:
    chosen = _Chosen(windows(folder))
    window = DesktopWindow(
        choose_folder=chosen.choose_folder,
        show=chosen.show,
        quit=chosen.close,
        secret=instance.secret,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: chosen.close_soon())
    with Server.bind(folder, model, port=0, window=window) as server:
        instance.tell(server.address.port)
        chosen.run(server.address.link)
        chosen.close()


class _Chosen:
    """The first of several windows that can be opened."""

    def __init__(self, tried: list[Window]) -> None:
        self._tried = tried
        self._now = tried[0]
        self._closed = False

    def run(self, url: str) -> None:
        for window in self._tried:
            self._now = window
            if self._closed:
                return
            try:
                window.run(url)
            except NoWindowError as error:
                print(f"photosearch: {error}; trying another window", file=sys.stderr)
                continue
            return

    def show(self) -> None:
        self._now.show()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._now.close()

    def close_soon(self) -> None:
        """Close from a signal's handler, which may run inside the window's own loop.

        An exception there would go through a toolkit that aborts on it, and a window that is closed
        from its own loop waits for itself.
        """
        end_in_time(0)
        threading.Thread(target=self.close, name="close").start()

    def choose_folder(self) -> tuple[bool, str | None]:
        """Whether there is a dialog, and what was chosen in it."""
        dialog = self._now.choose_folder
        return (False, None) if dialog is None else (True, dialog())
