"""Small pictures for the pages: upright, whatever the format."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import Future
from pathlib import Path

import pytest
from on_a_thread import run
from optional import module
from photo_metadata import jpeg
from PIL import Image
from test_formats import dng, mosaic
from videos import video

from index import FileStamp, PhotoFile
from photosearch.delivery.thumbnails import Thumbnails
from photosearch.indexing.decode import prepare_decoders
from photosearch.indexing.formats import MAX_PIXELS
from photosearch.serving.shrinking import Shrinkers, Small, Still


@pytest.fixture(autouse=True)
def decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    prepare_decoders()


def small(path: Path) -> Image.Image:
    with Image.open(io.BytesIO(Still(64).make(str(path), MAX_PIXELS).data)) as image:
        return image.convert("RGB")


def colour(image: Image.Image, x: float, y: float) -> str:
    """Which of the first three colours is strongest there."""
    pixel = image.getpixel((int(x * image.width), int(y * image.height)))
    assert isinstance(pixel, tuple)
    return "RGB"[pixel.index(max(pixel))]


def test_a_photo_is_turned_upright(tmp_path: Path) -> None:
    stored = Image.new("RGB", (160, 80), "red")
    stored.paste("blue", (80, 0, 160, 80))
    about = Image.Exif()
    about[0x0112] = 6  # to be turned by a quarter, clockwise
    (tmp_path / "a.jpg").write_bytes(jpeg(stored, exif=about))
    seen = small(tmp_path / "a.jpg")
    assert seen.size == (32, 64)
    assert (colour(seen, 0.5, 0.1), colour(seen, 0.5, 0.9)) == ("R", "B")


def test_a_raw_is_turned_upright(tmp_path: Path) -> None:
    module("rawpy")
    preview = Image.new("RGB", (160, 80), "red")
    preview.paste("blue", (80, 0, 160, 80))
    sensor = mosaic(Image.new("RGB", (96, 48), "grey"))
    (tmp_path / "a.dng").write_bytes(dng(jpeg(preview), sensor, 6))
    seen = small(tmp_path / "a.dng")
    assert seen.size == (32, 64)
    assert (colour(seen, 0.5, 0.1), colour(seen, 0.5, 0.9)) == ("R", "B")


def test_a_video_has_a_frame_of_it(tmp_path: Path) -> None:
    module("av")
    assert colour(small(video(tmp_path / "a.mp4", ["blue"])), 0.5, 0.5) == "B"


def test_pictures_of_before_with_other_colours_are_not_shown(tmp_path: Path) -> None:
    digest = bytes(range(32))
    older = tmp_path / "thumbnails" / "00" / f"{digest.hex()[:40]}.webp"
    older.parent.mkdir(parents=True)
    older.write_bytes(b"x")
    thumbnails = Thumbnails(tmp_path, Shrinkers())
    photo = PhotoFile(1, "/a.jpg", FileStamp(1, 1), digest, 1, 1, "JPEG", False)
    assert thumbnails.kept(photo) is None
    thumbnails._clearing.join()
    assert not older.parent.exists()


@pytest.mark.slow
def test_copies_that_are_asked_for_at_once_are_made_once(tmp_path: Path) -> None:
    made: list[str] = []

    class Noting(Shrinkers):
        def shrink(self, path: str, side: int) -> Future[Small]:
            made.append(path)
            return super().shrink(path, side)

    def photo(name: str, digest: bytes | None) -> PhotoFile:
        path = tmp_path / name
        Image.new("RGB", (64, 48), "red").save(path)
        status = path.stat()
        stamp = FileStamp(status.st_size, status.st_mtime_ns)
        return PhotoFile(1, str(path), stamp, digest, 64, 48, "PNG", missing=False)

    one, copy, other = photo("a.png", b"1" * 32), photo("b.png", b"1" * 32), photo("c.png", None)

    async def ask() -> list[bytes]:
        thumbnails = Thumbnails(tmp_path / "library", shrinkers)
        return await asyncio.gather(*map(thumbnails.grid, (one, copy, one, other)))

    (tmp_path / "library").mkdir()
    shrinkers = Noting()
    try:
        first, *rest = run(ask())
    finally:
        shrinkers.close()
    assert rest == [first] * 3
    assert made == [one.path, other.path]
