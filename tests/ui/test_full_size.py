"""The picture with all its pixels, whatever the file, and the video that belongs to a photo."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optional import module, needs_linux
from photo_metadata import jpeg
from PIL import Image
from served import Answer, Served, served_here
from test_formats import dng, mosaic
from videos import video

from photosearch import Library
from photosearch.indexing.decode import prepare_decoders
from photosearch.indexing.formats import MAX_PIXELS, DecodeError
from photosearch.serving.full_size import Wanted, make_full_size

pytestmark = pytest.mark.slow

module("av")
module("rawpy")

SIZE = (400, 300)
KINDS = ("heic", "tif", "bmp", "jpg", "png", "webp", "gif", "avif")


def halves(size: tuple[int, int] = SIZE) -> Image.Image:
    """Red above, blue below."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, size[1] // 2, *size))
    return image


def turned() -> Image.Exif:
    about = Image.Exif()
    about[0x0112] = 6  # to be turned by a quarter, clockwise
    return about


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, colours: Path) -> Path:
    place = tmp_path_factory.mktemp("full")
    photos = place / "photos"
    photos.mkdir()
    before = Image.MAX_IMAGE_PIXELS
    prepare_decoders()
    Image.MAX_IMAGE_PIXELS = before
    for kind in KINDS:
        halves().save(photos / f"{kind}.{kind}")
    on_its_side = halves().transpose(Image.Transpose.ROTATE_90)
    (photos / "turned.jpg").write_bytes(jpeg(on_its_side, exif=turned()))
    on_its_side.save(photos / "turned.png", exif=turned())
    on_its_side.save(photos / "turned.webp", exif=turned())
    (photos / "sensor.dng").write_bytes(dng(None, mosaic(halves()).astype(np.uint16), 1))
    preview = jpeg(halves())
    (photos / "preview.dng").write_bytes(dng(preview, mosaic(halves()).astype(np.uint16), 1))
    for name in ("gone.jpg", "pipe.jpg", "changed.jpg", "damaged.tif"):
        halves().save(photos / name)
    clip = video(place / "clip.mp4", ["green"]).read_bytes().replace(b"ftypqt  ", b"ftypmp42", 1)
    (place / "clip").write_bytes(clip)
    (photos / "inside.jpg").write_bytes(jpeg(halves()) + clip)
    (photos / "beside.MP.jpg").write_bytes(jpeg(halves()) + clip)
    (photos / "beside.mp4").write_bytes(clip)
    video(photos / "video.mp4", ["red"])
    with Library.open(place / "library", model=colours) as library:
        for _ in library.index([photos], workers=1):
            pass
    return place


@pytest.fixture(scope="module")
def server(place: Path, colours: Path) -> Iterator[Served]:
    with served_here(place / "library", colours) as server:
        yield server


@pytest.fixture(scope="module")
def ids(server: Served) -> dict[str, int]:
    hits = server.ask("/api/newest").json["hits"]
    return {hit["name"]: hit["id"] for hit in hits}


def shown(answer: Answer) -> Image.Image:
    """As a browser shows it, which turns a JPEG as its EXIF says."""
    from PIL import ImageOps

    assert answer.status == 200, answer.body
    with Image.open(io.BytesIO(answer.body)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def is_upright(image: Image.Image) -> bool:
    above, below = image.getpixel((200, 40)), image.getpixel((200, 260))
    assert isinstance(above, tuple)
    assert isinstance(below, tuple)
    return image.size == SIZE and above[0] > above[2] and below[2] > below[0]


@pytest.mark.parametrize("kind", KINDS)
def test_browsers_get_what_they_can_show(
    server: Served, place: Path, ids: dict[str, int], kind: str
) -> None:
    answer = server.ask(f"/api/full/{ids[f'{kind}.{kind}']}")
    assert is_upright(shown(answer))
    original = (place / "photos" / f"{kind}.{kind}").read_bytes()
    assert (answer.body == original) == (kind not in ("heic", "tif", "bmp"))
    kinds = {"jpg": "jpeg", "heic": "jpeg", "tif": "jpeg", "bmp": "jpeg"}
    assert answer.headers["content-type"] == f"image/{kinds.get(kind, kind)}"


@pytest.mark.parametrize("name", ["turned.jpg", "turned.png", "turned.webp", "preview.dng"])
def test_it_is_upright(server: Served, ids: dict[str, int], name: str) -> None:
    answer = server.ask(f"/api/full/{ids[name]}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert is_upright(shown(answer))


def test_a_raw_without_a_large_preview_is_demosaiced_in_full(
    server: Served, ids: dict[str, int]
) -> None:
    assert is_upright(shown(server.ask(f"/api/full/{ids['sensor.dng']}")))


def test_what_a_browser_could_not_show_is_converted(server: Served, ids: dict[str, int]) -> None:
    answer = server.ask(f"/api/full/{ids['png.png']}?converted=true")
    assert answer.headers["content-type"] == "image/jpeg"
    assert is_upright(shown(answer))


def test_it_is_kept_by_its_version(server: Served, ids: dict[str, int]) -> None:
    number = ids["jpg.jpg"]
    version = server.ask(f"/api/photo/{number}").json["version"]
    kept = server.ask(f"/api/full/{number}?v={version}").headers["cache-control"]
    assert "immutable" in kept
    assert "private" in kept
    assert server.ask(f"/api/full/{number}?v=other").headers["cache-control"] == "no-store"


def test_what_there_is_no_picture_of(server: Served, place: Path, ids: dict[str, int]) -> None:
    photos = place / "photos"
    (photos / "gone.jpg").unlink()
    (photos / "changed.jpg").write_bytes(b"another file")
    for name, status, said in (
        ("gone.jpg", 404, "not there any more"),
        ("changed.jpg", 409, "has changed"),
        ("video.mp4", 404, "is a video"),
    ):
        answer = server.ask(f"/api/full/{ids[name]}")
        assert (answer.status, said in answer.json["detail"]) == (status, True), answer.body
    assert server.ask("/api/full/999").status == 404
    assert server.ask("/api/full/passwd").status == 422


@needs_linux("makes a pipe")
def test_nothing_waits_for_a_pipe(server: Served, place: Path, ids: dict[str, int]) -> None:
    pipe = place / "photos" / "pipe.jpg"
    pipe.unlink()
    os.mkfifo(pipe)
    for route in ("full", "original", "screen", "motion"):
        answer = server.ask(f"/api/{route}/{ids['pipe.jpg']}")
        assert answer.status in (404, 409), route
    assert not server.ask(f"/api/photo/{ids['pipe.jpg']}/motion").json["motion"]


def test_one_that_is_damaged_says_why(server: Served, place: Path, ids: dict[str, int]) -> None:
    path = place / "photos" / "damaged.tif"
    status = path.stat()
    path.write_bytes(b"II*\0" + bytes(status.st_size - 4))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    answer = server.ask(f"/api/full/{ids['damaged.tif']}")
    assert answer.status == 404
    assert answer.json["detail"].startswith("The photo cannot be decoded")


def test_an_enormous_picture_is_brought_down_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    path = tmp_path / "a.jpg"
    Image.new("L", (20_000, 10_000), "grey").save(path, "JPEG")
    wanted = Wanted("JPEG", 20_000, 10_000)
    data = make_full_size(str(path), MAX_PIXELS, wanted).data
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (10_000, 5_000)
    with pytest.raises(DecodeError, match="megapixels; the limit is 20"):
        make_full_size(str(path), 20_000_000, wanted)


@pytest.mark.parametrize("name", ["inside.jpg", "beside.MP.jpg"])
def test_the_video_of_a_motion_photo(
    server: Served, place: Path, ids: dict[str, int], name: str
) -> None:
    clip = (place / "clip").read_bytes()
    number = ids[name]
    assert server.ask(f"/api/photo/{number}/motion").json == {"motion": True}
    whole = server.ask(f"/api/motion/{number}")
    assert (whole.status, whole.body) == (200, clip)
    part = server.ask(f"/api/motion/{number}", {"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, clip[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(clip)}"
    assert server.ask(f"/api/motion/{number}", {"Range": f"bytes={len(clip)}-"}).status == 416


def test_other_photos_have_no_video(server: Served, ids: dict[str, int]) -> None:
    for name in ("jpg.jpg", "png.png", "heic.heic"):
        assert server.ask(f"/api/photo/{ids[name]}/motion").json == {"motion": False}
        assert server.ask(f"/api/motion/{ids[name]}").status == 404
    assert server.ask("/api/motion/999").status == 404


@needs_linux("makes a link")
def test_what_took_the_place_of_a_video_is_not_given_away(
    server: Served, place: Path, ids: dict[str, int]
) -> None:
    beside = place / "photos" / "beside.mp4"
    clip = beside.read_bytes()
    beside.unlink()
    (place / "secret").write_text("a secret", encoding="utf-8")
    beside.symlink_to(place / "secret")
    answer: Any = server.ask(f"/api/motion/{ids['beside.MP.jpg']}")
    # The one inside of the photo is still there.
    assert answer.body == clip
    beside.unlink()
    beside.write_bytes(clip)
