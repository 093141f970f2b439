"""How fast the page of `photosearch ui` is, in a real browser, with a large library."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.life import make_life
from benchmarks.timing import machine
from photosearch.encoders import open_encoder

# Typed letter by letter, as a person does, with a pause after each.
TYPED = ("a dog on the beach", "two children in the snow", "birthday cake", "a red car at night")
FILTERED = ("year:2005-2012 a dog", "in:Italy birthday cake", "camera:X100 type:raw a red car")
_BETWEEN = 180  # milliseconds between two letters: 65 words a minute
_PAUSE = 1.0  # seconds before a text and after it, which a person looks at the photos
WANTED = 100.0

_PAINT = "performance.getEntriesByName('first-contentful-paint')"
# What a first visit loads until photos are there, in bytes as they are sent, and how many requests.
_LOADED = """() => {
    const all = performance.getEntriesByType("resource");
    const [page] = performance.getEntriesByType("navigation");
    const bytes = all.reduce((sum, one) => sum + one.transferSize, page.transferSize);
    return [bytes, all.length + 1];
}"""
# Requests of which a browser remembers no more than 250 otherwise.
_KEEP = "performance.setResourceTimingBufferSize(5000)"
# From a letter to the results of it, drawn: the answer of a search that nothing has overtaken.
_WATCH = """() => {
    window.waits = [];
    let asked = 0;
    const box = document.querySelector("#query input, #query textarea");
    const place = document.querySelector("#place-results");
    box.addEventListener("input", () => { asked = box.value && performance.now(); }, true);
    new MutationObserver(() => {
        const text = new URLSearchParams(place.dataset.shows).get("q");
        if (!asked || text !== box.value.trim()) return;
        const since = asked;
        asked = 0;
        requestAnimationFrame(() => window.waits.push(performance.now() - since));
    }).observe(place, { attributeFilter: ["data-shows"] });
}"""
# The page shows the photos for a text, drawn.
_SHOWN = """text => {
    const place = document.querySelector("#place-results");
    return !place.hasAttribute("aria-busy")
        && (new URLSearchParams(place.dataset.shows).get("q") ?? "") === text;
}"""


@dataclass(frozen=True)
class Speed:
    """Bytes and requests of a first visit; milliseconds to the first paint and to the first photos,
    and from a letter to its results, without and with filters; and the server's memory in MB.
    """

    weight: int
    requests: int

    paint: float
    photos: float
    waits: list[float]
    filtered: list[float]
    memory: float = float("nan")

    def __str__(self) -> str:
        return (
            f"  a first visit loads {self.weight / 1e6:.2f} MB in {self.requests} requests\n"
            f"  first paint {self.paint:.0f} ms, first photos {self.photos:.0f} ms\n"
            f"  letter to results: {_told(self.waits)} (wanted: below {WANTED:.0f})\n"
            f"  with filters: {_told(self.filtered)}\n"
            f"  memory of the server {self.memory:.0f} MB"
        )


def _told(waits: list[float]) -> str:
    median, most = np.percentile(waits, (50, 95))
    return f"median {median:.0f} ms, p95 {most:.0f} ms of {len(waits)}"


def run(folder: Path, *, photos: int) -> Speed:
    """Measure, and print."""
    print(f"  {machine()}")
    print(f"  making a library of {photos:,} photos", flush=True)
    make_life(folder / "library", photos, open_encoder(), searched=True)
    speed = measure(folder / "library")
    print(speed)
    return speed


def measure(library: Path) -> Speed:
    command = [sys.executable, "-m", "photosearch", "--library", str(library)]
    command += ["ui", "--no-browser", "--port", "0", "--open-to-this-machine"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found, "the server does not start"
        return replace(_in_browser(found[0]), memory=_memory(server.pid))
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def _in_browser(url: str) -> Speed:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(_KEEP)
        page.goto(url)
        # The second time, as on every day but the first, when examples are found for the library.
        page.locator(".examples[data-shows] button").first.wait_for()
        weight, requests = page.evaluate(_LOADED)
        page.reload()
        page.locator("#results .tile").first.wait_for()
        photos = float(page.evaluate("performance.now()"))
        # It is noted a moment after it has happened.
        page.wait_for_function(f"() => {_PAINT}.length")
        paint = float(page.evaluate(f"{_PAINT}[0].startTime"))
        # A photo is in the page before the frame that shows it, which may be the first one.
        photos = max(photos, paint)
        page.evaluate(_WATCH)
        waits, filtered = _waits(page, TYPED), _waits(page, FILTERED)
        browser.close()
    return Speed(weight, requests, paint, photos, waits, filtered)


def _waits(page: Any, texts: Sequence[str]) -> list[float]:
    """Milliseconds from each letter to its results, as far as no later one was quicker."""
    page.evaluate("window.waits.length = 0")
    for text in texts:
        _type(page, text)
    # A wait is noted with the frame that ends it.
    page.evaluate("() => new Promise(requestAnimationFrame)")
    return [float(one) for one in page.evaluate("window.waits")]


def _type(page: Any, text: str) -> None:
    box = page.get_by_label("Describe a photo")
    box.fill("")
    page.wait_for_function(_SHOWN, arg="")
    time.sleep(_PAUSE)
    box.press_sequentially(text, delay=_BETWEEN)
    page.wait_for_function(_SHOWN, arg=text)
    time.sleep(_PAUSE)


def _memory(pid: int) -> float:
    """What the process has in memory, in MB; shared libraries included."""
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        return float("nan")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text())
    return int(found[1]) / 1e3 if found else float("nan")
