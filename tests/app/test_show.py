"""`photosearch show`: what is known of one photo."""

from __future__ import annotations

import json
import os
from pathlib import Path

import photo_metadata as make
import pytest
from photo_metadata import camera_exif, exif, jpeg
from shell import Shell

pytestmark = pytest.mark.slow


@pytest.fixture
def photos(tmp_path: Path, shell: Shell) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    make.write(folder / "a.jpg", jpeg(exif=camera_exif()))
    make.write(folder / "IMG_20220304_050607.jpg", jpeg(exif=exif({0x0110: "Odd\x1b[31m"})))
    make.write(folder / "broken.jpg", b"no picture")
    shell("index", folder)
    return folder


def test_lines(shell: Shell, photos: Path) -> None:
    done = shell("show", photos / "a.jpg")
    assert done.stdout.decode().splitlines() == [
        f"Photo     {photos / 'a.jpg'}",
        "Picture   JPEG, 48 x 32, 0.0 MB",
        "Taken     2019-06-01 14:30:05 UTC+02:00 (by the camera)",
        "Place     Rome, Lazio, Italy",
        "Position  41.891667, 12.483333",
        "Camera    NIKON D750",
        "Lens      AF-S 50mm f/1.8G",
        "Exposure  1/250 s, f/2.8, ISO 400, 50 mm",
        "Rating    ****",
        "Caption   By the river",
    ]


def test_the_source_of_the_date_and_no_escapes(shell: Shell, photos: Path) -> None:
    shown = shell("show", photos / "IMG_20220304_050607.jpg").stdout.decode()
    assert "Taken     2022-03-04 05:06:07 (by the file's name)" in shown
    assert "\x1b" not in shown


def test_json_by_id(shell: Shell, photos: Path) -> None:
    told = json.loads(shell("show", "--json", photos / "a.jpg").stdout)
    assert told["place"] == {"city": "Rome", "region": "Lazio", "country": "Italy"}
    assert (told["taken_source"], told["rating"], told["companions"]) == ("exif", 4, [])
    assert json.loads(shell("show", "--json", str(told["photo_id"])).stdout) == told


def test_what_is_not_there(shell: Shell, photos: Path) -> None:
    for photo, reason in (
        (photos / "none.jpg", "is no photo of this library"),
        (photos / "broken.jpg", "is not indexed, since it is not a picture"),
        ("99", "there is no photo of the id 99"),
        (str(1 << 70), "there is no photo of the id"),
    ):
        done = shell("show", photo)
        assert done.returncode == 2
        assert reason in done.stderr.decode()
        assert len(done.stderr.splitlines()) == 1


def test_without_a_library(shell: Shell) -> None:
    done = shell("show", os.devnull)
    assert done.returncode == 1
    assert "Nothing is indexed yet" in done.stderr.decode()
