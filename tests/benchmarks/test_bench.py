"""`photosearch bench`: that it measures what it says, and changes nothing."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest
from optional import needs
from shell import REPOSITORY, Shell, message

from photosearch.bench.measure import measure
from photosearch.bench.processes import CommandError, spend
from photosearch.errors import UsageError

pytestmark = pytest.mark.slow


def content_of(folder: Path) -> dict[str, str]:
    return {
        str(path): f"{path.stat().st_mtime_ns} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_measures_the_library_and_leaves_it_as_it_is(shell: Shell, photos: Path) -> None:
    shell("index", photos)
    before = content_of(shell.library) | content_of(photos)

    result = shell("bench", "--json", "--photos", "4")

    assert result.returncode == 0, result.stderr
    assert content_of(shell.library) | content_of(photos) == before
    found = json.loads(result.stdout)
    indexing, searching = found["indexing"], found["searching"]
    assert (indexing["photos"], indexing["drawn"]) == (4, False)
    assert indexing["photos_per_second"] > 0
    assert 0 < indexing["megapixels"] < 2
    assert searching["photos"] == len(list(photos.iterdir()))
    assert searching["recall"] == 1
    assert 0 < searching["warm_ms"] <= searching["warm_ms_p95"] < 1e3 * searching["cold_seconds"]
    documented = (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8")
    section = documented.split("\n## bench\n")[1].split("\n## ")[0]
    example = json.loads(section.split("```json\n")[1].split("```")[0])
    assert example.keys() == found.keys()
    for part in ("indexing", "searching"):
        assert example[part].keys() == found[part].keys()


def test_a_folder_is_measured_where_there_is_no_library_and_none_is_made(
    shell: Shell, photos: Path
) -> None:
    result = shell("bench", photos, "--photos", "2")

    assert result.returncode == 0, result.stderr
    lines = result.stdout.decode().splitlines()
    assert any(line.startswith("Indexing") and "photos a second" in line for line in lines)
    assert any("2 of your photos" in line for line in lines)
    assert any("Search" in line and "nothing is indexed yet" in line for line in lines)
    assert not shell.library.exists()


def test_a_folder_without_pictures_is_an_error_that_names_it(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty: has no pictures in it" in message(shell("bench", tmp_path / "empty"), 2)


def test_without_photos_pictures_are_drawn(
    tmp_path: Path, tiny_bundle: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def draw(folder: Path) -> list[str]:
        asked.append(folder)
        return [str(photos / "coins.png"), str(photos / "coffee.png")]

    # Twelve pictures of 12 megapixels take too long to draw here.
    monkeypatch.setattr("photosearch.bench.measure.draw", draw)
    report = measure(tmp_path / "library", tiny_bundle, None, 10)

    assert report.searching is None
    assert report.indexing is not None
    assert (report.indexing.photos, report.indexing.drawn) == (2, True)
    assert not asked[0].exists()
    with pytest.raises(UsageError, match="no such folder"):
        measure(tmp_path / "library", tiny_bundle, tmp_path / "nowhere", 10)


def test_the_memory_of_a_command_is_its_own_and_that_of_its_children() -> None:
    # Held for so long that it is looked at on a busy machine, too.
    held = "import sys, time; kept = bytearray(int(sys.argv[1])); time.sleep(float(sys.argv[2]))"
    alone = spend([sys.executable, "-c", held, "1", "2"])
    # This process is far larger than the one it starts.
    assert alone.peak_bytes < 60e6
    started = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"
    nested = spend([sys.executable, "-c", started, held, str(200 << 20), "6"])
    if sys.platform == "linux":
        assert 200 << 20 < nested.peak_bytes < 280 << 20
    assert nested.seconds >= 6 > nested.cpu_seconds
    short = spend([sys.executable, "-c", started, held, str(200 << 20), "0.8"])
    if sys.platform == "linux":
        assert 200 << 20 < short.peak_bytes < 280 << 20


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(CommandError, match="no way"):
        spend([sys.executable, "-c", "raise ValueError('no way')"])


@needs(sys.platform != "win32", "a system with Ctrl-C for one process")
def test_a_command_that_takes_too_long_gets_a_ctrl_c() -> None:
    endless = "import signal, time; signal.signal(2, signal.SIG_DFL); time.sleep(60)"
    assert spend([sys.executable, "-c", endless], limit=0.5).seconds < 30
