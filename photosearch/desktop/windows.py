"""Windows that show the pages, from the best to the plainest.

Each has `run()`, which returns when the window is closed; `show()`, which brings it forward;
`close()`, which ends `run` from another thread; and `choose_folder`, None where there is no dialog.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from photosearch.serving.own_secret import page_with

TITLE = "photosearch"
_SIZE = (1280, 860)
_LEAST = (380, 520)
_PLACE = "window.json"
_PROFILE = "window"
# Browsers that can show a page without their bars, in a profile of its own.
_BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    "brave-browser",
    "chrome",
    "msedge",
)
_ELSEWHERE = {
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ),
    "win32": (
        r"%ProgramFiles(x86)%\Microsoft\Edge\Application\msedge.exe",
        r"%ProgramFiles%\Google\Chrome\Application\chrome.exe",
        r"%LocalAppData%\Google\Chrome\Application\chrome.exe",
    ),
}


class Window(Protocol):
    choose_folder: Callable[[], str | None] | None

    def run(self, url: str) -> None: ...

    def show(self) -> None: ...

    def close(self) -> None: ...


class NoWindowError(Exception):
    """A window of this kind cannot be opened here; the message is the reason."""


class WebView:
    """The system's own web view, by pywebview. Its place is remembered in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._note = folder / _PLACE
        self._window: Any = None
        self._ended = threading.Event()
        self.choose_folder: Callable[[], str | None] | None = self._choose

    @staticmethod
    def is_there() -> bool:
        """Whether pywebview and what it draws with are installed, and there is a screen."""
        if find_spec("webview") is None:
            return False
        if sys.platform in ("win32", "darwin"):
            return True
        # Without one, as over ssh, Qt would end the whole program.
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            return False
        return find_spec("gi") is not None or find_spec("qtpy") is not None

    def run(self, url: str) -> None:
        import webview

        place = self._place()
        self._window = webview.create_window(TITLE, url, min_size=_LEAST, **place)
        self._window.events.closing += self._keep_place
        if self._ended.is_set():
            return
        try:
            webview.start(private_mode=False)
        except webview.WebViewException as error:
            raise NoWindowError(str(error)) from error

    def show(self) -> None:
        if self._window is not None:
            self._window.restore()
            self._window.show()

    def close(self) -> None:
        self._ended.set()
        if self._window is not None:
            self._window.destroy()  # waits until it is shown

    def _choose(self) -> str | None:
        import webview

        chosen = self._window.create_file_dialog(webview.FileDialog.FOLDER)
        return str(chosen[0]) if chosen else None

    def _place(self) -> dict[str, Any]:
        default = {"width": _SIZE[0], "height": _SIZE[1]}
        try:
            kept = json.loads(self._note.read_text(encoding="utf-8"))
            place = {name: int(kept[name]) for name in ("x", "y", "width", "height")}
        except (OSError, ValueError, KeyError, TypeError):
            return default
        sane = place["width"] >= _LEAST[0] and place["height"] >= _LEAST[1]
        return place if sane else default

    def _keep_place(self) -> None:
        window = self._window
        place = {name: getattr(window, name) for name in ("x", "y", "width", "height")}
        with suppress(OSError):
            self._note.write_text(json.dumps(place), encoding="utf-8")


class BrowserApp:
    """A browser's window without its bars, in a profile in `folder`, which remembers its place."""

    choose_folder: Callable[[], str | None] | None = None

    def __init__(self, folder: Path, browser: str) -> None:
        self._profile, self._browser = folder / _PROFILE, browser
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""

    @staticmethod
    def find() -> str | None:
        """A browser that can do this, if there is one."""
        for name in _BROWSERS:
            found = shutil.which(name)
            if found:
                return found
        for path in _ELSEWHERE.get(sys.platform, ()):
            full = os.path.expandvars(path)
            if os.path.isfile(full):
                return full
        return None

    def run(self, url: str) -> None:
        self._url = _launched(url, self._profile.parent)
        self._process = self._start()
        code = self._process.wait()
        if code > 0:
            raise NoWindowError(f"{self._browser} ended with {code}")

    def show(self) -> None:
        # In the same profile it opens another window, and ends.
        self._start().wait(20)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def _start(self) -> subprocess.Popen[bytes]:
        size = ",".join(map(str, _SIZE))
        first = () if self._profile.exists() else (f"--window-size={size}",)
        command = [
            self._browser,
            f"--app={self._url}",
            f"--user-data-dir={self._profile}",
            f"--class={TITLE}",
            *first,
            # Nothing that has to do with other pages, or asks somebody elsewhere.
            "--no-first-run",
            "--no-default-browser-check",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--disable-features=Translate,OptimizationHints,MediaRouter",
        ]
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise NoWindowError(f"{self._browser}: {error.strerror or error}") from error


class Tab:
    """A tab in the user's browser. Nobody tells when it is closed; the page can quit."""

    choose_folder: Callable[[], str | None] | None = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._closed = threading.Event()
        self._url = ""

    def run(self, url: str) -> None:
        self._url = _launched(url, self._folder)
        self.show()
        while not self._closed.wait(0.2):
            pass

    def show(self) -> None:
        import click

        click.launch(self._url)

    def close(self) -> None:
        self._closed.set()


def windows(folder: Path) -> list[Window]:
    """What can be tried here, the best first."""
    found: list[Window] = []
    if WebView.is_there():
        found.append(WebView(folder))
    browser = BrowserApp.find()
    if browser is not None:
        found.append(BrowserApp(folder, browser))
    return [*found, Tab(folder)]


def _launched(url: str, folder: Path) -> str:
    """What a browser is started with, which other users of this machine see."""
    launched = page_with(url, folder)
    if launched is None:
        raise NoWindowError(f"{folder}: cannot be written")
    return launched
