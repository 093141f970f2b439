"""Motion photos: a still with its video inside is one photo, and says so."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import photo_metadata as make
import pytest
from optional import module
from photo_metadata import jpeg
from PIL import Image
from shell import Shell
from videos import video

from photosearch.indexing.motion import video_inside

pytestmark = pytest.mark.slow

BLUE = Image.new("RGB", (80, 60), "blue")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    module("av")
    data = video(tmp_path_factory.mktemp("clip") / "a.mp4", ["blue"]).read_bytes()
    # FFmpeg calls it QuickTime; phones write MP4.
    return data.replace(b"ftypqt  ", b"ftypmp42", 1)


def google(still: bytes, clip: bytes) -> bytes:
    return still + clip


def samsung(still: bytes, clip: bytes) -> bytes:
    trailer = b"SEFH" + struct.pack("<II", 107, 1) + b"\0\0\x30\x0a" + b"\0" * 8
    return still + b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data" + clip + trailer + b"SEFT"


@pytest.mark.parametrize("put_together", [google, samsung])
def test_the_video_inside_is_found(clip: bytes, tmp_path: Path, put_together) -> None:  # type: ignore[no-untyped-def]
    still = jpeg(BLUE)
    path = make.write(tmp_path / "a.jpg", put_together(still, clip))
    found = video_inside(str(path))
    assert found is not None
    first, size = found
    assert path.read_bytes()[first : first + size] == clip


def test_the_video_in_a_box_of_a_heic_is_found(clip: bytes, tmp_path: Path) -> None:
    BLUE.save(tmp_path / "plain.avif")
    plain = (tmp_path / "plain.avif").read_bytes()
    box = struct.pack(">I", 8 + len(clip)) + b"mpvd" + clip
    path = make.write(tmp_path / "a.heic", plain + box)
    assert video_inside(str(path)) == (len(plain) + 8, len(clip))
    assert video_inside(str(tmp_path / "plain.avif")) is None


def test_what_only_looks_like_a_video_is_none(clip: bytes, tmp_path: Path) -> None:
    still = jpeg(BLUE)
    for name, data in {
        "plain.jpg": still,
        "cut.jpg": still + clip[:40],
        "word.jpg": still + b"\0\0\0\x18ftypmp42 and no more",
        "heic.jpg": still + b"\0\0\0\x18ftypheic" + b"\0" * 12,
        "empty.jpg": b"",
        "a.png": still + clip,
    }.items():
        assert video_inside(str(make.write(tmp_path / name, data))) is None, name
    assert video_inside(str(tmp_path / "nowhere.jpg")) is None


def test_a_motion_photo_is_one_photo(clip: bytes, shell: Shell, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    make.write(photos / "PXL_1.MP.jpg", google(jpeg(BLUE), clip))
    make.write(photos / "PXL_1.mp4", clip)
    make.write(photos / "20230506_143456.jpg", samsung(jpeg(BLUE), clip))
    shell("index", photos)
    assert json.loads(shell("status", "--json").stdout)["photos"] == 2
    for name, others in (("PXL_1.MP.jpg", ["PXL_1.mp4"]), ("20230506_143456.jpg", [])):
        said = json.loads(shell("show", "--json", photos / name).stdout)
        assert (said["width"], said["height"], said["video_inside"]) == (80, 60, len(clip))
        assert [Path(path).name for path in said["companions"]] == others
        assert "a video inside" in shell("show", photos / name).stdout.decode()
