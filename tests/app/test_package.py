"""The app that `make package` builds, started for real on a screen that nobody sees.

It is skipped where the app is not built, or there is no Xvfb or chromium: building takes minutes.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from family import make_family_photos
from in_browser import CHROMIUM, ask
from optional import needs, needs_chromium, needs_linux, needs_screen

APP = Path(__file__).parents[2] / "build" / "package" / "photosearch" / "photosearch"

pytestmark = [
    pytest.mark.slow,
    needs(APP.is_file(), "the app: make package"),
    needs_screen,
    needs_chromium,
    needs_linux("the screen is X11"),
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def connected(playwright: Any, port: int) -> Any:
    from playwright.sync_api import Error

    until = time.monotonic() + 60
    while True:
        try:
            return playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        except Error:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def test_it_indexes_finds_the_cat_and_ends(tmp_path: Path, screen: str) -> None:
    from playwright.sync_api import sync_playwright

    make_family_photos(tmp_path / "photos")
    # The browser is the real one; it may not start as root without this, and has to be watched.
    port = free_port()
    tools = tmp_path / "tools"
    tools.mkdir()
    browser = tools / "chromium"
    flags = f"--no-sandbox --disable-gpu --remote-debugging-port={port}"
    browser.write_text(f'#!/bin/sh\nexec {CHROMIUM} {flags} "$@"\n')
    browser.chmod(0o755)
    app = subprocess.Popen(
        [APP],
        env={
            "PATH": f"{tools}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "DISPLAY": screen,
            "PHOTOSEARCH_LIBRARY": str(tmp_path / "library"),
        },
        start_new_session=True,
    )
    try:
        with sync_playwright() as playwright:
            opened = connected(playwright, port)
            page = opened.contexts[0].pages[0]
            page.wait_for_selector("body.ready", timeout=60_000)
            page.get_by_label("Folder with photos").first.fill(str(tmp_path / "photos"))
            page.get_by_role("button", name="Start").first.click()
            page.get_by_text("All photos are indexed").first.wait_for(timeout=120_000)
            assert ask(page, "a cat")[0] == "chelsea.jpg"
            page.close()
            # The last window of the browser is closed, and that ends the app.
            assert app.wait(60) == 0
    finally:
        if app.poll() is None:
            os.killpg(app.pid, signal.SIGKILL)
            app.wait()
    assert not (tmp_path / "library" / "desktop.json").exists()


def test_it_is_a_command_line_as_well(tmp_path: Path) -> None:
    told = subprocess.run([APP, "--version"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"\d+\.\d+", told)
