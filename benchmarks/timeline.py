"""How evenly the timeline of a large library scrolls in a browser, beside the grid of results.

It is scrolled from the newest photo downwards, and back, by a fling of the wheel in each frame, and
goes to places all over the library. Measured are the times between two frames. The grid that search
results are in, which the timeline was before, keeps all photos that it has shown in the page.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.life import make_life
from benchmarks.timing import machine
from photosearch.encoders import open_encoder

# A frame takes 16.7 ms; one that takes longer than this is seen as a hitch.
HITCH = 50.0
_FRAMES = 400  # that are scrolled through
_STEP = 120  # pixels between two frames: a fast wheel
_JUMPS = 40

# Scrolls by so many pixels in each frame, and gives the milliseconds between the frames.
_SCROLL = """([frames, step]) => new Promise((done) => {
    const times = [];
    let last = performance.now();
    const frame = (now) => {
        times.push(now - last);
        last = now;
        scrollBy(0, step);
        if (times.length < frames) requestAnimationFrame(frame);
        else done(times.slice(1));
    };
    requestAnimationFrame(frame);
})"""
# Goes to places all over the page, one in every fourth frame.
_JUMP = """(jumps) => new Promise((done) => {
    const times = [];
    let last = performance.now();
    const frame = (now) => {
        times.push(now - last);
        last = now;
        if (times.length % 4 === 0) {
            const share = (times.length * 0.618) % 1;
            scrollTo(0, share * document.documentElement.scrollHeight);
        }
        if (times.length < 4 * jumps) requestAnimationFrame(frame);
        else done(times.slice(1));
    };
    requestAnimationFrame(frame);
})"""
# Has the grid of a month load so many photos, as scrolling down to them does.
_EXTEND = """(wanted) => new Promise((done) => {
    const look = () => {
        if (document.querySelectorAll("#browse .grid li").length >= wanted) return done();
        scrollTo(0, document.documentElement.scrollHeight);
        setTimeout(look, 30);
    };
    look();
})"""
_COUNT = "() => document.querySelectorAll('#browse *').length"


@dataclass(frozen=True)
class Frames:
    """Milliseconds between frames, and elements of the page in the end."""

    times: list[float]
    elements: int

    @property
    def hitches(self) -> float:
        """The share of frames that took too long."""
        return float(np.mean(np.array(self.times) > HITCH))

    def __str__(self) -> str:
        return (
            f"{self.hitches:.1%} of {len(self.times)} frames over {HITCH:.0f} ms, median "
            f"{np.median(self.times):.0f} ms, p95 {np.percentile(self.times, 95):.0f} ms, "
            f"{self.elements:,} elements"
        )


def run(folder: Path, *, photos: int, grid: int) -> dict[str, Frames]:
    """Measure, and print; `grid` is how many photos the grid has shown."""
    print(f"  {machine()}")
    print(f"  making a library of {photos:,} photos", flush=True)
    make_life(folder / "library", photos, open_encoder())
    frames = measure(folder / "library", grid=grid)
    for what, one in frames.items():
        print(f"  {what}: {one}")
    return frames


def measure(library: Path, *, grid: int) -> dict[str, Frames]:
    command = [sys.executable, "-m", "photosearch", "--library", str(library)]
    command += ["ui", "--no-browser", "--port", "0", "--open-to-this-machine"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found, "the server does not start"
        return _in_browser(found[0], grid)
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def _in_browser(url: str, grid: int) -> dict[str, Frames]:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        page.get_by_role("tab", name="Browse").click()
        page.locator("#browse .days .tile").first.wait_for()
        found = {
            "timeline, scrolled down": _frames(page, _SCROLL, [_FRAMES, _STEP]),
            "timeline, scrolled up": _frames(page, _SCROLL, [_FRAMES, -_STEP]),
            "timeline, jumping": _frames(page, _JUMP, _JUMPS),
        }
        page.get_by_role("button", name="Cameras").click()
        page.locator("#browse .group").first.click()
        page.locator("#browse .grid .tile").first.wait_for()
        page.evaluate(_EXTEND, grid)
        page.evaluate("scrollTo(0, 0)")
        found["grid, scrolled down"] = _frames(page, _SCROLL, [_FRAMES, _STEP])
        found["grid, jumping"] = _frames(page, _JUMP, _JUMPS)
        browser.close()
    return found


def _frames(page: Any, script: str, given: Any) -> Frames:
    times = [float(one) for one in page.evaluate(script, given)]
    return Frames(times, int(page.evaluate(_COUNT)))
