"""`photosearch share`, as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from optional import leave_out, needs_linux
from PIL import Image
from shell import REPOSITORY, Shell, message

pytestmark = pytest.mark.slow


def test_photos_of_a_search_go_to_a_folder(indexed: Shell) -> None:
    result = indexed("share", "--query", "type:png", "--to", "out/new", "--size", "64")
    assert result.returncode == 0, result.stderr
    made = list((indexed.folder / "out" / "new").iterdir())
    assert f"Shared {len(made)} photos without positions".encode() in result.stdout
    for path in made:
        with Image.open(path) as image:
            assert (image.format, max(image.size)) == ("JPEG", 64)


def test_photos_by_path_and_by_id_go_to_a_zip_file(indexed: Shell) -> None:
    paths = sorted(indexed.photos())[:2]
    result = indexed("share", paths[0], "photo:1", "--zip", "all.zip", "--json")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["path"] == str(indexed.folder / "all.zip")
    assert (told["photos"], told["left_out"], told["stopped"]) == (2, [], False)
    with zipfile.ZipFile(indexed.folder / "all.zip") as archive:
        assert archive.read(os.path.basename(paths[0])) == Path(paths[0]).read_bytes()
    before = (indexed.folder / "all.zip").read_bytes()
    assert "all.zip: it is there already" in message(indexed("share", "1", "--zip", "all.zip"), 2)
    assert (indexed.folder / "all.zip").read_bytes() == before


def test_a_web_album_has_a_folder_of_its_own(indexed: Shell) -> None:
    given = ("share", "1", "2", "--web-album", "album", "--title", "We & you", "--language", "de")
    assert indexed(*given).returncode == 0
    page = (indexed.folder / "album" / "index.html").read_text(encoding="utf-8")
    assert "<h1>We &amp; you</h1>" in page
    assert "2 Fotos" in page
    assert "it is not empty" in message(indexed(*given), 2)


def test_what_is_left_out_is_named_and_fails(indexed: Shell, picture_library: Path) -> None:
    gone = Path(sorted(indexed.photos())[0])
    away = gone.with_name(f"{gone.name}.away")
    gone.rename(away)
    try:
        result = indexed("share", "1", "2", "3", gone, "--to", "out", "--size", "64")
    finally:
        away.rename(gone)
    assert f"left out {gone}: is not there any more" in message(result, 1)
    assert result.stdout.startswith(b"Shared ")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("1",), "Say where to: give one of --to, --zip, --web-album"),
        (("--to", "out"), "Say which photos: give one of PHOTO, --query, --album"),
        (("1", "--query", "cat", "--to", "out"), "PHOTO and --query both say which photos"),
        (("1", "--to", "out", "--zip", "a.zip"), "--to and --zip both say where to"),
        (("99999", "--to", "out"), "there is no photo of the id 99999"),
        (("--album", "Rome", "--to", "out"), "--album Rome: there is none; there are favourites"),
        (("1", "--to", "out", "--size", "3"), "a longest side of 3 pixels; give one from 64"),
        (("1", "--to", "library/out"), "photosearch keeps its own files there"),
        (("1", "--web-album", "a", "--language", "xx"), "--language xx: there is none"),
    ],
)
def test_what_cannot_be_done_is_said(indexed: Shell, given: tuple[str, ...], told: str) -> None:
    assert told in message(indexed("share", *given), 2)
    assert not (indexed.folder / "out").exists()
    assert not (indexed.library / "out").exists()


def test_no_photos_are_a_failure(indexed: Shell) -> None:
    given = ("share", "--album", "favourites", "--zip", "none.zip")
    assert "there are no photos to share" in message(indexed(*given), 1)
    assert not (indexed.folder / "none.zip").exists()


# On a disk that is too small for all photos.
ON_A_SMALL_DISK = """
mkdir "$DISK" && mount -t tmpfs -o size=200k none "$DISK" || exit 77
"$PYTHON" -m photosearch share --query "$QUERY" --to "$DISK"; echo "to: $?"
ls -A "$DISK" | grep -c part; cp -r "$DISK" "$KEPT"; rm "$DISK"/*
"$PYTHON" -m photosearch share --query "$QUERY" --zip "$DISK/a.zip"; echo "zip: $?"
"$PYTHON" -m photosearch share --query "$QUERY" --jpeg --web-album "$DISK/web"; echo "web: $?"
ls -A "$DISK"; echo end
"""


@needs_linux("fills disks its way")
def test_a_disk_that_runs_full_holds_whole_photos_only(indexed: Shell, tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        leave_out("unshare: apt-get install util-linux")
    kept = tmp_path / "kept"
    result = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", ON_A_SMALL_DISK],
        capture_output=True,
        cwd=REPOSITORY,
        env=indexed.environment
        | {
            "PYTHON": sys.executable,
            "DISK": str(tmp_path / "disk"),
            "KEPT": str(kept),
            "QUERY": "type:png",
            "PATH": os.environ["PATH"],
        },
        timeout=300,
        check=False,
    )
    if result.returncode == 77 or b"unshare failed" in result.stderr:
        leave_out("user namespaces, to mount a disk in")
    errors, said = result.stderr.decode(), result.stdout.decode()
    assert "Traceback" not in errors
    assert errors.count("No space left on device; make room, or choose another") == 3
    assert "are there, and whole" in errors
    assert said.split()[:3] == ["to:", "1", "0"], said
    assert "zip: 1\nweb: 1\nend" in said or "zip: 1\nweb: 1\nweb\nend" in said, said
    originals = {os.path.basename(path): Path(path) for path in indexed.photos()}
    for path in kept.iterdir():
        assert path.read_bytes() == originals[path.name].read_bytes()
