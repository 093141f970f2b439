"""Videos in the browser: parts of the file, and a hit that opens at its moment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_browser import open_tile, results_of
from optional import module, needs_chromium
from PIL import Image
from served import Served, served_here
from videos import video

from photosearch import Library

pytestmark = pytest.mark.slow

module("av")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, colours: Path) -> Path:
    place = tmp_path_factory.mktemp("videos")
    (place / "photos").mkdir()
    # Chromium plays this one wherever it comes from.
    video(place / "photos" / "a.mp4", ["red", "green", "blue"], seconds=4, codec="libvpx-vp9")
    Image.new("RGB", (40, 40), "black").save(place / "photos" / "b.png")
    with Library.open(place / "library", model=colours) as library:
        for _ in library.index([place / "photos"], workers=1):
            pass
    return place


@pytest.fixture(scope="module")
def server(place: Path, colours: Path) -> Iterator[Served]:
    with served_here(place / "library", colours) as server:
        yield server


def ids(server: Served) -> dict[str, int]:
    hits = server.ask("/api/newest").json["hits"]
    return {hit["name"]: hit["id"] for hit in hits}


def test_parts_of_a_video(server: Served, place: Path) -> None:
    content = (place / "photos" / "a.mp4").read_bytes()
    target = f"/api/video/{ids(server)['a.mp4']}"
    whole = server.ask(target)
    assert (whole.status, whole.body) == (200, content)
    for asked, first, last in (
        ("bytes=0-", 0, len(content)),
        ("bytes=10-19", 10, 20),
        ("bytes=-7", len(content) - 7, len(content)),
        (f"bytes=5-{10**17}", 5, len(content)),
    ):
        part = server.ask(target, {"Range": asked})
        assert (part.status, part.body) == (206, content[first:last])
        assert part.headers["content-range"] == f"bytes {first}-{last - 1}/{len(content)}"
        assert part.headers["content-type"] == "video/mp4"
    for asked in (f"bytes={len(content)}-", "bytes=9-3", "bytes=-", "lines=1-2", "bytes=1-2,5-6"):
        assert server.ask(target, {"Range": asked}).status == 416


def test_what_is_no_video_or_not_the_one_that_was_indexed(server: Served, place: Path) -> None:
    known = ids(server)
    assert server.ask(f"/api/video/{known['b.png']}").status == 404
    assert server.ask("/api/video/999").status == 404
    path = place / "photos" / "a.mp4"
    before = path.stat()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert server.ask(f"/api/video/{known['a.mp4']}").status == 409
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_search_tells_the_moment(server: Served) -> None:
    hits = {hit["name"]: hit for hit in server.ask("/api/search?q=blue").json["hits"]}
    assert hits["a.mp4"]["moment"] == pytest.approx(8.0, abs=0.3)


@needs_chromium
def test_a_hit_opens_at_its_moment(page: Any) -> None:
    page.keyboard.press("/")
    page.keyboard.type("blue")
    results_of(page, "blue")
    open_tile(page, "a.mp4")
    player = page.locator(".viewer video")
    player.wait_for()
    # The browser goes there once it knows the video.
    page.wait_for_function(
        "() => Math.abs(document.querySelector('.viewer video').currentTime - 8) < 0.5"
    )
    page.keyboard.press("Escape")
    player.wait_for(state="detached")
