"""`photosearch desktop`: one window, its clean end, and what it falls back to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from optional import module, needs, needs_qt, needs_screen

from photosearch.desktop.instance import Instance
from photosearch.desktop.windows import BrowserApp, Tab, WebView, windows

# A browser that writes down what it was asked to show, and stays until it is told to go.
BROWSER = """#!{python}
import os, sys, time
profile = next(a.split("=", 1)[1] for a in sys.argv if a.startswith("--user-data-dir="))
there = os.path.exists(profile)
os.makedirs(profile, exist_ok=True)
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + chr(10))
if there:
    raise SystemExit  # as a real one does when its profile has a window
while os.path.exists(profile):
    time.sleep(0.05)
"""

pytestmark = [
    pytest.mark.slow,
    needs(os.name == "posix", "a system with scripts: the browser is one"),
]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts the app with a browser that is not one; all that were started are ended."""
    tools = tmp_path / "tools"
    tools.mkdir()
    browser = tools / "chromium"
    browser.write_text(BROWSER.format(python=sys.executable, log=str(tmp_path / "asked.txt")))
    browser.chmod(0o755)
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "photosearch",
                "--library",
                str(tmp_path / "library"),
                "desktop",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Without a screen pywebview, which may be installed, is not tried.
            env={**without_screen(), "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def without_screen() -> dict[str, str]:
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    return {name: value for name, value in os.environ.items() if name not in screens}


def asked(tmp_path: Path, count: int) -> list[str]:
    """The browser's command lines, when there are so many."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        log = tmp_path / "asked.txt"
        lines = log.read_text().splitlines() if log.exists() else []
        if len(lines) >= count:
            return lines
        time.sleep(0.05)
    raise AssertionError(f"the browser was not started {count} times")


def test_a_second_start_brings_the_first_window_forward(
    desk: Callable[[], subprocess.Popen[str]], tmp_path: Path
) -> None:
    first = desk()
    (line,) = asked(tmp_path, 1)
    # What other users of the machine see names no secret, but the file that does.
    page = tmp_path / "library" / "page.html"
    assert f"--app={page.as_uri()} " in line
    key = (tmp_path / "library" / "page.key").read_text(encoding="ascii").strip()
    assert key not in line
    assert f"/?token={key}" in page.read_text(encoding="utf-8")
    assert f"--user-data-dir={tmp_path / 'library' / 'window'}" in line

    second = desk()
    assert second.wait(60) == 0
    assert second.stdout is not None
    assert "open already" in second.stdout.read()
    assert len(asked(tmp_path, 2)) == 2
    assert first.poll() is None

    # The window is closed.
    (tmp_path / "library" / "window").rmdir()
    assert first.wait(60) == 0
    assert not (tmp_path / "library" / "desktop.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_it_is_told_to(
    desk: Callable[[], subprocess.Popen[str]], tmp_path: Path, number: int
) -> None:
    process = desk()
    asked(tmp_path, 1)
    note = json.loads((tmp_path / "library" / "desktop.json").read_text())
    process.send_signal(number)

    assert process.wait(60) == 0
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", note["port"])).close()


@needs_screen
@needs_qt
def test_the_window_of_pywebview_ends_when_it_is_told_to(screen: str, tmp_path: Path) -> None:
    module("webview")
    library = tmp_path / "library"
    # Chromium's sandbox, which Qt has inside, does not start for root.
    surroundings = {"DISPLAY": screen, "QT_QPA_PLATFORM": "xcb", "QTWEBENGINE_DISABLE_SANDBOX": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "photosearch", "--library", str(library), "desktop"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | surroundings,
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and not (library / "desktop.json").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert not (library / "window").exists(), "a browser was opened instead"
    assert not (library / "desktop.json").exists()


def test_a_note_of_one_that_was_killed_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "desktop.json").write_text(json.dumps({"port": 1, "secret": "old"}))
    instance = Instance(tmp_path)

    assert instance.take()
    assert not Instance(tmp_path).take()
    instance.tell(7)
    assert json.loads((tmp_path / "desktop.json").read_text())["port"] == 7
    assert (tmp_path / "desktop.json").stat().st_mode & 0o077 == 0
    instance.leave()
    assert Instance(tmp_path).take()


def test_there_is_always_a_window_to_fall_back_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    kinds = [type(window) for window in windows(tmp_path)]
    assert kinds[-1] is Tab
    assert BrowserApp not in kinds or sys.platform == "darwin"


def test_a_place_that_makes_no_sense_is_not_used(tmp_path: Path) -> None:
    view = WebView(tmp_path)
    usual = {"width": 1280, "height": 860}
    assert view._place() == usual
    (tmp_path / "window.json").write_text('{"x": 1, "y": 2, "width": 3, "height": 4}')
    assert view._place() == usual
    (tmp_path / "window.json").write_text('{"x": 1, "y": 2, "width": 900, "height": 700}')
    assert view._place() == {"x": 1, "y": 2, "width": 900, "height": 700}
